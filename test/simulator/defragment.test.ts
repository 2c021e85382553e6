/**
 * Defragmentation plans: small clusters worked out by hand, and on random ones every plan is carried out by a model of
 * its own and compared with what trying all sequences of moves finds.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Allocation } from '../../src/model/allocation.ts';
import type { NodeView } from '../../src/model/node-view.ts';
import type { NamespaceQuota } from '../../src/model/quota.ts';
import type { PodRequest } from '../../src/model/request.ts';
import { plan } from '../../src/placement/planner.ts';
import { shapeOf } from '../../src/placement/verdicts.ts';
import {
  allowsDefragmentation,
  type DefragmentPlan,
  type DefragmentQuestion,
  planDefragmentation,
} from '../../src/simulator/defragment.ts';
import type { SimulatedPod } from '../../src/simulator/simulated-pod.ts';
import type { DeviceState } from '../../src/state/device-state.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { gpuPod, makeState } from '../state/support/device-states.ts';
import { makePodRequest } from '../support/requests.ts';
import { countResource, makeView } from '../support/views.ts';

const policies = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') } as const;

/** MiB of one percent of a card. */
const percentMiB = 80;
const cardMiB = 100 * percentMiB;

interface PodOnCard {
  readonly name: string;
  /** `node/card`. */
  readonly at: string;
  readonly percent: number;
  readonly namespace?: string;
}

interface Cluster {
  /** How many cards each node has. */
  readonly nodes: Readonly<Record<string, number>>;
  readonly pods: readonly PodOnCard[];
}

function stateOf({ nodes, pods }: Cluster, cpu = '64'): DeviceState {
  const state = makeState({
    nodes: Object.entries(nodes).map(([name, cards]) => ({
      name,
      devices: Array.from({ length: cards }, (_, index) => ({
        id: `${name}-${index}`,
        index,
        memoryMiB: cardMiB,
      })),
      allocatable: { cpu },
    })),
  });
  for (const { name, at, percent, namespace = 'default' } of pods) {
    const [nodeName = '', card = ''] = at.split('/');
    const memoryMiB = percent * percentMiB;
    const pod = gpuPod({
      name,
      namespace,
      nodeName,
      phase: 'Running',
      gpu: { count: 1, memoryMiB, corePercent: percent },
      allocated: `${nodeName}-${card},NVIDIA,${memoryMiB},${percent}:;`,
      running: true,
    });
    expect(state.applyPod(pod, 0)).toEqual([]);
  }
  return state;
}

function targetOf(percent: number, count = 1, problems: readonly string[] = []): SimulatedPod {
  const request = requestOf('target', percent, count);
  return { request, shape: shapeOf(request), problems };
}

function requestOf(podUid: string, percent: number, count = 1): PodRequest {
  return makePodRequest({
    podUid,
    name: podUid,
    containers: [{ count, memoryMiB: percent * percentMiB, corePercent: percent }],
    counts: { [countResource]: count },
  });
}

function planFor(
  cluster: Cluster,
  target: SimulatedPod,
  fields: Partial<DefragmentQuestion> = {},
): DefragmentPlan {
  return planDefragmentation({
    state: stateOf(cluster),
    target,
    policies,
    mayMove: () => true,
    mostMoves: 3,
    mostTries: 50_000,
    ...fields,
  });
}

/** `pod from to/card` for every move, and where the target goes. */
function textOf(found: DefragmentPlan) {
  const cardsOf = (allocation: Allocation) => allocation.flat().map(({ deviceId }) => deviceId);
  switch (found.kind) {
    case 'moves': {
      const { moves, node, allocation, isShortest } = found;
      const told = moves.map(
        (move) =>
          `${move.name} ${move.from} ${cardsOf(move.held).join()} → ${cardsOf(move.allocation).join()}`,
      );
      return { moves: told, target: `${node}: ${cardsOf(allocation).join(' ')}`, isShortest };
    }
    case 'fits':
      return `fits ${found.node}: ${cardsOf(found.allocation).join(' ')}`;
    case 'none':
      return `none up to ${found.ruledOut} of ${found.mostMoves}`;
    case 'never':
      return `never: ${found.refusal?.code ?? 'no nodes'}`;
    case 'invalid':
      return found.problems.join();
  }
}

const pod = (name: string, at: string, percent: number): PodOnCard => ({ name, at, percent });

describe('plans worked out by hand', () => {
  const cases: readonly {
    readonly name: string;
    readonly cluster: Cluster;
    readonly target: SimulatedPod;
    readonly want: ReturnType<typeof textOf>;
  }[] = [
    {
      name: 'nothing moves where the pod fits, and it goes where the policy says',
      cluster: { nodes: { a: 1, b: 2 }, pods: [pod('p', 'b/0', 10)] },
      target: targetOf(100),
      want: 'fits a: a-0',
    },
    {
      name: 'one move of the smallest pod suffices on two nodes of half used cards',
      cluster: {
        nodes: { a: 2, b: 2 },
        pods: [pod('p', 'a/0', 50), pod('q', 'a/1', 40), pod('r', 'b/0', 50), pod('s', 'b/1', 50)],
      },
      target: targetOf(100),
      // Of equal cards the planner takes the one with the highest index.
      want: { moves: ['q a a-1 → b-1'], target: 'a: a-1', isShortest: true },
    },
    {
      name: 'two pods leave the card, each to another one',
      cluster: {
        nodes: { a: 1, b: 2 },
        pods: [pod('p', 'a/0', 30), pod('q', 'a/0', 40), pod('r', 'b/0', 60), pod('s', 'b/1', 70)],
      },
      target: targetOf(100),
      want: { moves: ['p a a-0 → b-1', 'q a a-0 → b-0'], target: 'a: a-0', isShortest: true },
    },
    {
      name: 'of several that would do, the pod that holds least moves',
      cluster: {
        nodes: { a: 1, b: 1, c: 1 },
        pods: [pod('p', 'a/0', 40), pod('q', 'b/0', 50), pod('r', 'c/0', 45)],
      },
      target: targetOf(100),
      want: { moves: ['p a a-0 → b-0'], target: 'a: a-0', isShortest: true },
    },
    {
      name: 'there is none where two pods would have to change places',
      cluster: {
        nodes: { a: 2, b: 1, c: 1 },
        pods: [
          pod('p', 'a/0', 60),
          pod('x', 'a/1', 100),
          pod('q', 'b/0', 45),
          pod('r', 'c/0', 30),
          pod('s', 'c/0', 25),
        ],
      },
      target: targetOf(50, 2),
      want: 'none up to 2 of 3',
    },
    {
      name: 'a pod for two cards has both freed',
      cluster: {
        nodes: { a: 2, b: 2 },
        pods: [pod('p', 'a/0', 20), pod('q', 'a/1', 30), pod('r', 'b/0', 60), pod('s', 'b/1', 70)],
      },
      target: targetOf(100, 2),
      want: { moves: ['p a a-0 → b-1', 'q a a-1 → b-0'], target: 'a: a-1 a-0', isShortest: true },
    },
    {
      name: 'there is none where everything is full',
      cluster: { nodes: { a: 1, b: 1 }, pods: [pod('p', 'a/0', 100), pod('q', 'b/0', 100)] },
      target: targetOf(50),
      want: 'none up to 2 of 3',
    },
    {
      name: 'no move helps a pod that no empty node would take',
      cluster: { nodes: { a: 2 }, pods: [] },
      target: targetOf(10, 3),
      want: 'never: NodeInsufficientDevice',
    },
    {
      name: 'nothing fits on no nodes',
      cluster: { nodes: {}, pods: [] },
      target: targetOf(10),
      want: 'never: no nodes',
    },
    {
      name: 'a request that cannot be understood is told',
      cluster: { nodes: { a: 1 }, pods: [] },
      target: targetOf(10, 1, ['memory cannot be read']),
      want: 'memory cannot be read',
    },
  ];
  it.each(cases)('$name', ({ cluster, target, want }) => {
    expect(textOf(planFor(cluster, target))).toEqual(want);
  });

  it('a pod that has to leave has another one make room for it first', () => {
    const cluster: Cluster = {
      nodes: { a: 1, b: 1, c: 1 },
      // c takes 30 more, b takes p once q is gone, and the target wants a card of type a.
      pods: [pod('p', 'a/0', 60), pod('q', 'b/0', 50), pod('r', 'c/0', 50)],
    };
    const request = {
      ...requestOf('target', 50),
      selectors: new Map([
        ['NVIDIA', { useTypes: [], avoidTypes: [], useIds: ['a-0'], avoidIds: [], numaBound: false }],
      ]),
    };
    const target = { request, shape: shapeOf(request), problems: [] };
    expect(textOf(planFor(cluster, target))).toEqual({
      moves: ['q b b-0 → c-0', 'p a a-0 → b-0'],
      target: 'a: a-0',
      isShortest: true,
    });
    expect(textOf(planFor(cluster, target, { mostMoves: 1 }))).toBe('none up to 1 of 1');
  });
});

describe('which pods move', () => {
  const cluster: Cluster = {
    nodes: { a: 1, b: 1 },
    pods: [pod('p', 'a/0', 30), pod('q', 'b/0', 40)],
  };

  it('is for the caller to say', () => {
    const without = (name: string) => ({
      mayMove: (entry: { readonly name: string }) => entry.name !== name,
    });
    expect(textOf(planFor(cluster, targetOf(100)))).toMatchObject({ moves: ['p a a-0 → b-0'] });
    expect(textOf(planFor(cluster, targetOf(100), without('p')))).toMatchObject({ moves: ['q b b-0 → a-0'] });
    expect(textOf(planFor(cluster, targetOf(100), { mayMove: () => false }))).toBe('none up to 2 of 3');
  });

  it('is not one that drains', () => {
    const state = stateOf(cluster);
    state.removePod('uid-p', 0);
    expect(state.entry('uid-p')?.state).toBe('draining');
    expect(textOf(planFor(cluster, targetOf(100), { state }))).toMatchObject({ moves: ['q b b-0 → a-0'] });
  });

  it.each([
    { name: 'any', of: { namespace: 'team', annotations: {} }, want: true },
    { name: 'none of kube-system', of: { namespace: 'kube-system', annotations: {} }, want: false },
    {
      name: 'none that says never',
      of: { namespace: 'team', annotations: { 'tessera.io/defragment': 'never' } },
      want: false,
    },
    {
      name: 'one that says something else',
      of: { namespace: 'team', annotations: { 'tessera.io/defragment': 'yes' } },
      want: true,
    },
  ])('by namespace and annotation: $name', ({ of, want }) => {
    expect(allowsDefragmentation(of)).toBe(want);
  });
});

describe('what is judged beside cards', () => {
  it('the host has to feed the pod that moves', () => {
    const hungry = gpuPod({
      name: 'hungry',
      nodeName: 'a',
      phase: 'Running',
      containers: [
        {
          limits: { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '800', 'nvidia.com/gpucores': '10' },
          requests: { cpu: '500m' },
          state: 'running',
        },
      ],
      allocated: 'a-0,NVIDIA,800,10:;',
    });
    const fields = (containers: readonly object[]) => {
      const state = stateOf({ nodes: { a: 1, b: 1 }, pods: [pod('p', 'a/0', 30), pod('q', 'b/0', 40)] }, '1');
      state.applyPod(hungry, 0);
      state.applyPod(gpuPod({ name: 'plain', nodeName: 'b', phase: 'Running', containers }), 0);
      return { state, mayMove: ({ name }: { readonly name: string }) => name === 'hungry' };
    };
    const cluster = { nodes: {}, pods: [] };
    const idle = fields([{ requests: { cpu: '500m' } }]);
    expect(textOf(planFor(cluster, targetOf(70), idle))).toMatchObject({ moves: ['hungry a a-0 → b-0'] });
    const busy = fields([{ requests: { cpu: '501m' } }]);
    expect(textOf(planFor(cluster, targetOf(70), busy))).toBe('none up to 2 of 3');
  });

  it('no move helps against the quota of the namespace', () => {
    const quota: NamespaceQuota = new Map([
      ['NVIDIA', { memory: { resource: 'limits.nvidia.com/gpumem', quota: 'q', limit: 10, used: 0 } }],
    ]);
    const cluster: Cluster = { nodes: { a: 1 }, pods: [] };
    const found = planFor(cluster, targetOf(50), { quota });
    expect(found).toMatchObject({ kind: 'never', refusal: { refused: { ResourceQuotaNotFit: 1 } } });
  });

  it('with too few tries it says what it does not know', () => {
    const cluster: Cluster = {
      nodes: { a: 1, b: 1 },
      pods: [pod('p', 'a/0', 30), pod('q', 'b/0', 40)],
    };
    expect(textOf(planFor(cluster, targetOf(100), { mostTries: 2 }))).toBe('none up to 0 of 3');
  });
});

/** A model of its own: who is on which card. */
class Model {
  readonly #nodes: Cluster['nodes'];
  readonly #held = new Map<string, { node: string; percent: number; cards: readonly string[] }>();

  constructor({ nodes, pods }: Cluster) {
    this.#nodes = nodes;
    for (const { name, at, percent } of pods) {
      const [node = '', card = ''] = at.split('/');
      this.#held.set(name, { node, percent, cards: [`${node}-${card}`] });
    }
  }

  get pods(): readonly string[] {
    return [...this.#held.keys()];
  }

  get nodes(): readonly string[] {
    return Object.keys(this.#nodes);
  }

  nodeOf(name: string): string {
    return this.#held.get(name)?.node ?? '';
  }

  plan(name: string, request: PodRequest, node: string): Allocation | undefined {
    const planned = plan(this.#view(node), { ...request, podUid: name }, policies);
    return planned.ok ? planned.allocation : undefined;
  }

  /** Moves a pod; undefined, and it stays, where it does not fit. */
  move(name: string, to: string): { readonly allocation: Allocation; undo(): void } | undefined {
    const before = this.#held.get(name);
    if (before === undefined) throw new Error(name);
    const allocation = this.plan(name, requestOf(name, before.percent), to);
    if (allocation === undefined) return undefined;
    const cards = allocation.flat().map(({ deviceId }) => deviceId);
    this.#held.set(name, { ...before, node: to, cards });
    return { allocation, undo: () => this.#held.set(name, before) };
  }

  /** The largest part of a card that is given out. */
  get fullest(): number {
    const sums = new Map<string, number>();
    for (const { cards, percent } of this.#held.values()) {
      for (const card of cards) sums.set(card, (sums.get(card) ?? 0) + percent);
    }
    return Math.max(0, ...sums.values());
  }

  #view(name: string): NodeView {
    const pods = [...this.#held.values()].filter(({ node }) => node === name);
    const cards = Array.from({ length: this.#nodes[name] ?? 0 }, (_, index) => {
      const id = `${name}-${index}`;
      const on = pods.filter((held) => held.cards.includes(id));
      const percent = on.reduce((sum, held) => sum + held.percent, 0);
      const used = { slots: on.length, memoryMiB: percent * percentMiB, corePercent: percent };
      return { id, memoryMiB: cardMiB, used };
    });
    const slots = cards.length * 10 - pods.length;
    return makeView({ name, devices: cards, countFree: { [countResource]: slots } });
  }
}

/** The least number of moves, one after the other and no pod twice, after which the target fits; by trying all. */
function fewestMoves(cluster: Cluster, target: SimulatedPod, most: number): number | undefined {
  const model = new Model(cluster);
  const fits = () => model.nodes.some((node) => model.plan('target', target.request, node) !== undefined);
  const within = (left: number, moved: readonly string[]): boolean => {
    if (fits()) return true;
    if (left === 0) return false;
    for (const name of model.pods) {
      if (moved.includes(name)) continue;
      for (const node of model.nodes) {
        if (node === model.nodeOf(name)) continue;
        const move = model.move(name, node);
        if (move === undefined) continue;
        const done = within(left - 1, [...moved, name]);
        move.undo();
        if (done) return true;
      }
    }
    return false;
  };
  for (let moves = 0; moves <= most; moves += 1) if (within(moves, [])) return moves;
  return undefined;
}

/** Full clusters of few cards, in which room is scarce. */
const clusters: fc.Arbitrary<Cluster> = fc
  .array(
    fc.array(fc.array(fc.integer({ min: 2, max: 6 }), { maxLength: 2 }), { minLength: 1, maxLength: 2 }),
    {
      minLength: 2,
      maxLength: 3,
    },
  )
  .map((nodes) => ({
    nodes: Object.fromEntries(nodes.map((cards, index) => [`n${index}`, cards.length])),
    pods: nodes.flatMap((cards, node) =>
      cards.flatMap((tenths, card) => {
        const fitting = tenths.reduce((sum, more) => sum + more, 0) > 10 ? tenths.slice(0, 1) : tenths;
        return fitting.map((tenth, index) => pod(`p${node}${card}${index}`, `n${node}/${card}`, tenth * 10));
      }),
    ),
  }));
const targets = fc
  .tuple(fc.integer({ min: 4, max: 10 }), fc.constantFrom(1, 1, 1, 2))
  .map(([tenths, count]) => targetOf(tenths * 10, count));

describe('on any cluster', () => {
  it('a plan can be carried out from the front, and then the pod fits', () => {
    fc.assert(
      fc.property(clusters, targets, (cluster, target) => {
        const found = planFor(cluster, target);
        const model = new Model(cluster);
        if (found.kind !== 'moves') return;
        expect(new Set(found.moves.map(({ name }) => name)).size).toBe(found.moves.length);
        for (const { name, from, to, allocation } of found.moves) {
          expect(model.nodeOf(name)).toBe(from);
          expect(to).not.toBe(from);
          expect(model.move(name, to)?.allocation).toEqual(allocation);
          expect(model.fullest).toBeLessThanOrEqual(100);
        }
        expect(model.plan('target', target.request, found.node)).toEqual(found.allocation);
      }),
      { numRuns: 300 },
    );
  });

  it('nothing is shorter than a list that is called the shortest, and nothing is where all was ruled out', () => {
    const seen = { fits: 0, moves: 0, none: 0, never: 0, invalid: 0 };
    fc.assert(
      fc.property(clusters, targets, (cluster, target) => {
        const found = planFor(cluster, target, { mostMoves: 2 });
        const fewest = fewestMoves(cluster, target, 2);
        seen[found.kind] += 1;
        switch (found.kind) {
          case 'fits':
            expect(fewest).toBe(0);
            break;
          case 'moves':
            expect(found.isShortest).toBe(true);
            expect(found.moves).toHaveLength(fewest ?? -1);
            break;
          case 'none':
            expect(found.ruledOut).toBe(2);
            expect(fewest).toBeUndefined();
            break;
          case 'never':
            expect(fewest).toBeUndefined();
            break;
          case 'invalid':
            throw new Error('the request is sound');
        }
      }),
      { numRuns: 300, seed: 7 },
    );
    // The clusters are such that every kind is met.
    expect(Math.min(seen.fits, seen.moves, seen.none)).toBeGreaterThan(10);
  });

  it('the state stays as it was', () => {
    fc.assert(
      fc.property(clusters, targets, (cluster, target) => {
        const state = stateOf(cluster);
        const pictures = () =>
          [...state.nodeNames()].map((name) => ({ view: state.view(name), held: state.node(name)?.held }));
        const before = structuredClone(pictures());
        const position = state.changePosition;
        planFor(cluster, target, { state });
        expect(pictures()).toEqual(before);
        expect(state.changePosition).toBe(position);
      }),
      { numRuns: 50 },
    );
  });
});
