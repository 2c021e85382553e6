/** Why a node is refused: the numbers of the wire protocol's worked examples and conformance tables. */
import { describe, expect, it } from '@jest/globals';
import { a100Profiles } from '../support/mig-devices.ts';
import type { ContainerFields, PodRequestFields } from '../support/requests.ts';
import type { CardFields } from '../support/views.ts';
import { a100, answerTo, numaBound, quotaOf, type Vector } from './ask-planner.ts';

const many = (count: number, card: CardFields): readonly CardFields[] =>
  Array.from({ length: count }, () => card);

describe('the reasons of one node, as HAMi counts them (spec §5.6, §14)', () => {
  const one = (fields: ContainerFields): PodRequestFields => ({ containers: [fields] });
  const vectors: Vector[] = [
    {
      name: 'a card of 128 MiB, 512 asked',
      cards: [{ memoryMiB: 128 }],
      pod: one({ memoryMiB: 512 }),
      want: '1/1 CardInsufficientMemory',
    },
    {
      name: 'all compute promised, 50 asked',
      cards: [{ used: { slots: 1, corePercent: 100 } }],
      pod: one({ memoryMiB: 512, corePercent: 50 }),
      want: '1/1 CardInsufficientCore',
    },
    {
      name: '100 of 100 slots taken',
      cards: [{ slots: 100, used: { slots: 100 } }],
      pod: one({ memoryMiB: 512 }),
      want: '1/1 CardTimeSlicingExhausted',
    },
    {
      name: 'a whole card of compute asked of a card in use',
      cards: [{ used: { slots: 1 } }],
      pod: one({ memoryMiB: 512, corePercent: 100 }),
      want: '1/1 ExclusiveDeviceAllocateConflict',
    },
    {
      name: 'all compute promised, none asked',
      cards: [{ used: { slots: 1, corePercent: 100 } }],
      pod: one({ memoryMiB: 512 }),
      want: '1/1 CardComputeUnitsExhausted',
    },
    {
      name: 'all cards cordoned',
      cards: many(2, { cordoned: true }),
      pod: one({ memoryMiB: 512 }),
      want: '2/2 CardCordoned',
    },
    {
      name: 'mutex, and the only idle card is of the wrong type',
      cards: [{ used: { slots: 1 } }, { type: 'NVIDIA A10' }],
      policy: 'mutex',
      pod: { ...one({ memoryMiB: 512 }), selectors: { NVIDIA: { useTypes: ['a100'] } } },
      want: '1/2 CardTypeMismatch, 1/2 ExclusiveDeviceAllocateConflict',
    },
    {
      name: 'two wanted; of eight cards one fits, three have another id and four no memory (§5.6.2)',
      cards: [{}, ...many(4, { memoryMiB: 100 }), { id: 'x' }, { id: 'y' }, { id: 'z' }],
      pod: { ...one({ count: 2, memoryMiB: 512 }), selectors: { NVIDIA: { avoidIds: ['x', 'y', 'z'] } } },
      want: '1/8 AllocatedCardsInsufficientRequest, 3/8 CardUuidMismatch, 4/8 CardInsufficientMemory',
    },
    {
      name: 'three wanted, two cards',
      cards: [{}, {}],
      pod: one({ count: 3, memoryMiB: 512 }),
      want: 'NodeInsufficientDevice',
    },
    {
      name: 'three wanted, two good cards',
      cards: [{}, {}, { healthy: false }],
      pod: one({ count: 3, memoryMiB: 512 }),
      want: '1/3 CardNotHealth, 2/3 AllocatedCardsInsufficientRequest',
    },
    {
      name: 'three wanted of one NUMA node: two on the one, one on the other',
      cards: [{ numa: 0 }, { numa: 1 }, { numa: 1 }],
      pod: { ...one({ count: 3, memoryMiB: 512 }), selectors: numaBound },
      want: '1/3 AllocatedCardsInsufficientRequest, 2/3 NumaNotFit',
    },
    {
      name: 'a NUMA node whose cards are full is visited, and what the one before gave is put back',
      cards: [{ numa: 0, memoryMiB: 100 }, { numa: 1 }],
      pod: { ...one({ count: 2, memoryMiB: 512 }), selectors: numaBound },
      want: '1/2 CardInsufficientMemory, 1/2 NumaNotFit',
    },
    {
      name: 'a NUMA node whose cards are no choice for the pod is not visited',
      cards: [{ numa: 0, healthy: false }, { numa: 1 }],
      pod: { ...one({ count: 2, memoryMiB: 512 }), selectors: numaBound },
      want: '1/2 AllocatedCardsInsufficientRequest, 1/2 CardNotHealth',
    },
    {
      name: 'a quota that runs out between two cards is the reason before a lack of memory',
      cards: [{ memoryMiB: 100 }, {}],
      policy: 'spread',
      pod: one({ count: 2, memoryMiB: 512 }),
      quota: quotaOf(1000, undefined),
      want: '1/2 AllocatedCardsInsufficientRequest, 1/2 ResourceQuotaNotFit',
    },
    {
      name: 'eight instances of a card that can be cut into seven',
      cards: [a100],
      pod: one({ count: 8, memoryMiB: 4864 }),
      want: '1/1 CardTimeSlicingExhausted, 7/1 AllocatedCardsInsufficientRequest',
    },
    {
      name: 'Q11: a whole card where only halves are allowed',
      cards: [{ ...a100, migProfiles: a100Profiles.filter(({ name }) => name === '3g.20gb') }],
      pod: one({ memoryPercent: 100 }),
      want: '1/1 CardMigTopologyInfeasible',
    },
    {
      name: 'Q11: a whole card of which something is taken',
      cards: [{ ...a100, used: { slots: 1, memoryMiB: 4864 }, occupied: [{ start: 6, size: 1 }] }],
      pod: one({ memoryPercent: 100 }),
      want: '1/1 CardInsufficientMemory',
    },
    {
      name: 'a MIG card whose plugin does not say how it may be cut (before v2.10)',
      cards: [{ mode: 'mig' }],
      pod: one({ memoryMiB: 512 }),
      want: '1/1 ModeNotFit',
    },
    {
      name: 'a MIG card on which somebody has nobody knows what (spec §5.7, fail closed)',
      cards: [{ ...a100, unclear: true }],
      pod: one({ memoryMiB: 512 }),
      want: '1/1 CardNotHealth',
    },
    {
      name: 'two instances of one card by a pod that wants none',
      cards: [a100],
      pod: { ...one({ count: 2, memoryMiB: 512 }), selectors: { NVIDIA: { modes: 'hami-core' } } },
      want: 'NodeInsufficientDevice',
    },
  ];
  it.each(vectors)('$name: $want', ({ want, ...question }) => {
    expect(answerTo(question)).toBe(want);
  });

  it('two equal free cards: the last is taken', () => {
    expect(answerTo({ cards: [{}, {}], pod: one({ memoryMiB: 512 }) })).toBe('gpu-1');
  });
});

function init(memoryMiB: number): ContainerFields {
  return { role: 'init', memoryMiB };
}

describe('a quota of 2000 MiB with 1000 used and 400 percent with 200 used (spec §8.4)', () => {
  const quota = quotaOf(2000, 400, { memoryMiB: 1000, corePercent: 200 });
  const refused = '2/2 ResourceQuotaNotFit';
  it.each([
    { name: '1 × 100', containers: [{ memoryMiB: 100 }], want: 'gpu-1' },
    { name: '1 × 1024', containers: [{ memoryMiB: 1024 }], want: refused },
    {
      name: '2 × 1024',
      containers: [{ count: 2, memoryMiB: 1024 }],
      want: refused,
    },
    { name: '2 × 400', containers: [{ count: 2, memoryMiB: 400 }], want: 'gpu-1 gpu-0' },
    {
      name: '2 × 600: the second is one too many',
      containers: [{ count: 2, memoryMiB: 600 }],
      want: '1/2 AllocatedCardsInsufficientRequest, 1/2 ResourceQuotaNotFit',
    },
    {
      name: 'init 800 and 800 with app 500',
      containers: [init(800), init(800), { memoryMiB: 500 }],
      want: 'gpu-1 gpu-1 gpu-1',
    },
    { name: 'init 1500 with app 100', containers: [init(1500), { memoryMiB: 100 }], want: refused },
    {
      name: 'Q10: init 100 with apps 600 and 600',
      containers: [init(100), { memoryMiB: 600 }, { memoryMiB: 600 }],
      want: refused,
    },
    {
      name: 'percent counts as what it is of the card: 13 of 8192 MiB are 1064',
      containers: [{ memoryPercent: 13 }],
      want: refused,
    },
    {
      name: 'compute: three times 100',
      containers: [
        { count: 2, memoryMiB: 1, corePercent: 100 },
        { memoryMiB: 1, corePercent: 100 },
      ],
      want: refused,
    },
  ])('$name: $want', ({ containers, want }) => {
    expect(answerTo({ cards: [{}, {}], policy: 'binpack', pod: { containers }, quota })).toBe(want);
  });

  it('on a MIG card counts what the instance has, not what was asked', () => {
    const pod = (memoryMiB: number) => ({ containers: [{ memoryMiB }] });
    const large = quotaOf(4864, undefined);
    expect(answerTo({ cards: [a100], pod: pod(100), quota: large })).toBe('gpu-0 1g.5gb@6');
    expect(answerTo({ cards: [a100], pod: pod(100), quota: quotaOf(4863, undefined) })).toBe(
      '1/1 ResourceQuotaNotFit',
    );
  });
});
