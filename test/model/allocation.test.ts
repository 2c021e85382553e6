import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Allocation, effectiveUsage, type Share } from '../../src/model/allocation.ts';
import { type ContainerRole, effectiveAmount } from '../../src/model/container-role.ts';
import type { DeviceUsage } from '../../src/model/device.ts';

const share = (deviceId: string, memoryMiB: number, corePercent: number, vendor = 'NVIDIA'): Share => ({
  vendor,
  deviceId,
  memoryMiB,
  corePercent,
});

interface Case {
  readonly name: string;
  readonly roles: readonly ContainerRole[];
  readonly allocation: Allocation;
  readonly initFinished?: boolean;
  readonly want: Readonly<Record<string, DeviceUsage>>;
}

describe('effectiveUsage', () => {
  const cases: Case[] = [
    {
      name: 'counts a share as one slot with its memory and cores',
      roles: ['app'],
      allocation: [[share('a', 3000, 30)]],
      want: { 'NVIDIA/a': { slots: 1, memoryMiB: 3000, corePercent: 30 } },
    },
    {
      name: 'hides an init container behind larger apps (spec §9.4: 500 MiB, 50 percent, 2 slots)',
      roles: ['init', 'app', 'app'],
      allocation: [[share('a', 100, 10)], [share('a', 200, 20)], [share('a', 300, 30)]],
      want: { 'NVIDIA/a': { slots: 2, memoryMiB: 500, corePercent: 50 } },
    },
    {
      name: 'takes the peak of each dimension by itself',
      roles: ['init', 'app', 'app'],
      allocation: [[share('a', 8000, 0)], [share('a', 200, 20)], [share('a', 300, 30)]],
      want: { 'NVIDIA/a': { slots: 2, memoryMiB: 8000, corePercent: 50 } },
    },
    {
      name: 'takes each device by itself, whatever their order',
      roles: ['init', 'app'],
      allocation: [[share('b', 700, 70)], [share('a', 1, 2), share('b', 3, 4)]],
      want: {
        'NVIDIA/a': { slots: 1, memoryMiB: 1, corePercent: 2 },
        'NVIDIA/b': { slots: 1, memoryMiB: 700, corePercent: 70 },
      },
    },
    {
      name: 'adds a sidecar to the apps and to the init containers after it',
      roles: ['sidecar', 'init', 'app'],
      allocation: [[share('a', 10, 1)], [share('a', 200, 5)], [share('a', 100, 9)]],
      want: { 'NVIDIA/a': { slots: 2, memoryMiB: 210, corePercent: 10 } },
    },
    {
      name: 'forgets plain init containers once they have ended, but not sidecars',
      roles: ['sidecar', 'init', 'app'],
      allocation: [[share('a', 10, 1)], [share('a', 200, 5), share('b', 1, 1)], []],
      initFinished: true,
      want: { 'NVIDIA/a': { slots: 1, memoryMiB: 10, corePercent: 1 } },
    },
    {
      name: 'keeps devices of two vendors apart even under one id',
      roles: ['app'],
      allocation: [[share('a', 1, 1), share('a', 2, 2, 'DCU')]],
      want: {
        'NVIDIA/a': { slots: 1, memoryMiB: 1, corePercent: 1 },
        'DCU/a': { slots: 1, memoryMiB: 2, corePercent: 2 },
      },
    },
    {
      name: 'counts two shares of one container on one device twice (an annotation may say so)',
      roles: ['app'],
      allocation: [[share('a', 1, 1), share('a', 2, 2)]],
      want: { 'NVIDIA/a': { slots: 2, memoryMiB: 3, corePercent: 3 } },
    },
    { name: 'is empty for a pod without shares', roles: ['init', 'app'], allocation: [[], []], want: {} },
  ];
  it.each(cases)('$name', ({ roles, allocation, initFinished = false, want }) => {
    expect(Object.fromEntries(effectiveUsage(allocation, roles, initFinished))).toEqual(want);
  });

  it('is the effective amount of every dimension on every device', () => {
    const role = fc.constantFrom<ContainerRole>('init', 'sidecar');
    const someShares = fc.uniqueArray(
      fc.record({
        vendor: fc.constantFrom('NVIDIA', 'DCU'),
        deviceId: fc.constantFrom('a', 'b', 'c'),
        memoryMiB: fc.nat({ max: 99 }),
        corePercent: fc.nat({ max: 99 }),
      }),
      { maxLength: 4, selector: ({ vendor, deviceId }) => `${vendor}/${deviceId}` },
    );
    const pod = fc.tuple(
      fc.array(fc.tuple(role, someShares), { maxLength: 4 }),
      fc.array(fc.tuple(fc.constant<ContainerRole>('app'), someShares), { maxLength: 3 }),
    );
    fc.assert(
      fc.property(pod, fc.boolean(), ([first, apps], initFinished) => {
        const containers = [...first, ...apps];
        const roles = containers.map(([containerRole]) => containerRole);
        const usage = effectiveUsage(
          containers.map(([, shares]) => shares),
          roles,
          initFinished,
        );
        for (const key of ['NVIDIA/a', 'NVIDIA/b', 'NVIDIA/c', 'DCU/a', 'DCU/b', 'DCU/c']) {
          const held = (index: number) =>
            initFinished && roles[index] === 'init'
              ? undefined
              : containers[index]?.[1].find((one) => `${one.vendor}/${one.deviceId}` === key);
          const touched = containers.some((_, index) => held(index) !== undefined);
          const want = {
            slots: effectiveAmount(roles, (index) => (held(index) === undefined ? 0 : 1)),
            memoryMiB: effectiveAmount(roles, (index) => held(index)?.memoryMiB ?? 0),
            corePercent: effectiveAmount(roles, (index) => held(index)?.corePercent ?? 0),
          };
          expect(usage.get(key)).toEqual(touched ? want : undefined);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
