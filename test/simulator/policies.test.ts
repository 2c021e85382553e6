/**
 * Scores and cards of the published policies on nodes small enough to reckon by hand. Cards here have 1000 MiB, so that
 * a share of so many thousandths is as many MiB and a tenth as many percent.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Allocation } from '../../src/model/allocation.ts';
import type { NodeView } from '../../src/model/node-view.ts';
import type { PodRequest } from '../../src/model/request.ts';
import { isCut } from '../../src/model/mig.ts';
import { plan } from '../../src/placement/planner.ts';
import { freeBefore } from '../../src/simulator/policies/free-milli.ts';
import { makePolicy } from '../../src/simulator/policies/policies.ts';
import { targetWorkload } from '../../src/simulator/policies/target-workload.ts';
import { type PolicyContext, type PolicyName, policyNames } from '../../src/simulator/policy.ts';
import { seededRandom } from '../../src/simulator/seeded-random.ts';
import { SimulatedCluster } from '../../src/simulator/simulated-cluster.ts';
import type { WeightedRequest } from '../../src/simulator/simulated-pod.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { arbitraryRequest, arbitraryView } from '../support/arbitrary-clusters.ts';
import { makePodRequest, makeSelector } from '../support/requests.ts';
import { type CardFields, makeView } from '../support/views.ts';

interface Task {
  /** Thousandths of each card. */
  readonly milli?: number;
  readonly cards?: number;
  readonly cpu?: number;
  readonly types?: readonly string[];
}

function pod({ milli = 0, cards = milli > 0 ? 1 : 0, cpu = 0, types = [] }: Task): PodRequest {
  const share = { count: cards, memoryMiB: milli, corePercent: milli / 10 };
  return makePodRequest({
    containers: [{ devices: cards === 0 ? [] : [share] }],
    selectors: types.length === 0 ? {} : { NVIDIA: makeSelector({ useTypes: types }) },
    host: { cpuMilli: cpu, memoryMiB: 0, pods: 1 },
  });
}

/** A node by what is free of its cards. */
function node(free: readonly number[], cpu = 64_000, name = 'n1'): NodeView {
  const devices = free.map((milli): CardFields => ({
    memoryMiB: 1000,
    slots: 100,
    used: { slots: milli < 1000 ? 1 : 0, memoryMiB: 1000 - milli, corePercent: 100 - milli / 10 },
  }));
  return makeView({ name, devices, hostFree: { cpuMilli: cpu, memoryMiB: 262_144, pods: 110 } });
}

function contextOf(fields: Partial<PolicyContext> = {}): PolicyContext {
  const defaults = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') } as const;
  return { views: [], mix: [], defaults, random: () => 0.5, ...fields };
}

/** The score, and the positions of the cards that are given. */
function planned(
  policy: PolicyName,
  view: NodeView,
  request: PodRequest,
  mix: readonly WeightedRequest[] = [],
) {
  const answer = plan(view, request, makePolicy(policy, contextOf({ views: [view], mix })).rules);
  return answer.ok ? { score: answer.score, cards: cardsOf(answer.allocation) } : answer.refusal.code;
}

function cardsOf(allocation: Allocation): readonly number[] {
  return allocation.flat().map(({ deviceId }) => Number(deviceId.split('-').at(-1)));
}

/** Of four pods three ask for half a card and four cores, one for a card and eight. */
const halves: readonly WeightedRequest[] = [
  { request: pod({ milli: 500, cpu: 4000 }), count: 3 },
  { request: pod({ milli: 1000, cpu: 8000 }), count: 1 },
];

describe('the target workload', () => {
  const popular = (mix: readonly WeightedRequest[]) =>
    targetWorkload(mix).map(({ corePercent, cpuMilli, count, weight }) => [
      corePercent,
      cpuMilli,
      count,
      weight,
    ]);

  it('is the most frequent classes until 95 % of the pods are covered', () => {
    const mix = [
      { request: pod({ milli: 100 }), count: 1 },
      { request: pod({ milli: 200 }), count: 94 },
      { request: pod({ milli: 300 }), count: 5 },
    ];
    expect(popular(mix)).toEqual([
      [20, 0, 1, 94 / 100 / (99 / 100)],
      [30, 0, 1, 5 / 100 / (99 / 100)],
    ]);
  });

  it('takes of equally frequent classes the larger CPU, the larger share, the more cards, then the later types', () => {
    const sorted = [
      pod({ milli: 100, cpu: 2000 }),
      pod({ milli: 1000, cards: 2 }),
      pod({ milli: 1000, types: ['t4'] }),
      pod({ milli: 1000, types: ['p100'] }),
      pod({ milli: 500 }),
    ];
    const mix = [...sorted].reverse().map((request) => ({ request, count: 1 }));
    const wanted = sorted.map(({ selectors }) => selectors.get('NVIDIA')?.useTypes[0]);
    expect(targetWorkload(mix).map(({ selector }) => selector?.useTypes[0])).toEqual(wanted);
    expect(popular(mix).map(([corePercent, , count]) => [corePercent, count])).toEqual([
      [10, 1],
      [100, 2],
      [100, 1],
      [100, 1],
      [50, 1],
    ]);
  });

  it('tells apart types that are written differently and counts pods that differ by host memory alone together', () => {
    const written = (types: readonly string[]) => ({ request: pod({ milli: 500, types }), count: 1 });
    expect(targetWorkload([written(['t4']), written(['t4', 't4'])])).toHaveLength(2);
    const request = pod({ milli: 500 });
    const other = { ...request, host: { ...request.host, memoryMiB: 5 } };
    expect(
      targetWorkload([
        { request, count: 1 },
        { request: other, count: 1 },
      ]),
    ).toHaveLength(1);
  });

  it('of nothing is nothing', () => {
    expect(targetWorkload([])).toEqual([]);
  });
});

describe('fgd', () => {
  const cases = [
    {
      // 0 before; then the whole-card pod lacks a card, so its quarter of the idle 500 is lost: 100 σ(-0.125).
      name: 'breaking the only idle card costs',
      free: [1000],
      cpu: 8000,
      task: { milli: 500, cpu: 4000 },
      want: { score: 46, cards: [0] },
    },
    {
      // Before, 500 are lost to the whole-card pod (125); then nothing is: 100 σ(0.125). On the other card: 100 σ(-0.125).
      name: 'filling a card that whole-card pods cannot use gains',
      free: [500, 1000],
      cpu: 64_000,
      task: { milli: 500, cpu: 4000 },
      want: { score: 53, cards: [0] },
    },
    {
      // 347.5 before; 372.5 after on the first card, 365 on the second: 49.4 and 49.6 are both 49.
      name: 'cards of equal whole scores go by index though the second is a little better',
      free: [700, 690],
      cpu: 64_000,
      task: { milli: 500, cpu: 4000 },
      want: { score: 49, cards: [0] },
    },
    {
      // Nothing is lost before, everything after, for 2000 is too little CPU for any: 100 σ(-1).
      name: 'a pod without a card strands the cards of a node whose CPU it takes',
      free: [1000],
      cpu: 8000,
      task: { cpu: 6000 },
      want: { score: 26, cards: [] },
    },
    {
      // Nothing is lost before or after: 100 σ(0).
      name: 'whole cards go by index and cost nothing that others could not use anyway',
      free: [1000, 1000, 1000],
      cpu: 64_000,
      task: { milli: 1000, cards: 2, cpu: 8000 },
      want: { score: 50, cards: [0, 1] },
    },
  ];
  it.each(cases)('$name', ({ free, cpu, task, want }) => {
    expect(planned('fgd', node(free, cpu), pod(task), halves)).toEqual(want);
  });

  it('holds every idle card lost to pods that ask for none or for another type', () => {
    const mix = [
      { request: pod({ cpu: 1000 }), count: 1 },
      { request: pod({ milli: 500, types: ['h200'] }), count: 1 },
    ];
    // 1000 before, 500 after: 100 σ(0.5).
    expect(planned('fgd', node([1000]), pod({ milli: 500 }), mix)).toEqual({ score: 62, cards: [0] });
  });
});

describe('the other published policies', () => {
  const cases: readonly {
    readonly name: string;
    readonly policy: PolicyName;
    readonly free: readonly number[];
    readonly task: Task;
    readonly want: { readonly score: number; readonly cards: readonly number[] };
  }[] = [
    {
      // 100 (1 - ½ (60/128 + 1000/8000)) = 70.3
      name: 'bestfit wants little left and takes the tightest card',
      policy: 'bestfit',
      free: [1000, 500],
      task: { milli: 500, cpu: 4000 },
      want: { score: 70, cards: [1] },
    },
    {
      // 100 (1 - ½ (64/128 · 4/128 + 1500/8000 · 500/8000)) = 98.6
      name: 'dotprod wants a small product of what is free and what is asked',
      policy: 'dotprod',
      free: [1000, 500],
      task: { milli: 500, cpu: 4000 },
      want: { score: 98, cards: [1] },
    },
    {
      // 100 (1 - ½ (64/128 · 64/128)) = 87.5
      name: 'dotprod multiplies the CPU alone for a pod without a card',
      policy: 'dotprod',
      free: [1000],
      task: { cpu: 64_000 },
      want: { score: 87, cards: [] },
    },
    {
      name: 'gpupacking takes idle nodes last, those of few cards first',
      policy: 'gpupacking',
      free: [1000, 1000],
      task: { milli: 500 },
      want: { score: 31, cards: [0] },
    },
    {
      name: 'gpupacking takes idle cards of nodes in use before that',
      policy: 'gpupacking',
      free: [500, 1000],
      task: { milli: 1000 },
      want: { score: 49, cards: [1] },
    },
    {
      name: 'gpupacking counts the idle cards that it begins',
      policy: 'gpupacking',
      free: [500, 1000, 1000, 1000],
      task: { milli: 1000, cards: 2 },
      want: { score: 48, cards: [1, 2] },
    },
    {
      // 100 - ⌊75/10⌋
      name: 'gpupacking takes cards in use first, full ones before others',
      policy: 'gpupacking',
      free: [1000, 750],
      task: { milli: 500 },
      want: { score: 93, cards: [1] },
    },
    {
      name: 'gpupacking has nothing to say of a pod without a card',
      policy: 'gpupacking',
      free: [500],
      task: { cpu: 1000 },
      want: { score: 0, cards: [] },
    },
    {
      // ⌊25 (8000 - 1500)/8000⌋ + 25
      name: 'gpuclustering likes full nodes, and nodes without pods a little',
      policy: 'gpuclustering',
      free: [1000, 500],
      task: { milli: 500 },
      want: { score: 45, cards: [1] },
    },
    {
      name: 'gpuclustering has nothing to say of a pod without a card',
      policy: 'gpuclustering',
      free: [500],
      task: { cpu: 1000 },
      want: { score: 0, cards: [] },
    },
  ];
  it.each(cases)('$name', ({ policy, free, task, want }) => {
    expect(planned(policy, node(free), pod(task))).toEqual(want);
  });

  it('are compared by the highest score, and nodes of random are drawn', () => {
    const drawn = policyNames.filter((name) => makePolicy(name, contextOf()).choice === 'any');
    expect(drawn).toEqual(['random']);
  });

  it('random takes any card that fits', () => {
    const given = new Set<number>();
    const { rules } = makePolicy('random', contextOf({ random: seededRandom(1) }));
    for (let round = 0; round < 50; round += 1) {
      const answer = plan(node([600, 400, 700]), pod({ milli: 500 }), rules);
      if (answer.ok) given.add(cardsOf(answer.allocation)[0]!);
    }
    expect([...given].sort()).toEqual([0, 2]);
  });
});

describe('gpuclustering and the pods that are there', () => {
  /** Pods come in order; the word `leave` takes the first of them away again. */
  const cases: readonly { name: string; before: readonly (Task | 'leave')[]; want: number }[] = [
    { name: 'pods of the kind alone', before: [{ milli: 300 }], want: 75 },
    { name: 'only pods of another kind', before: [{ milli: 1000 }], want: 0 },
    { name: 'pods of this kind and others', before: [{ milli: 300 }, { milli: 1000, cards: 2 }], want: 50 },
    {
      name: 'one- and two-card pods are two kinds',
      before: [{ milli: 1000 }, { milli: 1000, cards: 2 }],
      want: 0,
    },
    { name: 'pods without a card do not count', before: [{ cpu: 1000 }], want: 25 },
    {
      name: 'a pod that has left is forgotten',
      before: [{ milli: 1000 }, { milli: 300 }, 'leave'],
      want: 75,
    },
  ];
  it.each(cases)('$name', ({ before, want }) => {
    const { rules, observer } = makePolicy('gpuclustering', contextOf());
    const cluster = new SimulatedCluster(
      [node([1000, 1000, 1000, 1000]), node([1000], 64_000, 'n2')],
      observer,
    );
    for (const [index, task] of before.entries()) {
      if (task === 'leave') {
        cluster.release('0');
        continue;
      }
      const request = { ...pod(task), podUid: `${index}` };
      const answer = plan(cluster.views[0]!, request, rules);
      if (!answer.ok) throw new Error(answer.refusal.code);
      cluster.place({ request, node: 0, allocation: answer.allocation });
    }
    const scoreOn = (at: number) => {
      const answer = plan(cluster.views[at]!, pod({ milli: 300 }), rules);
      return answer.ok ? answer.score : NaN;
    };
    const idle = freeBefore(cluster.views[0]!).reduce((sum, milli) => sum + milli, 0);
    expect(scoreOn(0)).toBe(Math.floor((25 * (8000 - idle)) / 8000) + want);
    expect(scoreOn(1)).toBe(Math.floor((25 * 7000) / 8000) + 25);
  });
});

describe('what is free of a card', () => {
  const cases: readonly { name: string; card: CardFields; want: number }[] = [
    { name: 'an idle one is all free', card: {}, want: 1000 },
    {
      name: 'the larger part of memory and compute counts',
      card: { used: { slots: 1, memoryMiB: 4096, corePercent: 30 } },
      want: 500,
    },
    { name: 'compute may be it', card: { used: { slots: 1, memoryMiB: 1, corePercent: 30 } }, want: 700 },
    { name: 'what is used is rounded up', card: { used: { slots: 1, memoryMiB: 1 } }, want: 999 },
    { name: 'nothing without a slot', card: { slots: 2, used: { slots: 2 } }, want: 0 },
    { name: 'nothing of a sick one', card: { healthy: false }, want: 0 },
    { name: 'nothing of one set aside', card: { withheld: true }, want: 0 },
    { name: 'nothing of one kept free', card: { cordoned: true }, want: 0 },
    { name: 'never less than nothing', card: { used: { slots: 1, memoryMiB: 9000 } }, want: 0 },
    {
      name: 'a card that counts no compute goes by memory',
      card: { corePercent: 0, used: { slots: 1, memoryMiB: 2048 } },
      want: 750,
    },
    {
      name: 'compute in other units is a part of them',
      card: { corePercent: 8, used: { slots: 1, corePercent: 2 } },
      want: 750,
    },
  ];
  it.each(cases)('$name', ({ card, want }) => {
    expect(freeBefore(makeView({ devices: [card] }))).toEqual([want]);
  });
});

describe('every policy', () => {
  it('places what the planner places anyway, with a score that is a number, on cards of any kind', () => {
    fc.assert(
      fc.property(
        arbitraryView.filter(({ devices }) => !devices.some(({ device }) => isCut(device))),
        fc.array(arbitraryRequest(), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...policyNames),
        fc.integer(),
        (view, requests, name, seed) => {
          const mix = requests.map((request) => ({ request, count: 1 }));
          const context = contextOf({ views: [view], mix, random: seededRandom(seed) });
          const { rules } = makePolicy(name, context);
          for (const request of requests) {
            const answer = plan(view, request, rules);
            if (answer.ok) expect(Number.isFinite(answer.score)).toBe(true);
            // Which card one container gets may decide whether there is one for the next.
            if (request.containers.flatMap(({ devices }) => devices).length > 1) continue;
            const plain = plan(view, request, context.defaults);
            expect(answer.ok ? 'placed' : answer).toEqual(plain.ok ? 'placed' : plain);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
