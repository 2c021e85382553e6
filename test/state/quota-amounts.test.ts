/** What an allocation counts against a quota (spec §8.2): the pod's worst moment, over all cards of a vendor. */
import { describe, expect, it } from '@jest/globals';
import type { ContainerRole } from '../../src/model/container-role.ts';
import { quotaAmounts } from '../../src/state/quota-amounts.ts';

interface Held {
  readonly vendor?: string;
  readonly card?: string;
  readonly mib: number;
  readonly percent?: number;
}

interface AmountsCase {
  readonly name: string;
  readonly pod: readonly (readonly [ContainerRole, ...Held[]])[];
  readonly initFinished?: boolean;
  /** `MiB/percent` by vendor. */
  readonly want: Readonly<Record<string, string>>;
}

const cases: readonly AmountsCase[] = [
  { name: 'a pod without cards counts nothing', pod: [['app']], want: {} },
  {
    name: 'all cards of a container count',
    pod: [['app', { card: 'a', mib: 100, percent: 10 }, { card: 'b', mib: 200, percent: 20 }]],
    want: { NVIDIA: '300/30' },
  },
  {
    name: 'app containers add up, on one card or several',
    pod: [
      ['app', { card: 'a', mib: 100, percent: 10 }],
      ['app', { card: 'a', mib: 100, percent: 10 }],
      ['app', { card: 'b', mib: 100, percent: 10 }],
    ],
    want: { NVIDIA: '300/30' },
  },
  {
    name: 'init containers take turns, on whatever cards',
    pod: [
      ['init', { card: 'a', mib: 800 }],
      ['init', { card: 'b', mib: 900 }],
      ['app', { card: 'c', mib: 500 }],
    ],
    want: { NVIDIA: '900/0' },
  },
  {
    name: 'each dimension has its own peak',
    pod: [
      ['init', { mib: 900, percent: 10 }],
      ['app', { mib: 500, percent: 50 }],
    ],
    want: { NVIDIA: '900/50' },
  },
  {
    name: 'sidecars count beside what starts after them',
    pod: [
      ['init', { mib: 400 }],
      ['sidecar', { mib: 100 }],
      ['init', { mib: 400 }],
      ['app', { mib: 300 }],
    ],
    want: { NVIDIA: '500/0' },
  },
  {
    name: 'plain init containers no longer count once they have finished',
    pod: [
      ['init', { mib: 900 }],
      ['sidecar', { mib: 100 }],
      ['app', { mib: 300, percent: 5 }],
    ],
    initFinished: true,
    want: { NVIDIA: '400/5' },
  },
  {
    name: 'a pod whose cards were all for init containers counts nothing after them',
    pod: [['init', { mib: 900 }], ['app']],
    initFinished: true,
    want: {},
  },
  {
    name: 'vendors count apart',
    pod: [['app', { mib: 100 }, { vendor: 'DCU', mib: 40, percent: 100 }]],
    want: { NVIDIA: '100/0', DCU: '40/100' },
  },
];

describe('quotaAmounts', () => {
  it.each(cases)('$name', ({ pod, initFinished = false, want }) => {
    const roles = pod.map(([role]) => role);
    const allocation = pod.map(([, ...shares]) =>
      shares.map(({ vendor = 'NVIDIA', card = 'a', mib, percent = 0 }) => ({
        vendor,
        deviceId: card,
        memoryMiB: mib,
        corePercent: percent,
      })),
    );
    const amounts = [...quotaAmounts(allocation, roles, initFinished)];
    expect(
      Object.fromEntries(
        amounts.map(([vendor, { memoryMiB, corePercent }]) => [vendor, `${memoryMiB}/${corePercent}`]),
      ),
    ).toEqual(want);
  });
});
