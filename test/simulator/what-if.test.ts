/** What-if questions on clusters small enough to be worked out by hand, and what holds of every one. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodeView } from '../../src/model/node-view.ts';
import { deepFreeze } from '../../src/wire/mapping.ts';
import type { NamespaceQuota } from '../../src/model/quota.ts';
import { shapeOf } from '../../src/placement/verdicts.ts';
import type { SimulatedPolicy } from '../../src/simulator/policy.ts';
import type { SimulatedPod } from '../../src/simulator/simulated-pod.ts';
import { howManyFit, nodesNeeded, WhatIf, type WhatIfAnswer } from '../../src/simulator/what-if.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { makePodRequest, type PodRequestFields } from '../support/requests.ts';
import { type CardFields, countResource, makeView } from '../support/views.ts';

const policy: SimulatedPolicy = {
  name: 'binpack',
  rules: { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') },
  choice: 'highest',
};
const random = () => 0;

function podOf(fields: PodRequestFields, problems: readonly string[] = []): SimulatedPod {
  const request = makePodRequest(fields);
  return { request, shape: shapeOf(request), problems };
}

/** Asks for part of one card, in percent of memory and compute. */
function shareOf(percent: number, fields: PodRequestFields = {}): SimulatedPod {
  return podOf({
    containers: [{ memoryPercent: percent, corePercent: percent }],
    counts: { [countResource]: 1 },
    ...fields,
  });
}

function wholeCards(count: number, fields: PodRequestFields = {}): SimulatedPod {
  return podOf({
    containers: [{ count, corePercent: 100 }],
    counts: { [countResource]: count },
    ...fields,
  });
}

const copies = (pod: SimulatedPod, count: number) => Array.from({ length: count }, () => pod);

/** A node with cards that are used up to so many percent. */
function nodeWith(name: string, ...usedPercent: readonly number[]): NodeView {
  return makeView({ name, devices: usedPercent.map(cardUsed) });
}

function cardUsed(percent: number): CardFields {
  return { used: { slots: percent === 0 ? 0 : 1, memoryMiB: 81.92 * percent, corePercent: percent } };
}

function summaryOf({ outcomes, newNodes }: WhatIfAnswer) {
  return {
    outcomes: outcomes.map((outcome) => (outcome.ok ? outcome.node : outcome.reason)),
    newNodes,
  };
}

describe('how many of these pods fit', () => {
  it.each([
    {
      name: 'none of no pods',
      views: [nodeWith('a', 0)],
      pods: [],
      want: [],
    },
    {
      name: 'as many halves as free halves, used nodes first',
      views: [nodeWith('a', 0), nodeWith('b', 50)],
      pods: copies(shareOf(50), 4),
      want: ['b', 'a', 'a', 'CardInsufficientMemory'],
    },
    {
      name: 'a large one after small ones only where a whole card is left',
      views: [nodeWith('a', 0, 0)],
      pods: [shareOf(30), shareOf(30), wholeCards(1), wholeCards(1)],
      want: ['a', 'a', 'a', 'CardInsufficientMemory'],
    },
    {
      name: 'none on no nodes',
      views: [],
      pods: [shareOf(1)],
      want: ['NoNodes'],
    },
    {
      name: 'no pod whose request cannot be understood, and the others all the same',
      views: [nodeWith('a', 0)],
      pods: [podOf({}, ['memory: "16Gi" is not a number']), shareOf(100)],
      want: ['RequestInvalid', 'a'],
    },
    {
      name: 'no more than the host feeds',
      views: [makeView({ name: 'a', devices: [{}], hostFree: { cpuMilli: 5000, memoryMiB: 1000, pods: 9 } })],
      pods: copies(shareOf(10, { host: { cpuMilli: 2000, memoryMiB: 1, pods: 1 } }), 3),
      want: ['a', 'a', 'HostInsufficientCpu'],
    },
  ])('$name', ({ views, pods, want }) => {
    expect(summaryOf(howManyFit({ views, pods, policy, random })).outcomes).toEqual(want);
  });

  it('stops at the first copy that fits nowhere, if asked to', () => {
    const question = { views: [nodeWith('a', 0)], policy, random, untilRefused: true };
    const answer = howManyFit({ ...question, pods: copies(shareOf(40), 10) });
    expect(summaryOf(answer).outcomes).toEqual(['a', 'a', 'CardInsufficientMemory']);
  });

  it('says what every node says, the most frequent first', () => {
    const views = [
      nodeWith('a', 60),
      nodeWith('b', 60),
      makeView({ name: 'c', devices: [{ healthy: false }] }),
    ];
    const [outcome] = howManyFit({ views, pods: [shareOf(50)], policy, random }).outcomes;
    if (outcome?.ok !== false) throw new Error('it fits');
    expect(outcome.refusals.map(({ refusal, nodes }) => ({ ...refusal, nodes }))).toEqual([
      expect.objectContaining({ nodes: 2, refused: { CardInsufficientMemory: 1 } }),
      expect.objectContaining({ nodes: 1, refused: { CardNotHealth: 1 } }),
    ]);
  });
});

describe('quotas', () => {
  const limited = (limit: number, used = 0): NamespaceQuota =>
    new Map([['NVIDIA', { memory: { resource: 'limits.nvidia.com/gpumem', quota: 'q', limit, used } }]]);
  const ofTeam = (percent: number) => shareOf(percent, { namespace: 'team' });

  it('count every pod that was placed before', () => {
    const quotaOf = (namespace: string) => (namespace === 'team' ? limited(8192, 4096) : new Map());
    const pods = [ofTeam(25), ofTeam(25), ofTeam(25), shareOf(25)];
    const answer = howManyFit({ views: [nodeWith('a', 0, 0)], pods, policy, random, quotaOf });
    expect(summaryOf(answer).outcomes).toEqual(['a', 'a', 'ResourceQuotaNotFit', 'a']);
  });

  it('send a pod to the node where its part of a card is small enough', () => {
    // Half of a large card is too much, half of a small one is not; the large one would be preferred.
    const large = makeView({ name: 'large', devices: [{ memoryMiB: 16_384, ...cardUsed(10) }] });
    const small = makeView({ name: 'small', devices: [{ memoryMiB: 8192 }] });
    const question = { views: [large, small], pods: [ofTeam(50)], policy, random };
    expect(summaryOf(howManyFit(question)).outcomes).toEqual(['large']);
    const answer = howManyFit({ ...question, quotaOf: () => limited(4096) });
    expect(summaryOf(answer).outcomes).toEqual(['small']);
  });

  it('that are used up are not mended by new nodes', () => {
    const newNodes = { shape: nodeWith('shape', 0), most: 5 };
    const pods = [ofTeam(100), ofTeam(100)];
    const answer = nodesNeeded({ views: [], pods, policy, random, newNodes, quotaOf: () => limited(8192) });
    expect(summaryOf(answer)).toEqual({ outcomes: ['new-1', 'ResourceQuotaNotFit'], newNodes: 1 });
  });
});

describe('how many nodes of a shape these pods need', () => {
  const shape = nodeWith('shape', 0, 0);
  it.each([
    {
      name: 'none where the nodes there are do',
      views: [nodeWith('a', 0)],
      pods: [shareOf(50), shareOf(50)],
      want: { outcomes: ['a', 'a'], newNodes: 0 },
    },
    {
      name: 'one more whenever a pod fits nowhere',
      views: [nodeWith('a', 50)],
      pods: [shareOf(50), wholeCards(2), wholeCards(1), wholeCards(1)],
      want: { outcomes: ['a', 'new-1', 'new-2', 'new-2'], newNodes: 2 },
    },
    {
      name: 'all new ones where the others are left out',
      views: [nodeWith('a', 0)],
      onlyNew: true,
      pods: copies(wholeCards(1), 3),
      want: { outcomes: ['new-1', 'new-1', 'new-2'], newNodes: 2 },
    },
    {
      name: 'no more than there may be',
      views: [],
      most: 1,
      pods: copies(wholeCards(2), 2),
      want: { outcomes: ['new-1', 'CardInsufficientMemory'], newNodes: 1 },
    },
    {
      name: 'none for a pod that no number of them helps',
      views: [],
      pods: [wholeCards(3), wholeCards(2)],
      want: { outcomes: ['NoNodes', 'new-1'], newNodes: 1 },
    },
  ])('$name', ({ views, pods, most = 200, onlyNew = false, want }) => {
    const question = { views, pods, policy, random, newNodes: { shape, most } };
    expect(summaryOf(nodesNeeded(question, onlyNew))).toEqual(want);
  });

  it('says why one more does not help', () => {
    const pods = [wholeCards(3), ...copies(wholeCards(2), 2)];
    const { outcomes } = nodesNeeded({ views: [], pods, policy, random, newNodes: { shape, most: 1 } });
    expect(outcomes.map((outcome) => (outcome.ok ? 'placed' : outcome.newNode))).toEqual([
      expect.objectContaining({ code: 'NodeInsufficientDevice', wanted: 3, cards: 2 }),
      'placed',
      'most',
    ]);
  });
});

describe('whatever is asked', () => {
  const percents = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths * 10);
  const views = fc
    .array(fc.array(percents, { minLength: 1, maxLength: 4 }), { maxLength: 4 })
    .map((nodes) => nodes.map((cards, index) => nodeWith(`n${index}`, ...cards)));
  const pods = fc.array(
    fc.oneof(
      percents.map((percent) => shareOf(Math.max(10, percent))),
      fc.integer({ min: 1, max: 3 }).map((count) => wholeCards(count)),
    ),
    { maxLength: 12 },
  );

  it('no card is given out twice, and the pictures that were handed in stay', () => {
    fc.assert(
      fc.property(views, pods, (nodes, asked) => {
        const before = structuredClone(nodes);
        deepFreeze(nodes);
        const shape = nodeWith('shape', 0, 0);
        const answer = nodesNeeded({
          views: nodes,
          pods: asked,
          policy,
          random,
          newNodes: { shape, most: 3 },
        });
        const used = new Map<string, number>();
        for (const { name, devices } of nodes) {
          for (const { device, used: taken } of devices) used.set(`${name}/${device.id}`, taken.corePercent);
        }
        for (const outcome of answer.outcomes) {
          if (!outcome.ok) continue;
          for (const { deviceId, corePercent } of outcome.allocation.flat()) {
            const key = `${outcome.node}/${deviceId}`;
            used.set(key, (used.get(key) ?? 0) + corePercent);
          }
        }
        expect(Math.max(0, ...used.values())).toBeLessThanOrEqual(100);
        expect(answer.outcomes).toHaveLength(asked.length);
        expect(nodes).toEqual(before);
      }),
    );
  });

  it('one node fewer than was needed does not do, in the same order', () => {
    fc.assert(
      fc.property(pods, (asked) => {
        const shape = nodeWith('shape', 0, 0, 0);
        const question = { views: [], pods: asked, policy, random };
        const { newNodes } = nodesNeeded({ ...question, newNodes: { shape, most: 20 } });
        if (newNodes === 0) return;
        const fewer = nodesNeeded({ ...question, newNodes: { shape, most: newNodes - 1 } });
        expect(fewer.outcomes.some((outcome) => !outcome.ok)).toBe(true);
      }),
    );
  });

  it('steps come to the same answer, and on the way to a part of it', () => {
    // More nodes than are asked in one step.
    const nodes = Array.from({ length: 1200 }, (_, index) => nodeWith(`n${index}`, 90));
    const question = { views: [...nodes, nodeWith('last', 0)], pods: copies(shareOf(50), 3), policy, random };
    const whatIf = new WhatIf(question);
    const seen = new Set<number>();
    let steps = 0;
    while (!whatIf.done) {
      whatIf.step();
      steps += 1;
      seen.add(whatIf.answer().outcomes.length);
    }
    expect(steps).toBeGreaterThan(6);
    expect([...seen]).toEqual([0, 1, 2, 3]);
    expect(whatIf.answer()).toEqual(howManyFit(question));
    expect(summaryOf(whatIf.answer()).outcomes).toEqual(['last', 'last', 'CardInsufficientMemory']);
    whatIf.step();
    expect(whatIf.answer().outcomes).toHaveLength(3);
  });
});
