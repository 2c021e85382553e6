import { describe, expect, it } from '@jest/globals';
import type { Refusal } from '../../src/model/reason.ts';
import { reasonCodesOf, refusalSentence, wireReason } from '../../src/scheduler/refusal-text.ts';

const cards = (
  refused: (Refusal & { code: 'AllocatedCardsInsufficientRequest' })['refused'],
  accepted = 0,
  total = 8,
): Refusal => ({
  code: 'AllocatedCardsInsufficientRequest',
  container: 'main',
  vendor: 'NVIDIA',
  wanted: 2,
  accepted,
  cards: total,
  refused,
});

const cases: {
  name: string;
  refusal: Refusal;
  wantWords: string;
  wantCounters: string;
  wantSentence: string;
  wantCodes: readonly string[];
}[] = [
  {
    name: "the reference's example (spec §5.6.2)",
    refusal: cards({ CardInsufficientMemory: 4, CardUuidMismatch: 3 }, 1),
    wantWords: 'AllocatedCardsInsufficientRequest, CardInsufficientMemory, CardUuidMismatch',
    wantCounters: '1/8 AllocatedCardsInsufficientRequest, 3/8 CardUuidMismatch, 4/8 CardInsufficientMemory',
    wantSentence:
      'container "main" needs 2 of 8 NVIDIA cards, 1 would do; refused: 4 CardInsufficientMemory, 3 CardUuidMismatch',
    wantCodes: ['CardInsufficientMemory', 'CardUuidMismatch'],
  },
  {
    name: 'the two reasons of the wire example (spec §5.1)',
    refusal: cards({ CardTypeMismatch: 1, CardInsufficientMemory: 1 }, 0, 2),
    wantWords: 'CardInsufficientMemory, CardTypeMismatch',
    wantCounters: '1/2 CardInsufficientMemory, 1/2 CardTypeMismatch',
    wantSentence:
      'container "main" needs 2 of 2 NVIDIA cards, 0 would do; refused: 1 CardInsufficientMemory, 1 CardTypeMismatch',
    wantCodes: ['CardInsufficientMemory', 'CardTypeMismatch'],
  },
  {
    name: 'counters, which sort as text, bytewise',
    refusal: cards({ CardNotHealth: 2, CardInsufficientCore: 10 }, 0, 12),
    wantWords: 'CardInsufficientCore, CardNotHealth',
    wantCounters: '10/12 CardInsufficientCore, 2/12 CardNotHealth',
    wantSentence:
      'container "main" needs 2 of 12 NVIDIA cards, 0 would do; refused: 10 CardInsufficientCore, 2 CardNotHealth',
    wantCodes: ['CardInsufficientCore', 'CardNotHealth'],
  },
  {
    name: 'a node without register',
    refusal: { code: 'NodeUnregistered', vendor: 'NVIDIA' },
    wantWords: 'node unregistered',
    wantCounters: 'node unregistered',
    wantSentence: 'the node announces no such device',
    wantCodes: ['NodeUnregistered'],
  },
  {
    name: 'a node whose plugin is gone',
    refusal: { code: 'NodeUnregistered', vendor: 'NVIDIA', detail: 'the plugin does not run' },
    wantWords: 'node unregistered',
    wantCounters: 'node unregistered',
    wantSentence: 'the plugin does not run',
    wantCodes: ['NodeUnregistered'],
  },
  {
    name: 'more cards wanted than there are',
    refusal: { code: 'NodeInsufficientDevice', container: 'main', vendor: 'NVIDIA', wanted: 4, cards: 2 },
    wantWords: 'NodeInsufficientDevice',
    wantCounters: 'NodeInsufficientDevice',
    wantSentence: 'container "main" asks for 4 NVIDIA cards, the node has 2',
    wantCodes: ['NodeInsufficientDevice'],
  },
  {
    name: 'a count resource that is used up',
    refusal: { code: 'NodeCountExhausted', resource: 'nvidia.com/gpu', wanted: 2, free: -1 },
    wantWords: 'NodeCountExhausted',
    wantCounters: 'NodeCountExhausted',
    wantSentence: 'the pod asks for 2 of nvidia.com/gpu, the node has 0 left',
    wantCodes: ['NodeCountExhausted'],
  },
  {
    name: 'a node closed by a pod that was bound past us',
    refusal: { code: 'NodeClosed', pod: 'team-a/static' },
    wantWords: 'NodeClosed',
    wantCounters: 'NodeClosed',
    wantSentence:
      'pod team-a/static was bound there past the scheduler and waits for devices; until it runs or is gone, it could be given those of another pod',
    wantCodes: ['NodeClosed'],
  },
  {
    name: 'a request that cannot be read',
    refusal: { code: 'RequestInvalid', problems: ['one', 'two'] },
    wantWords: 'RequestInvalid: one; two',
    wantCounters: 'RequestInvalid: one; two',
    wantSentence: 'one; two',
    wantCodes: ['RequestInvalid'],
  },
];

describe('a refusal', () => {
  it.each(cases)('$name: reason words alone on the wire', ({ refusal, wantWords }) => {
    expect(wireReason(refusal, false)).toBe(wantWords);
  });

  it.each(cases)("$name: with HAMi's counters by the switch", ({ refusal, wantCounters }) => {
    expect(wireReason(refusal, true)).toBe(wantCounters);
  });

  it.each(cases)('$name: as a sentence', ({ refusal, wantSentence }) => {
    expect(refusalSentence(refusal)).toBe(wantSentence);
  });

  it.each(cases)('$name: as codes for metrics', ({ refusal, wantCodes }) => {
    expect(reasonCodesOf(refusal)).toEqual(wantCodes);
  });

  it('reads the same in whatever order its cards were refused', () => {
    const one = cards({ CardUuidMismatch: 3, CardInsufficientMemory: 4 }, 1);
    const other = cards({ CardInsufficientMemory: 4, CardUuidMismatch: 3 }, 1);
    expect(wireReason(one, false)).toBe(wireReason(other, false));
    expect(refusalSentence(one)).toBe(refusalSentence(other));
  });
});
