/** Which cards and instances are taken: the numbers of the wire protocol's worked examples and tables. */
import { describe, expect, it } from '@jest/globals';
import { parseWeights } from '../../src/vendors/policy-annotations.ts';
import type { CardFields } from '../support/views.ts';
import { a100, answerTo, numaBound, quotaOf, type Vector } from './ask-planner.ts';

describe('the order of cards (spec §6.4)', () => {
  /** Two NUMA nodes with a half-used and an idle card each. */
  const used = { slots: 5, corePercent: 50, memoryMiB: 4096 };
  const cards: readonly CardFields[] = [
    { id: 'low-half', numa: 0, used },
    { id: 'low-idle', numa: 0 },
    { id: 'high-half', numa: 1, used },
    { id: 'high-idle', numa: 1 },
  ];
  const spreadOrder = 'high-idle low-idle high-half low-half';
  it.each([
    { policy: 'binpack', want: 'high-half low-half high-idle low-idle' },
    { policy: 'spread', want: spreadOrder },
    { policy: 'topology-aware', want: spreadOrder },
    { policy: 'unheard-of', want: spreadOrder },
    { policy: '', want: spreadOrder },
    { policy: 'numa', want: 'high-idle high-half low-idle low-half' },
    { policy: 'numa,binpack', want: 'high-half high-idle low-half low-idle' },
    { policy: 'binpack,numa', want: 'high-half low-half high-idle low-idle' },
    { policy: 'spread,numa', want: spreadOrder },
    { policy: 'binpack,spread', want: 'high-half low-half high-idle low-idle' },
    { policy: 'who,knows', want: spreadOrder },
    { policy: 'mutex', count: 2, want: 'high-idle low-idle' },
    { policy: 'mutex,binpack', count: 2, want: 'high-idle low-idle' },
  ])('"$policy" takes $want', ({ policy, count = 4, want }) => {
    expect(answerTo({ cards, policy, pod: { containers: [{ count, memoryMiB: 512 }] } })).toBe(want);
  });

  it.each([
    { policy: 'binpack', want: 'low-half low-idle' },
    { policy: 'spread', want: 'high-idle high-half' },
    { policy: 'numa,binpack', want: 'high-half high-idle' },
    { policy: 'binpack,numa', want: 'high-half high-idle' },
    { policy: 'spread,numa', want: 'high-idle high-half' },
    { policy: 'mutex', count: 1, want: 'high-idle' },
  ])('"$policy", bound to a NUMA node, takes $want', ({ policy, count = 2, want }) => {
    const pod = { containers: [{ count, memoryMiB: 512 }], selectors: numaBound };
    expect(answerTo({ cards, policy, pod })).toBe(want);
  });

  it('a pod bound to a NUMA node gets the second where the first has not enough (Q28)', () => {
    const pod = { containers: [{ count: 2, memoryMiB: 512 }], selectors: numaBound };
    const third = { id: 'highest', numa: 2 };
    expect(answerTo({ cards: [...cards, third], policy: 'spread', pod })).toBe('high-idle high-half');
  });
});

describe('device scoring weights (spec §6.3)', () => {
  const cards = [
    { id: 'A', memoryMiB: 100, used: { slots: 1, corePercent: 90, memoryMiB: 10 } },
    { id: 'B', memoryMiB: 100, used: { slots: 7, corePercent: 10, memoryMiB: 20 } },
  ];
  it.each([
    { weights: 'slot=1,core=1,memory=1', scores: 'A 16, B 15', want: 'A' },
    { weights: 'slot=1,core=1,memory=3', scores: 'A 26, B 27', want: 'B' },
  ])('$weights: $scores, so binpack takes $want', ({ weights, want }) => {
    const parsed = parseWeights(weights);
    if (!parsed.ok) throw new Error(parsed.problem);
    const pod = { containers: [{ memoryPercent: 40 }], weights: parsed.value };
    expect(answerTo({ cards, policy: 'binpack', pod })).toBe(want);
  });
});

describe('MIG placement on an empty A100 of 40 GB (spec §5.7)', () => {
  it.each([
    {
      name: 'the worked example, one container each',
      containers: [{ memoryMiB: 20_000 }, { memoryMiB: 9000 }, { memoryMiB: 4000 }, { memoryMiB: 4000 }],
      want: 'gpu-0 3g.20gb@4 gpu-0 2g.10gb@0 gpu-0 1g.5gb@3 gpu-0 1g.5gb@2',
    },
    {
      name: 'several instances in one container',
      containers: [{ count: 3, memoryMiB: 9000 }],
      want: 'gpu-0 2g.10gb@0 gpu-0 2g.10gb@2 gpu-0 2g.10gb@4',
    },
    {
      name: 'an init container keeps its instance beside those of the apps',
      containers: [{ role: 'init' as const, memoryMiB: 20_000 }, { memoryMiB: 20_000 }],
      want: 'gpu-0 3g.20gb@4 gpu-0 3g.20gb@0',
    },
    {
      name: 'and so keeps a second app from the card',
      containers: [
        { role: 'init' as const, memoryMiB: 20_000 },
        { memoryMiB: 20_000 },
        { memoryMiB: 20_000 },
      ],
      want: '1/1 CardMigTopologyInfeasible',
    },
    {
      name: 'Q11: all of the card is its largest instance',
      containers: [{ memoryPercent: 100 }],
      want: 'gpu-0 7g.40gb@0',
    },
    {
      name: 'a half is an instance of three slices',
      containers: [{ memoryPercent: 49 }],
      want: 'gpu-0 3g.20gb@4',
    },
  ])('$name: $want', ({ containers, want }) => {
    expect(answerTo({ cards: [a100], pod: { containers } })).toBe(want);
  });
});

describe('topology-aware choice (spec §5.6.1)', () => {
  const linked = (links: Readonly<Record<string, number>>, fields: CardFields = {}): CardFields => ({
    ...fields,
    linkScores: new Map(Object.entries(links)),
  });
  /** Taken from the last: gpu-3, gpu-2, gpu-1, gpu-0. */
  const four = [
    linked({ 'gpu-1': 100, 'gpu-2': 100, 'gpu-3': 200 }),
    linked({ 'gpu-0': 100, 'gpu-2': 200, 'gpu-3': 100 }),
    linked({ 'gpu-0': 100, 'gpu-1': 200, 'gpu-3': 50 }),
    linked({ 'gpu-0': 200, 'gpu-1': 100, 'gpu-2': 50 }),
  ];
  const vectors: Vector[] = [
    {
      name: 'one card: the lowest sum, the first in pick order of equals (gpu-2 and gpu-3 have 350)',
      cards: four,
      pod: { containers: [{ memoryMiB: 1 }] },
      want: 'gpu-3',
    },
    {
      name: 'two cards: the best pair, the first in pick order of equals',
      cards: four,
      pod: { containers: [{ count: 2, memoryMiB: 1 }] },
      want: 'gpu-3 gpu-0',
    },
    {
      name: 'three cards: the largest sum of pairs (3-1-0 and 2-1-0 have 400, the first of them)',
      cards: four,
      pod: { containers: [{ count: 3, memoryMiB: 1 }] },
      want: 'gpu-3 gpu-1 gpu-0',
    },
    {
      name: 'exactly as many as fit: all of them in pick order',
      cards: four,
      pod: { containers: [{ count: 4, memoryMiB: 1 }] },
      want: 'gpu-3 gpu-2 gpu-1 gpu-0',
    },
    {
      name: 'no scores at all count 0: pick order',
      cards: [{}, {}, {}],
      pod: { containers: [{ count: 2, memoryMiB: 1 }] },
      want: 'gpu-2 gpu-1',
    },
    {
      name: 'negative scores: the least bad pair',
      cards: [linked({}), linked({ 'gpu-0': -1 }), linked({ 'gpu-0': -9, 'gpu-1': -5 })],
      pod: { containers: [{ count: 2, memoryMiB: 1 }] },
      want: 'gpu-1 gpu-0',
    },
    {
      name: 'too few: as everywhere',
      cards: [linked({ 'gpu-1': 10 }), linked({ 'gpu-0': 10 }, { healthy: false })],
      pod: { containers: [{ count: 2, memoryMiB: 1 }] },
      want: '1/2 AllocatedCardsInsufficientRequest, 1/2 CardNotHealth',
    },
    {
      name: 'Q28: bound to a NUMA node, the best pair of every node, not of the last one visited',
      cards: [
        linked({ 'gpu-1': 200 }, { numa: 0 }),
        linked({ 'gpu-0': 200 }, { numa: 0 }),
        linked({ 'gpu-3': 20, 'gpu-1': 900 }, { numa: 1 }),
        linked({ 'gpu-2': 20, 'gpu-1': 900 }, { numa: 1 }),
      ],
      pod: { containers: [{ count: 2, memoryMiB: 1 }], selectors: numaBound },
      want: 'gpu-1 gpu-0',
    },
    {
      name: 'two instances where there is one card: of that card',
      cards: [a100],
      pod: { containers: [{ count: 2, memoryMiB: 9000 }] },
      want: 'gpu-0 2g.10gb@0 gpu-0 2g.10gb@2',
    },
    {
      name: 'linked cards must be affordable together, in compute as in memory',
      cards: four,
      pod: { containers: [{ count: 2, memoryMiB: 1, corePercent: 50 }] },
      quota: quotaOf(undefined, 75),
      want: '1/4 AllocatedCardsInsufficientRequest, 3/4 ResourceQuotaNotFit',
    },
    {
      name: 'cards too dear to be taken twice still serve where the quota allows one of them and a cheaper one',
      cards: [{ memoryMiB: 1000 }, { memoryMiB: 500 }],
      pod: { containers: [{ count: 2, memoryPercent: 100 }] },
      quota: quotaOf(1500, undefined),
      want: 'gpu-1 gpu-0',
    },
  ];
  it.each(vectors)('$name: $want', ({ want, ...question }) => {
    expect(answerTo({ ...question, policy: 'topology-aware' })).toBe(want);
  });
});
