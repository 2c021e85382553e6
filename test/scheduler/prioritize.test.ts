import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PolicyDefaults } from '../../src/placement/planner.ts';
import type { Moment } from '../../src/placement/scoring.ts';
import { Assumptions } from '../../src/scheduler/assumptions.ts';
import { prioritize, type PrioritizeDeps } from '../../src/scheduler/prioritize.ts';
import { Requests } from '../../src/scheduler/requests.ts';
import { Verdicts } from '../../src/placement/verdicts.ts';
import type { NodeFields } from '../support/kubernetes-objects.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { gpuPod, makeState, nvidiaVendors, podObject } from '../state/support/device-states.ts';
import {
  binpackBinpack,
  byName,
  byObject,
  flush,
  makeWorld,
  scoresOf,
  type World,
} from './support/scheduler-world.ts';
import { boundOutcome } from './support/scripted-writer.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';

const gpu = { count: 1, memoryMiB: 4096 };
const pod = gpuPod({ gpu });
const spread: PolicyDefaults = { nodePolicy: 'spread', devicePolicy: parseDevicePolicy('binpack') };

/** One-card nodes `n1`…, of which so many MiB are in use by one pod each. */
function worldUsing(memoryMiB: readonly number[], policies: PolicyDefaults = binpackBinpack): World {
  const nodes = memoryMiB.map((_, index) => ({ name: `n${index + 1}`, devices: [{}] }));
  const world = makeWorld({ policies, nodes });
  for (const [index, used] of memoryMiB.entries()) {
    const nodeName = `n${index + 1}`;
    if (used > 0) world.pod({ name: `on-${nodeName}`, nodeName, allocated: `gpu-0,NVIDIA,${used},0:;` });
  }
  return world;
}

const rank = (world: World, who = pod, names = [...world.state.nodeNames()]) =>
  scoresOf(world.scheduler.prioritize(byName(who, ...names)).priorities);

describe('prioritize', () => {
  it('gives 10 to the fullest node that fits, less by value to the others, and 0 to those that do not', () => {
    // Fullness with the pod: n1 (1/10 + 0 + 4096/8192)/3 = 20 %, n2 (2/10 + 0 + 6096/8192)/3 ≈ 31 %.
    expect(rank(worldUsing([0, 2000, 5000]))).toEqual({ n1: 6, n2: 10, n3: 0 });
  });

  it('turns round when nodes are to be spread', () => {
    // Emptiness with the pod: n1 80 %, n2 69 %.
    expect(rank(worldUsing([0, 2000, 5000], spread))).toEqual({ n1: 10, n2: 8, n3: 0 });
  });

  it.each([
    { annotation: 'spread', wantWinner: 'n1' },
    { annotation: 'binpack', wantWinner: 'n2' },
    { annotation: 'nonsense', wantWinner: 'n2' },
  ])("lets the pod's annotation $annotation overrule the configuration", ({ annotation, wantWinner }) => {
    const annotated = gpuPod({ gpu, annotations: { 'hami.io/node-scheduler-policy': annotation } });
    expect(rank(worldUsing([0, 2000], spread), annotated)[wantWinner]).toBe(10);
  });

  it('gives 10 to one of equals, the first by name, and 9 to the rest', () => {
    expect(rank(worldUsing([0, 0, 0]), pod, ['n3', 'n2', 'n1'])).toEqual({ n1: 10, n2: 9, n3: 9 });
  });

  it('gives 0 to nodes it does not know', () => {
    expect(rank(worldUsing([0]), pod, ['n1', 'n9'])).toEqual({ n1: 10, n9: 0 });
  });

  it('answers in the order asked', () => {
    const { priorities } = worldUsing([0, 0]).scheduler.prioritize(byName(pod, 'n2', 'n9', 'n1'));
    expect(priorities.map(({ Host }) => Host)).toEqual(['n2', 'n9', 'n1']);
  });

  const equal = [
    { name: 'a pod without devices', who: podObject() },
    { name: 'a request that cannot be read', who: gpuPod({ gpu: { count: 1, memoryMiB: '16Gi' } }) },
    { name: 'a pod that fits nowhere', who: gpuPod({ gpu: { count: 3 } }) },
  ];
  it.each(equal)('is indifferent to $name', ({ who }) => {
    const answer = worldUsing([0, 2000]).scheduler.prioritize(byName(who, 'n1', 'n2'));
    expect(answer).toEqual({
      kind: 'ranked',
      priorities: [
        { Host: 'n1', Score: 0 },
        { Host: 'n2', Score: 0 },
      ],
    });
  });

  it('is indifferent, and says why, while the state is not complete', () => {
    const world = makeWorld({
      state: new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' }),
    });
    const answer = world.scheduler.prioritize(byName(pod, 'n1'));
    expect(answer).toMatchObject({ kind: 'failed', priorities: [{ Host: 'n1', Score: 0 }] });
  });

  it('ranks node objects that the cache does not know by their own annotations', () => {
    const world = worldUsing([0]);
    const { priorities } = world.scheduler.prioritize(
      byObject(pod, { name: 'n1', devices: [{}] }, { name: 'new', devices: [{ memoryMiB: 4096, slots: 1 }] }),
    );
    expect(scoresOf(priorities)).toEqual({ n1: 3, new: 10 });
  });

  it('changes nothing in the state and asked again says the same', () => {
    const world = worldUsing([0, 2000]);
    const generation = world.state.view('n2')?.generation;
    const first = rank(world);
    expect(rank(world)).toEqual(first);
    expect(world.state.view('n2')?.generation).toBe(generation);
  });
});

/** Judges a node by a number that a test gives it. */
function scoringBy(values: Readonly<Record<string, number>>) {
  return { rateShare: () => 0, rateNode: ({ view }: Moment) => values[view.name] ?? 0 };
}

describe('where a scoring judges', () => {
  const fragmentation: PolicyDefaults = { ...binpackBinpack, nodePolicy: 'fragmentation' };

  function rankBy(values: Readonly<Record<string, number>>, policies = fragmentation, who = pod) {
    const nodes = Object.keys(values).map((name) => ({ name, devices: [{}] }));
    const world = makeWorld({ policies, nodes, scoring: () => scoringBy(values) });
    return rank(world, who);
  }

  it.each([
    {
      name: 'the rest by how far they fall behind',
      values: { a: 51, b: 45, c: 48 },
      want: { a: 10, b: 0, c: 5 },
    },
    { name: '9 to one as good as the best', values: { a: 40, b: 51, c: 51 }, want: { a: 0, b: 10, c: 9 } },
    { name: 'no more than it is to a small difference', values: { a: 50, b: 49.5 }, want: { a: 10, b: 7 } },
    { name: '10 to a single node', values: { a: 12 }, want: { a: 10 } },
    { name: '10 to one where all are worthless', values: { a: 0, b: 0 }, want: { a: 10, b: 9 } },
  ])('gives 10 to one node and $name', ({ values, want }) => {
    expect(rankBy(values)).toEqual(want);
  });

  it.each([
    { name: 'a pod says so', policies: binpackBinpack, annotation: 'fragmentation', want: { a: 0, b: 10 } },
    {
      name: 'and not where a pod says otherwise',
      policies: fragmentation,
      annotation: 'spread',
      want: { a: 10, b: 9 },
    },
    {
      name: 'and not where nobody says so',
      policies: binpackBinpack,
      annotation: undefined,
      want: { a: 10, b: 9 },
    },
  ])('it is asked where $name', ({ policies, annotation, want }) => {
    const annotations = annotation === undefined ? {} : { 'hami.io/node-scheduler-policy': annotation };
    expect(rankBy({ a: 10, b: 90 }, policies, gpuPod({ gpu, annotations }))).toEqual(want);
  });

  it('is made for nobody who does not ask for it', () => {
    const scoring = () => {
      throw new Error('made');
    };
    const world = makeWorld({ nodes: [{ devices: [{}] }], scoring });
    expect(rank(world)).toEqual({ n1: 10 });
    expect(() =>
      rank(
        world,
        gpuPod({ name: 'other', annotations: { 'hami.io/node-scheduler-policy': 'fragmentation' } }),
      ),
    ).toThrow('made');
  });

  it('another one judges anew what was judged before', () => {
    let best = 'a';
    const scorings = new Map(['a', 'b'].map((name) => [name, scoringBy({ [name]: 90 })]));
    const nodes = ['a', 'b'].map((name) => ({ name, devices: [{}] }));
    const world = makeWorld({ policies: fragmentation, nodes, scoring: () => scorings.get(best)! });
    expect(rank(world)).toEqual({ a: 10, b: 0 });
    best = 'b';
    expect(rank(world)).toEqual({ a: 0, b: 10 });
  });

  it('of any values, one node has 10, others no more than 9, and better ones no less', () => {
    const value = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (list) => {
        const values = Object.fromEntries(list.map((one, index) => [`n${index}`, one]));
        const scores = Object.entries(rankBy(values)).sort(([a], [b]) => (values[b] ?? 0) - (values[a] ?? 0));
        const wire = scores.map(([, score]) => score);
        expect(wire.filter((score) => score === 10)).toHaveLength(1);
        expect(wire.every((score) => Number.isInteger(score) && score >= 0)).toBe(true);
        const rest = wire.filter((score) => score !== 10);
        expect(rest).toEqual([...rest].sort((a, b) => b - a));
      }),
      { numRuns: 100 },
    );
  });
});

describe("prioritize's own deadline", () => {
  it('makes all nodes equal rather than answer late', () => {
    let nowMs = 0;
    const clock = { nowMs: () => (nowMs += 600), after: () => () => undefined };
    const deps: PrioritizeDeps = {
      state: makeState({ nodes: [{ devices: [{}] }] }),
      requests: new Requests(nvidiaVendors),
      verdicts: new Verdicts(),
      assumptions: new Assumptions(clock),
      policies: binpackBinpack,
      clock,
      prioritizeDeadlineMs: 1000,
      expectedWaitMs: () => 0,
    };
    expect(prioritize(byName(pod, 'n1'), deps)).toMatchObject({ kind: 'ranked' });
    const names = Array.from({ length: 130 }, (_, index) => `n${index}`);
    const late = prioritize(byName(pod, ...names), deps);
    expect(late).toMatchObject({ kind: 'failed', message: 'no ranking within 1000 ms' });
    expect(new Set(late.priorities.map(({ Score }) => Score))).toEqual(new Set([0]));
    expect(late.priorities).toHaveLength(130);
  });
});

describe('a node with a queue', () => {
  const ranksWith = (waitsMs: Readonly<Record<string, number>>): Record<string, number> => {
    const { state, clock } = worldUsing([0, 2000, 3000]);
    const answer = prioritize(byName(pod, 'n1', 'n2', 'n3'), {
      state,
      clock,
      requests: new Requests(nvidiaVendors),
      verdicts: new Verdicts(),
      assumptions: new Assumptions(clock),
      policies: binpackBinpack,
      prioritizeDeadlineMs: 1000,
      expectedWaitMs: (node) => waitsMs[node] ?? 0,
    });
    return scoresOf(answer.priorities);
  };

  it.each([
    { name: 'wins all the same while the wait is short', waitsMs: { n3: 999 }, wantWinner: 'n3' },
    { name: 'comes after every node that is free sooner', waitsMs: { n3: 1000 }, wantWinner: 'n2' },
    { name: 'and so for each second more', waitsMs: { n3: 3000, n2: 2000, n1: 1500 }, wantWinner: 'n1' },
    {
      name: 'is as good as others that wait as long',
      waitsMs: { n3: 2500, n2: 2000, n1: 2100 },
      wantWinner: 'n3',
    },
  ])('$name', ({ waitsMs, wantWinner }) => {
    const scores = ranksWith(waitsMs);
    expect(Object.keys(scores).filter((name) => scores[name] === 10)).toEqual([wantWinner]);
  });

  it('gets nothing beside a winner that is free sooner', () => {
    expect(ranksWith({ n3: 1000 })).toMatchObject({ n2: 10, n3: 0 });
  });
});

describe('nodes where other pods are expected', () => {
  const large = (name: string) => gpuPod({ name, gpu: { count: 1, memoryMiB: 6000 } });

  it('rank at 0 if the pod fits only should the others not come', () => {
    const world = worldUsing([1000, 0]);
    expect(rank(world, large('a'))).toEqual({ n1: 10, n2: 7 });
    expect(rank(world, large('b'))).toEqual({ n1: 0, n2: 10 });
  });

  it('win when there is no other, so that nothing is refused', () => {
    const world = worldUsing([0]);
    expect(rank(world, large('a'))).toEqual({ n1: 10 });
    expect(rank(world, large('b'))).toEqual({ n1: 10 });
  });

  it('are expected for two seconds', () => {
    const world = worldUsing([1000, 0]);
    rank(world, large('a'));
    world.clock.advance(2000);
    expect(rank(world, large('b'))).toEqual({ n1: 10, n2: 7 });
  });

  it('count as already filled, which draws others there when packing', () => {
    const world = worldUsing([0, 0]);
    expect(rank(world, gpuPod({ name: 'a', gpu: { count: 1, memoryMiB: 1000 } }), ['n2'])).toEqual({
      n2: 10,
    });
    expect(rank(world, gpuPod({ name: 'b', gpu: { count: 1, memoryMiB: 1000 } }))['n2']).toBe(10);
  });
});

describe('nodes with a queue of binds', () => {
  it('lose to nodes that are free once the queue takes more than a second', async () => {
    const world = worldUsing([2000, 0]);
    const fillers = ['a', 'b', 'c'].map((name) => world.pod({ name, gpu: { count: 1, memoryMiB: 1 } }));
    void world.bind(fillers[0]!);
    await flush();
    world.clock.advance(700);
    world.writer.write(0).answer(boundOutcome);
    await flush();
    void world.bind(fillers[1]!);
    await flush();
    expect(rank(world)['n1']).toBe(10);
    void world.bind(fillers[2]!);
    await flush();
    expect(rank(world)).toEqual({ n1: 0, n2: 10 });
  });
});

describe('the scores of any cluster', () => {
  const nodeUse = fc.record({
    memoryMiB: fc.constantFrom(0, 0, 1000, 4096, 4097, 8192),
    cards: fc.integer({ min: 0, max: 2 }),
  });

  it('are integers 0..10 with one 10 at most, which no order of the names moves', () => {
    fc.assert(
      fc.property(fc.array(nodeUse, { minLength: 1, maxLength: 12 }), fc.boolean(), (uses, spreads) => {
        const nodes: NodeFields[] = uses.map(({ cards }, index) => ({
          name: `n${index}`,
          devices: Array.from({ length: cards }, () => ({})),
        }));
        const answer = (names: readonly string[]) => {
          const world = makeWorld({ nodes, policies: spreads ? spread : binpackBinpack });
          for (const [index, { memoryMiB }] of uses.entries()) {
            const nodeName = `n${index}`;
            if (memoryMiB > 0)
              world.pod({ name: `on-${nodeName}`, nodeName, allocated: `gpu-0,NVIDIA,${memoryMiB},0:;` });
          }
          const verdict = world.scheduler.filter(byName(pod, ...names));
          return {
            feasible: verdict.kind === 'answered' ? verdict.feasible : [],
            scores: scoresOf(world.scheduler.prioritize(byName(pod, ...names)).priorities),
          };
        };
        const names = nodes.map(({ name = '' }) => name);
        const { feasible, scores } = answer(names);
        expect(answer(names.toReversed()).scores).toEqual(scores);
        const values = Object.values(scores);
        expect(values.every((value) => Number.isInteger(value) && value >= 0 && value <= 10)).toBe(true);
        expect(values.filter((value) => value === 10)).toHaveLength(feasible.length > 0 ? 1 : 0);
        for (const [name, score] of Object.entries(scores)) {
          if (!feasible.includes(name)) expect(score).toBe(0);
        }
      }),
      { numRuns: 200 },
    );
  });
});
