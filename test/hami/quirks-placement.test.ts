/**
 * Quirks of the reference about the choice of nodes and cards (spec §13.1): Q5, Q19, Q20, Q28, Q30. Each test fails on
 * what the reference does, which a comment in it states. Q10, Q11 and Q27 are among the tests of the planner's parts.
 */
import { describe, expect, it } from '@jest/globals';
import { plan } from '../../src/placement/planner.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { byName, flush, makeWorld, scoresOf, verdictOf } from '../scheduler/support/scheduler-world.ts';
import { cardsOf } from '../state/support/device-states.ts';
import { makePodRequest } from '../support/requests.ts';
import { type CardFields, makeView } from '../support/views.ts';

const a100 = 'NVIDIA A100-SXM4-40GB';

/** Ids of the cards that the only container gets, or the refusal's code. */
function cardsFor(
  devices: readonly CardFields[],
  fields: { policy: string; count?: number; memoryMiB?: number; memoryPercent?: number; numaBound?: boolean },
): unknown {
  const { policy, numaBound = false, ...container } = fields;
  const request = makePodRequest({ containers: [container], selectors: { NVIDIA: { numaBound } } });
  const verdict = plan(makeView({ devices }), request, {
    nodePolicy: 'binpack',
    devicePolicy: parseDevicePolicy(policy),
  });
  return verdict.ok ? verdict.allocation.flat().map(({ deviceId }) => deviceId) : verdict.refusal.code;
}

describe('two pods at once', () => {
  it('Q5: do not get the same room, though filter has offered it to both', async () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    const gpu = { count: 1, memoryMiB: 5000 };
    const pods = ['first', 'second'].map((name) => world.pod({ name, gpu }));
    for (const pod of pods) {
      expect(world.scheduler.filter(byName(pod, 'n1'))).toMatchObject({ feasible: ['n1'] });
    }
    const [first, second] = pods.map((pod) => world.bind(pod));
    await flush();
    // The reference binds what filter has reserved without another look: 10000 of 8192 MiB.
    expect(await second).toMatchObject({ ok: false, code: 'NoFit' });
    expect(world.writer.begun).toEqual(['first → n1']);
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '1/5000/0' });
    world.writer.write().answer({ kind: 'bound' });
    expect(await first).toMatchObject({ ok: true });
  });
});

describe('filter and prioritize', () => {
  const nodes = [
    { name: 'n1', devices: [{}] },
    { name: 'n2', devices: [{}] },
    { name: 'n3', devices: [{}] },
  ];

  it('Q19: leave the choice among all nodes that fit to kube-scheduler, with one best', () => {
    const world = makeWorld({ nodes });
    const pod = world.pod();
    // The reference answers one node, and affinity, spread and volumes have no say.
    expect(verdictOf(world.scheduler.filter(byName(pod, 'n1', 'n2', 'n3')))).toEqual({
      feasible: ['n1', 'n2', 'n3'],
      refused: {},
    });
    const ranked = world.scheduler.prioritize(byName(pod, 'n1', 'n2', 'n3'));
    expect(scoresOf(ranked.priorities)).toEqual({ n1: 10, n2: 9, n3: 9 });
  });

  it('Q20: rank nodes with the pod on them', () => {
    const world = makeWorld({
      nodes: [
        { name: 'large', devices: [{ memoryMiB: 80_000 }] },
        { name: 'small', devices: [{ memoryMiB: 8000 }] },
      ],
    });
    const pod = world.pod({ gpu: { count: 1, memoryMiB: 4000 } });
    // The reference gives both 0, since both are empty, and takes either by chance.
    expect(scoresOf(world.scheduler.prioritize(byName(pod, 'large', 'small')).priorities)).toMatchObject({
      small: 10,
    });
  });

  it('Q20: choose among equal nodes by name, whatever order they are named in', () => {
    const best = [
      ['n1', 'n2', 'n3'],
      ['n3', 'n1', 'n2'],
      ['n2', 'n3', 'n1'],
    ].map((names) => {
      const world = makeWorld({ nodes: [...nodes].reverse() });
      const { priorities } = world.scheduler.prioritize(byName(world.pod(), ...names));
      return priorities.find(({ Score }) => Score === 10)?.Host;
    });
    // The reference's order of equals is that in which its workers end.
    expect(best).toEqual(['n1', 'n1', 'n1']);
  });
});

describe('the choice of cards', () => {
  it.each([
    // The reference knows cards by their model's name here, counts nothing of the request, sees two empty cards and
    // takes the one with the higher index.
    { policy: 'binpack', devices: [{ memoryMiB: 8000 }, { memoryMiB: 80_000 }] },
    { policy: 'spread', devices: [{ memoryMiB: 80_000 }, { memoryMiB: 8000 }] },
  ])('Q20: judges a card with the request on it, under $policy', ({ policy, devices }) => {
    const cards = devices.map((device) => ({ ...device, type: a100 }));
    expect(cardsFor(cards, { policy, memoryMiB: 4000 })).toEqual(['gpu-0']);
  });

  const pair = (numa: number, indexes: readonly [number, number], points: number): CardFields[] =>
    indexes.map((index, place) => ({
      index,
      id: `gpu-${index}`,
      numa,
      linkScores: new Map([[`gpu-${indexes[1 - place] ?? 0}`, points]]),
    }));

  it.each([
    {
      // The reference keeps the group it visits last, which is that of NUMA node 0: gpu-0 and gpu-1.
      name: 'takes the best linked of all',
      devices: [...pair(0, [0, 1], 100), ...pair(1, [2, 3], 300)],
    },
    {
      // The reference has forgotten the full group when it comes to the one that has too few: no fit at all.
      name: 'takes the one that has enough cards',
      devices: [
        ...pair(0, [0, 1], 100).map((card, place) => ({ ...card, healthy: place === 0 })),
        ...pair(1, [2, 3], 0),
      ],
    },
  ])('Q28: looks at every NUMA node for linked cards and $name', ({ devices }) => {
    const picked = cardsFor(devices, { policy: 'topology-aware', numaBound: true, count: 2, memoryMiB: 100 });
    expect([picked].flat().sort()).toEqual(['gpu-2', 'gpu-3']);
  });

  it.each([
    // In 32 bits the product 30000000 × 100 is negative, and the reference gives the card away for nothing.
    { name: 'does not overflow', memoryMiB: 30_000_000, memoryPercent: 100, want: 30_000_000 },
    { name: 'rounds down', memoryMiB: 8192, memoryPercent: 33, want: 2703 },
  ])('Q30: a percentage of memory $name', ({ memoryMiB, memoryPercent, want }) => {
    const request = makePodRequest({ containers: [{ memoryPercent }] });
    const rules = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') } as const;
    const verdict = plan(makeView({ devices: [{ memoryMiB }] }), request, rules);
    expect(verdict).toMatchObject({ ok: true, allocation: [[{ memoryMiB: want }]] });
  });
});
