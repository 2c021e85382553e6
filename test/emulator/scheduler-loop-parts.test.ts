/** The decisions of the scheduler loop, each by itself. */
import { describe, expect, it } from '@jest/globals';
import { fitErrorMessage } from '../../src/emulator/scheduler-loop/fit-error.ts';
import { reasonsAgainst } from '../../src/emulator/scheduler-loop/in-tree-filters.ts';
import { matchesTerm, readTerm } from '../../src/emulator/scheduler-loop/node-affinity.ts';
import { chooseNode, totalScores } from '../../src/emulator/scheduler-loop/node-choice.ts';
import { parseSchedulableNode, type SchedulableNode } from '../../src/emulator/scheduler-loop/node-spec.ts';
import { PodQueue } from '../../src/emulator/scheduler-loop/pod-queue.ts';
import { parseSchedulablePod, type SchedulablePod } from '../../src/emulator/scheduler-loop/pod-spec.ts';
import { readTaint, readToleration, tolerates } from '../../src/emulator/scheduler-loop/taints.ts';
import { ManualClock } from '../support/manual-clock.ts';

function podOf(spec: object = {}, metadata: object = {}): SchedulablePod {
  const pod = parseSchedulablePod({
    metadata: { name: 'p', namespace: 'default', uid: 'u', ...metadata },
    spec: { containers: [], ...spec },
  });
  if (!pod.ok) throw new Error(pod.problem);
  return pod.value;
}

function nodeOf({ name = 'n', labels = {}, spec = {}, allocatable = {} } = {}): SchedulableNode {
  const node = parseSchedulableNode({
    metadata: { name, labels },
    spec,
    status: { allocatable: { cpu: '2', memory: '1Gi', pods: '2', 'nvidia.com/gpu': '4', ...allocatable } },
  });
  if (!node.ok) throw new Error(node.problem);
  return node.value;
}

describe('tolerates', () => {
  const taint = { key: 'k', value: 'v', effect: 'NoSchedule' };
  it.each([
    { name: 'no toleration', taint, toleration: undefined, want: false },
    { name: 'an equal one', taint, toleration: { key: 'k', value: 'v', effect: 'NoSchedule' }, want: true },
    {
      name: 'one of every effect',
      taint,
      toleration: { key: 'k', operator: 'Equal', value: 'v' },
      want: true,
    },
    { name: 'one of another value', taint, toleration: { key: 'k', value: 'w' }, want: false },
    {
      name: 'one of another effect',
      taint,
      toleration: { key: 'k', value: 'v', effect: 'NoExecute' },
      want: false,
    },
    {
      name: 'one of the key whatever the value',
      taint,
      toleration: { key: 'k', operator: 'Exists' },
      want: true,
    },
    { name: 'one of another key', taint, toleration: { key: 'l', operator: 'Exists' }, want: false },
    { name: 'one of everything', taint, toleration: { operator: 'Exists' }, want: true },
    { name: 'one without key that does not say Exists', taint, toleration: { value: 'v' }, want: false },
    {
      name: 'none, for a mere preference',
      taint: { ...taint, effect: 'PreferNoSchedule' },
      toleration: undefined,
      want: true,
    },
    {
      name: 'none, for a taint that evicts',
      taint: { ...taint, effect: 'NoExecute' },
      toleration: undefined,
      want: false,
    },
  ])('$name', ({ taint: given, toleration, want }) => {
    const tolerations = toleration === undefined ? [] : [readToleration(toleration)];
    expect(tolerates(tolerations, [readTaint(given)])).toBe(want);
  });
});

describe('matchesTerm', () => {
  const labels = { zone: 'a', gpu: 'on' };
  it.each([
    {
      name: 'a value among those listed',
      expressions: [{ key: 'zone', operator: 'In', values: ['b', 'a'] }],
      want: true,
    },
    {
      name: 'a value that is not listed',
      expressions: [{ key: 'zone', operator: 'In', values: ['b'] }],
      want: false,
    },
    {
      name: 'a label that is not there, in nothing',
      expressions: [{ key: 'x', operator: 'In', values: [''] }],
      want: false,
    },
    {
      name: 'a value that is excluded',
      expressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }],
      want: false,
    },
    {
      name: 'a label that is not there, excluded',
      expressions: [{ key: 'x', operator: 'NotIn', values: ['a'] }],
      want: true,
    },
    { name: 'a label that is there', expressions: [{ key: 'gpu', operator: 'Exists' }], want: true },
    {
      name: 'a label that must not be there',
      expressions: [{ key: 'gpu', operator: 'DoesNotExist' }],
      want: false,
    },
    {
      name: 'an operator that is not known',
      expressions: [{ key: 'zone', operator: 'Gt', values: ['0'] }],
      want: false,
    },
    {
      name: 'all of several',
      expressions: [
        { key: 'gpu', operator: 'Exists' },
        { key: 'x', operator: 'Exists' },
      ],
      want: false,
    },
    { name: 'nothing at all', expressions: [], want: false },
  ])('$name: $want', ({ expressions, want }) => {
    expect(matchesTerm(readTerm({ matchExpressions: expressions }), labels)).toBe(want);
  });

  it('a term that selects by fields: false', () => {
    const term = { matchExpressions: [{ key: 'gpu', operator: 'Exists' }], matchFields: [{}] };
    expect(matchesTerm(readTerm(term), labels)).toBe(false);
  });
});

describe('reasonsAgainst', () => {
  const asking = (requests: Readonly<Record<string, string>>) =>
    podOf({ containers: [{ name: 'c', resources: { requests } }] });
  const required = (...terms: readonly object[]) =>
    podOf({
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
      },
    });
  const zoneA = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] };
  const zoneB = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['b'] }] };
  const inZoneA = nodeOf({ labels: { zone: 'a' } });
  const unselected = ["node(s) didn't match Pod's node affinity/selector"];
  const cordoned = nodeOf({ spec: { unschedulable: true } });
  const busy = {
    pods: 1,
    requested: new Map([
      ['cpu', 1500],
      ['nvidia.com/gpu', 3],
    ]),
  };
  const idle = { pods: 0, requested: new Map<string, number>() };

  it.each([
    { name: 'nothing asked', pod: podOf(), node: nodeOf(), usage: idle, want: [] },
    {
      name: 'a node that is cordoned',
      pod: podOf(),
      node: cordoned,
      usage: idle,
      want: ['node(s) were unschedulable'],
    },
    {
      name: 'a cordoned node, tolerated',
      pod: podOf({ tolerations: [{ operator: 'Exists' }] }),
      node: cordoned,
      usage: idle,
      want: [],
    },
    {
      name: 'a taint',
      pod: podOf(),
      node: nodeOf({ spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }),
      usage: idle,
      want: ['node(s) had untolerated taint(s)'],
    },
    {
      name: 'a selector',
      pod: podOf({ nodeSelector: { zone: 'b' } }),
      node: inZoneA,
      usage: idle,
      want: unselected,
    },
    {
      name: 'a selector that matches',
      pod: podOf({ nodeSelector: { zone: 'a' } }),
      node: inZoneA,
      usage: idle,
      want: [],
    },
    { name: 'one required term of two', pod: required(zoneB, zoneA), node: inZoneA, usage: idle, want: [] },
    { name: 'no required term', pod: required(zoneB), node: inZoneA, usage: idle, want: unselected },
    {
      name: 'an empty list of required terms',
      pod: required(),
      node: inZoneA,
      usage: idle,
      want: unselected,
    },
    { name: 'just enough CPU', pod: asking({ cpu: '500m' }), node: nodeOf(), usage: busy, want: [] },
    {
      name: 'too little CPU',
      pod: asking({ cpu: '501m' }),
      node: nodeOf(),
      usage: busy,
      want: ['Insufficient cpu'],
    },
    {
      name: 'several shortages at once',
      pod: asking({ cpu: '3', memory: '2Gi', 'nvidia.com/gpu': '2' }),
      node: nodeOf(),
      usage: busy,
      want: ['Insufficient cpu', 'Insufficient memory', 'Insufficient nvidia.com/gpu'],
    },
    {
      name: 'a resource that the node has none of',
      pod: asking({ 'a.com/b': '1' }),
      node: nodeOf(),
      usage: idle,
      want: ['Insufficient a.com/b'],
    },
    {
      name: 'a resource that is left to the extender',
      pod: asking({ 'nvidia.com/gpumem': '1' }),
      node: nodeOf(),
      usage: idle,
      want: [],
    },
    {
      name: 'no place for one more pod',
      pod: podOf(),
      node: nodeOf({ allocatable: { pods: '1' } }),
      usage: busy,
      want: ['Too many pods'],
    },
  ])('$name', ({ pod, node, usage, want }) => {
    expect(reasonsAgainst(pod, node, usage, new Set(['nvidia.com/gpumem']))).toEqual(want);
  });

  it('counts init containers by their peak, and a limit where nothing is requested', () => {
    const pod = podOf({
      initContainers: [{ name: 'i', resources: { limits: { cpu: '3' } } }],
      containers: [{ name: 'a', resources: { requests: { cpu: '1' }, limits: { cpu: '9' } } }, { name: 'b' }],
    });
    expect(pod.requests.get('cpu')).toBe(3000);
  });
});

describe('fitErrorMessage', () => {
  it.each([
    {
      name: 'counts by exact text and sorts as text',
      nodes: 12,
      reasons: [...Array<string[]>(10).fill(['b']), ['a'], ['c, d']],
      want: '0/12 nodes are available: 1 a, 1 c, d, 10 b.',
    },
    {
      name: 'counts every reason of a node',
      nodes: 1,
      reasons: [['x', 'y']],
      want: '0/1 nodes are available: 1 x, 1 y.',
    },
    {
      name: 'says so when there are no nodes',
      nodes: 0,
      reasons: [],
      want: 'no nodes available to schedule pods',
    },
  ])('$name', ({ nodes, reasons, want }) => {
    expect(fitErrorMessage(nodes, reasons)).toBe(want);
  });
});

describe('chooseNode', () => {
  const nodes = [nodeOf({ name: 'a', labels: { zone: 'a' } }), nodeOf({ name: 'b', labels: { zone: 'b' } })];
  const preferring = (...weights: readonly (readonly [zone: string, weight: number])[]) =>
    podOf({
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: weights.map(([zone, weight]) => ({
            weight,
            preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] },
          })),
        },
      },
    });
  const scoring = { nodes, extenderWeight: 5, random: () => 0 };

  it.each([
    {
      name: 'without wishes the extender decides',
      pod: podOf(),
      scores: { a: 9, b: 10 },
      want: { a: 450, b: 500 },
    },
    {
      name: 'a wish for the second best node wins',
      pod: preferring(['a', 1]),
      scores: { a: 9, b: 10 },
      want: { a: 650, b: 500 },
    },
    {
      name: 'a wish against a much better node does not',
      pod: preferring(['a', 1]),
      scores: { a: 5, b: 10 },
      want: { a: 450, b: 500 },
    },
    {
      name: 'wishes are measured by the one most fulfilled',
      pod: preferring(['a', 30], ['b', 40]),
      scores: { a: 10, b: 10 },
      want: { a: 650, b: 700 },
    },
    { name: 'a node without a score has none', pod: podOf(), scores: { b: 1 }, want: { a: 0, b: 50 } },
  ])('$name', ({ pod, scores, want }) => {
    const extenderScores = new Map(Object.entries(scores as Record<string, number>));
    const given = { ...scoring, pod, extenderScores };
    expect(Object.fromEntries(totalScores(given))).toEqual(want);
    expect(chooseNode(given)).toBe(want.a > want.b ? 'a' : 'b');
  });

  it('leaves ties to chance', () => {
    const tie = { ...scoring, pod: podOf(), extenderScores: new Map<string, number>() };
    expect(chooseNode({ ...tie, random: () => 0.49 })).toBe('a');
    expect(chooseNode({ ...tie, random: () => 0.5 })).toBe('b');
  });
});

describe('PodQueue', () => {
  function makeQueue() {
    const clock = new ManualClock();
    let active = 0;
    const queue = new PodQueue({
      clock,
      onActive: () => {
        active += 1;
      },
    });
    return { clock, queue, activations: () => active };
  }
  const named = (uid: string, spec: object = {}, creationTimestamp = '2026-01-01T00:00:00Z') =>
    podOf(spec, { uid, creationTimestamp });

  it('hands out by priority, then by age', () => {
    const { queue } = makeQueue();
    queue.offer(named('young', {}, '2026-01-01T00:00:02Z'));
    queue.offer(named('old', {}, '2026-01-01T00:00:01Z'));
    queue.offer(named('urgent', { priority: 1 }, '2026-01-01T00:00:03Z'));
    expect([queue.take()?.uid, queue.take()?.uid, queue.take()?.uid, queue.take()]).toEqual([
      'urgent',
      'old',
      'young',
      undefined,
    ]);
  });

  it('keeps a refused pod until an event, and then for the rest of its back-off', () => {
    const { queue, clock, activations } = makeQueue();
    queue.offer(named('p'));
    queue.take();
    queue.giveBack('p', 'refused');
    clock.advance(60_000);
    expect(queue.take()).toBeUndefined();
    queue.wake();
    expect(queue.take()?.uid).toBe('p');
    queue.giveBack('p', 'refused');
    queue.wake();
    clock.advance(1999);
    expect(queue.hasActive).toBe(false);
    const before = activations();
    clock.advance(1);
    expect(activations()).toBe(before + 1);
    expect(queue.take()?.uid).toBe('p');
  });

  it('counts an event that came while the pod was being looked at', () => {
    const { queue, clock } = makeQueue();
    queue.offer(named('p'));
    queue.take();
    queue.wake();
    queue.giveBack('p', 'refused');
    clock.advance(1000);
    expect(queue.take()?.uid).toBe('p');
  });

  it('doubles the back-off from one second to ten', () => {
    const { queue, clock } = makeQueue();
    queue.offer(named('p'));
    const waits: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1) {
      queue.take();
      queue.giveBack('p', 'backoff');
      let seconds = 0;
      while (!queue.hasActive) {
        clock.advance(1000);
        seconds += 1;
      }
      waits.push(seconds);
    }
    expect(waits).toEqual([1, 2, 4, 8, 10, 10]);
  });

  it('hands out the newest version, and nothing that was removed', () => {
    const { queue, clock } = makeQueue();
    queue.offer(named('p'));
    queue.offer(named('p', { priority: 7 }));
    queue.offer(named('q'));
    queue.remove('q');
    expect(queue.take()?.priority).toBe(7);
    queue.remove('p');
    queue.giveBack('p', 'backoff');
    clock.advance(60_000);
    expect(queue.take()).toBeUndefined();
  });

  it('leaves no timer behind', () => {
    const { queue, clock } = makeQueue();
    queue.offer(named('p'));
    queue.take();
    queue.giveBack('p', 'backoff');
    expect(clock.pending).toBe(1);
    queue.stop();
    expect(clock.pending).toBe(0);
  });
});
