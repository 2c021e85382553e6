/** Which node is chosen by its scores, and that remembered scores are those that would be made anew. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodeView } from '../../src/model/node-view.ts';
import type { PodRequest } from '../../src/model/request.ts';
import { plan } from '../../src/placement/planner.ts';
import { shapeOf, Verdicts } from '../../src/placement/verdicts.ts';
import { Likenesses } from '../../src/simulator/likeness.ts';
import { chooseNode, refuseHost } from '../../src/simulator/node-choice.ts';
import { NodeScoresByKind } from '../../src/simulator/node-scores.ts';
import { makePolicy } from '../../src/simulator/policies/policies.ts';
import { type PolicyName, policyNames, type SimulatedPolicy } from '../../src/simulator/policy.ts';
import { SimulatedCluster } from '../../src/simulator/simulated-cluster.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { makePodRequest } from '../support/requests.ts';
import { countResource, makeView, type ViewFields } from '../support/views.ts';

const defaults = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') } as const;
const closed = NaN;

describe('the chosen node', () => {
  const cases: readonly {
    readonly name: string;
    readonly choice: SimulatedPolicy['choice'];
    readonly scores: readonly number[];
    readonly rank?: readonly number[];
    readonly random?: number;
    readonly want: number | undefined;
  }[] = [
    { name: 'has the highest score', choice: 'highest', scores: [1, 3, 2], want: 1 },
    { name: 'is feasible', choice: 'highest', scores: [closed, -5, closed], want: 1 },
    { name: 'has the lowest rank of equals', choice: 'highest', scores: [3, 3, 3], rank: [2, 0, 1], want: 1 },
    { name: 'goes by score before rank', choice: 'highest', scores: [3, 4], rank: [0, 1], want: 1 },
    { name: 'is none where none is feasible', choice: 'highest', scores: [closed, closed], want: undefined },
    {
      name: 'is drawn of the feasible ones',
      choice: 'any',
      scores: [closed, 0, closed, 9],
      random: 0.49,
      want: 1,
    },
    {
      name: 'is drawn whatever its score',
      choice: 'any',
      scores: [closed, 0, closed, 9],
      random: 0.5,
      want: 3,
    },
    { name: 'cannot be drawn from none', choice: 'any', scores: [closed], random: 0.5, want: undefined },
  ];
  it.each(cases)('$name', ({ choice, scores, rank = scores.map((_, node) => node), random = 0, want }) => {
    const policy: SimulatedPolicy = { name: 'fgd', rules: defaults, choice };
    expect(chooseNode({ scores, policy, rank, random: () => random })).toBe(want);
  });
});

const nodeKinds: readonly ViewFields[] = [
  { devices: [{}, {}], hostFree: { cpuMilli: 8000, memoryMiB: 8000, pods: 5 } },
  { devices: [{ type: 'T4' }, { type: 'T4', memoryMiB: 4096 }] },
  { devices: [{ linkScores: new Map([['gpu-1', 10]]) }, {}] },
  { devices: [] },
];

function requestOf(memoryMiB: number, cpuMilli: number, extra: object = {}): PodRequest {
  return makePodRequest({
    containers: [{ memoryMiB, corePercent: memoryMiB / 100 }],
    host: { cpuMilli, memoryMiB: 100, pods: 1 },
    counts: { [countResource]: 1 },
    ...extra,
  });
}

const requests: readonly PodRequest[] = [
  requestOf(2000, 1000),
  requestOf(2000, 3000),
  requestOf(5000, 1000, { selectors: { NVIDIA: { useTypes: ['a100'] } } }),
  requestOf(1000, 0, { selectors: { NVIDIA: { avoidIds: ['gpu-n2-0'] } } }),
];

/** A node whose cards have ids of their own, as in a cluster. */
function nodeOf(kind: number, name: string): NodeView {
  const { devices = [], ...rest } = nodeKinds[kind]!;
  return makeView({
    ...rest,
    name,
    devices: devices.map((card, index) => ({ ...card, id: `gpu-${name}-${index}` })),
  });
}

describe('remembered scores', () => {
  const step = fc.record({
    request: fc.nat(requests.length - 1),
    leave: fc.option(fc.nat(20), { nil: undefined }),
    add: fc.option(fc.nat(nodeKinds.length - 1), { nil: undefined, freq: 9 }),
  });

  it('are what the planner says of every node as it is, whatever came and went', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<PolicyName>(...policyNames.filter((name) => name !== 'random')),
        fc.array(fc.nat(nodeKinds.length - 1), { minLength: 1, maxLength: 6 }),
        fc.array(step, { maxLength: 20 }),
        (name, kinds, steps) => {
          const views = kinds.map((kind, index) => nodeOf(kind, `n${index}`));
          const mix = requests.map((request) => ({ request, count: 1 }));
          const policy = makePolicy(name, { views, mix, defaults, random: () => 0 });
          const cluster = new SimulatedCluster(views, policy.observer);
          const [verdicts, kept] = [new Verdicts(), new NodeScoresByKind()];
          const scoresOf = (request: PodRequest) => {
            const table = verdicts.of(request, shapeOf(request), policy.rules);
            return kept.of(table, request.host).of(cluster, table, request);
          };
          for (const [index, { request: which, leave, add }] of steps.entries()) {
            const request = { ...requests[which]!, podUid: `${index}` };
            const scores = scoresOf(request);
            const plans = cluster.views.map((view) =>
              refuseHost(view, request) === undefined ? plan(view, request, policy.rules) : undefined,
            );
            expect(scores).toEqual(plans.map((answer) => (answer?.ok === true ? answer.score : NaN)));
            const node = plans.findIndex((answer) => answer?.ok);
            const placed = plans[node];
            if (placed?.ok === true) cluster.place({ request, node, allocation: placed.allocation });
            if (leave !== undefined) cluster.release(`${leave}`);
            if (add !== undefined) cluster.add(nodeOf(add, `n${cluster.views.length}`));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('keep kinds of pods apart that differ by what they take of the host', () => {
    const cluster = new SimulatedCluster([nodeOf(0, 'n0')]);
    const [verdicts, kept] = [new Verdicts(), new NodeScoresByKind()];
    const canGo = (cpuMilli: number) => {
      const request = requestOf(1000, cpuMilli);
      const table = verdicts.of(request, shapeOf(request), defaults);
      return !Number.isNaN(kept.of(table, request.host).of(cluster, table, request)[0]);
    };
    expect([canGo(8000), canGo(8001), canGo(8000)]).toEqual([true, false, true]);
  });
});

describe('likeness of nodes', () => {
  const plain = makeView({ name: 'a', devices: [{ id: 'x' }, { id: 'y' }] });
  const likenesses = new Likenesses();

  it('is that of nodes with other names and card ids', () => {
    const other = makeView({ name: 'b', devices: [{ id: 'v' }, { id: 'w' }] });
    expect(likenesses.of(other)).toBe(likenesses.of(plain));
  });

  const unlike: readonly { name: string; fields: ViewFields }[] = [
    { name: 'another use of a card', fields: { devices: [{ used: { slots: 1 } }, {}] } },
    { name: 'the same use of another card', fields: { devices: [{}, { used: { slots: 1 } }] } },
    { name: 'another type', fields: { devices: [{ type: 'T4' }, {}] } },
    { name: 'fewer cards', fields: { devices: [{}] } },
    { name: 'a sick card', fields: { devices: [{ healthy: false }, {}] } },
    { name: 'a card kept free', fields: { devices: [{ cordoned: true }, {}] } },
    { name: 'kinds of shares', fields: { devices: [{ kinds: ['a'] }, {}] } },
    { name: 'facts of a family', fields: { devices: [{ facts: { ring: 1 } }, {}] } },
    { name: 'another count', fields: { devices: [{}, {}], countFree: { [countResource]: 1 } } },
    {
      name: 'other host resources',
      fields: { devices: [{}, {}], hostFree: { cpuMilli: 1, memoryMiB: 262_144, pods: 110 } },
    },
    { name: 'a family that cannot be offered', fields: { devices: [{}, {}], unavailable: { AMD: 'why' } } },
  ];
  it.each(unlike)('is not that of a node with $name', ({ fields }) => {
    expect(likenesses.of(makeView(fields))).not.toBe(likenesses.of(plain));
  });

  it('is none of nodes whose cards are linked, for links go by ids', () => {
    expect(likenesses.of(nodeOf(2, 'n1'))).toBeUndefined();
  });

  it('is not that of a node of which something else is known', () => {
    expect(likenesses.of(plain, 'shared')).not.toBe(likenesses.of(plain));
    expect(likenesses.of(plain, 'shared')).toBe(likenesses.of(plain, 'shared'));
  });
});
