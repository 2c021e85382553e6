import { describe, expect, it } from '@jest/globals';
import type { DeviceUsage } from '../../src/model/device.ts';
import { nodeScore } from '../../src/placement/node-score.ts';
import { plan } from '../../src/placement/planner.ts';
import { type ContainerFields, makePodRequest } from '../support/requests.ts';
import { type CardFields, makeView } from '../support/views.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';

/** HAMi adds the three fractions to 0..30; here they are averaged to 0..100. */
function sumOf(usage: readonly DeviceUsage[]): DeviceUsage {
  const total = (dimension: keyof DeviceUsage) => usage.reduce((sum, used) => sum + used[dimension], 0);
  return { slots: total('slots'), memoryMiB: total('memoryMiB'), corePercent: total('corePercent') };
}

describe('nodeScore is the mean of slots, cores and memory in use over all cards, in percent', () => {
  const half: DeviceUsage = { slots: 5, corePercent: 50, memoryMiB: 4000 };
  const idle: DeviceUsage = { slots: 0, corePercent: 0, memoryMiB: 0 };
  const card: CardFields = { memoryMiB: 8000 };
  const cases: { name: string; devices: CardFields[]; usage: DeviceUsage[]; want: number }[] = [
    { name: 'an empty node is 0 (spec §6.1: 0 of 30)', devices: [card], usage: [idle], want: 0 },
    {
      name: 'one card at 5/10, 50/100, 4000/8000 is 50 (spec §6.1: 15 of 30)',
      devices: [card],
      usage: [half],
      want: 50,
    },
    {
      name: 'two cards of which one is like that are 25 (spec §6.1: 7.5 of 30)',
      devices: [card, card],
      usage: [half, idle],
      want: 25,
    },
    {
      name: 'slots 50/100 and 75/150, cores and memory full: (0.5 + 1 + 1) / 3 = 83.3 (spec §14: 25 of 30)',
      devices: [{ slots: 100 }, { slots: 150 }],
      usage: [
        { slots: 50, corePercent: 100, memoryMiB: 8192 },
        { slots: 75, corePercent: 100, memoryMiB: 8192 },
      ],
      want: 250 / 3,
    },
    {
      name: 'a large card weighs more than a small one: 4/8 slots, 100/200, 9000/10000 are (0.5 + 0.5 + 0.9) / 3',
      devices: [
        { slots: 4, memoryMiB: 9000 },
        { slots: 4, memoryMiB: 1000 },
      ],
      usage: [{ slots: 4, corePercent: 100, memoryMiB: 9000 }, idle],
      want: 190 / 3,
    },
    {
      name: 'a dimension of which the node has nothing does not count: (5/10 + 4000/8000) / 2',
      devices: [{ ...card, corePercent: 0 }],
      usage: [{ ...half, corePercent: 0 }],
      want: 50,
    },
    {
      name: 'a dimension used beyond the whole counts as the whole: (1 + 0.5 + 0.5) / 3',
      devices: [card],
      usage: [{ ...half, slots: 12 }],
      want: 200 / 3,
    },
    { name: 'a node without cards is 0', devices: [], usage: [], want: 0 },
  ];
  it.each(cases)('binpack: $name', ({ devices, usage, want }) => {
    expect(nodeScore(makeView({ devices }).capacity, sumOf(usage), 'binpack')).toBeCloseTo(want, 9);
  });
  it.each(cases)('spread wants the rest to 100: $name', ({ devices, usage, want }) => {
    expect(nodeScore(makeView({ devices }).capacity, sumOf(usage), 'spread')).toBeCloseTo(100 - want, 9);
  });
});

describe('the score of a plan has the pod on the node', () => {
  const half: CardFields = { memoryMiB: 8000, used: { slots: 5, corePercent: 50, memoryMiB: 4000 } };
  const tenth: ContainerFields = { memoryMiB: 800, corePercent: 10 };
  const cases: { name: string; devices: CardFields[]; containers: ContainerFields[]; want: number }[] = [
    {
      name: 'a tenth of an empty card is 10, not the 0 of the empty node',
      devices: [{ memoryMiB: 8000 }],
      containers: [tenth],
      want: 10,
    },
    {
      name: 'a card half full and a tenth: 6/10, 60/100, 4800/8000 are 60',
      devices: [half],
      containers: [tenth],
      want: 60,
    },
    {
      name: 'the same beside an idle card: 6/20, 60/200, 4800/16000 are 30',
      devices: [half, { memoryMiB: 8000 }],
      containers: [tenth],
      want: 30,
    },
    {
      name: 'an init container is gone when the apps run, a sidecar is not: 5/10 + 2/10 are 70',
      devices: [half],
      containers: [{ ...tenth, role: 'sidecar' }, { memoryMiB: 3000, corePercent: 30, role: 'init' }, tenth],
      want: 70,
    },
    {
      name: 'a pod that asks for nothing leaves 50',
      devices: [half],
      containers: [{ devices: [] }],
      want: 50,
    },
  ];
  it.each(cases)('$name', ({ devices, containers, want }) => {
    const defaults = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') } as const;
    const view = makeView({ devices });
    const packed = plan(view, makePodRequest({ containers }), defaults);
    const spread = plan(view, makePodRequest({ containers, nodePolicy: 'spread' }), defaults);
    expect(packed.ok && packed.score).toBeCloseTo(want, 9);
    expect(spread.ok && spread.score).toBeCloseTo(100 - want, 9);
  });
});
