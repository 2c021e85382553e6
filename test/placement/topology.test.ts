import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Device } from '../../src/model/device.ts';
import { chooseLinked, linkSum } from '../../src/placement/topology.ts';
import { makeDevice } from '../support/views.ts';

interface Card {
  readonly device: Device;
}

/** Cards `0`, `1`, … in pick order; `links` holds the points between two of them, both ways. */
function makeCards(total: number, links: Readonly<Record<string, number>>): readonly Card[] {
  return Array.from({ length: total }, (_, index) => {
    const linkScores = new Map<string, number>();
    for (const [pair, points] of Object.entries(links)) {
      const [a, b] = pair.split('-');
      if (a === String(index) && b !== undefined) linkScores.set(b, points);
      if (b === String(index) && a !== undefined) linkScores.set(a, points);
    }
    return { device: makeDevice({ id: String(index), index, linkScores }) };
  });
}

const idsOf = (cards: readonly Card[]) => cards.map(({ device }) => device.id);

/** Eight cards in two islands of four that were listed alternately: good links within, poor ones across. */
const islands = Object.fromEntries(
  Array.from({ length: 8 }, (_, a) =>
    Array.from({ length: a }, (__, b) => [`${b}-${a}`, a % 2 === b % 2 ? 150 : 10] as const),
  ).flat(),
);

describe('chooseLinked takes the set that is linked best (spec §5.6.1)', () => {
  const cases: {
    name: string;
    total: number;
    count: number;
    links: Readonly<Record<string, number>>;
    want: readonly string[];
  }[] = [
    {
      name: "the pair of spec §1.4's example with the most points",
      total: 4,
      count: 2,
      links: { '0-1': 100, '0-2': 100, '0-3': 200, '1-2': 200, '1-3': 100, '2-3': 100 },
      want: ['0', '3'],
    },
    { name: 'a pair at the end', total: 4, count: 2, links: { '2-3': 10 }, want: ['2', '3'] },
    {
      name: 'three whose sum is largest, not the pair that is best and any third',
      total: 5,
      count: 3,
      links: { '0-1': 100, '2-3': 60, '2-4': 60, '3-4': 60 },
      want: ['2', '3', '4'],
    },
    { name: 'one island rather than both', total: 8, count: 4, links: islands, want: ['0', '2', '4', '6'] },
    { name: 'pick order between equals', total: 6, count: 3, links: {}, want: ['0', '1', '2'] },
    {
      name: 'the earlier of equal pairs',
      total: 4,
      count: 2,
      links: { '0-3': 50, '1-2': 50 },
      want: ['0', '3'],
    },
    {
      name: 'pairs without points before pairs with negative ones',
      total: 3,
      count: 2,
      links: { '0-1': -5, '0-2': -5 },
      want: ['1', '2'],
    },
    {
      name: 'the least bad where all are negative',
      total: 3,
      count: 2,
      links: { '0-1': -9, '0-2': -3, '1-2': -6 },
      want: ['0', '2'],
    },
    {
      name: 'pick order beyond eight cards, too, where no plugin reports links',
      total: 16,
      count: 8,
      links: {},
      want: ['0', '1', '2', '3', '4', '5', '6', '7'],
    },
    { name: 'all there are when no more are wanted', total: 3, count: 3, links: {}, want: ['0', '1', '2'] },
    { name: 'all there are when more are wanted', total: 2, count: 3, links: {}, want: ['0', '1'] },
    { name: 'none of none wanted', total: 2, count: 0, links: {}, want: [] },
  ];
  it.each(cases)('$name', ({ total, count, links, want }) => {
    expect(idsOf(chooseLinked(makeCards(total, links), count))).toEqual(want);
  });
});

describe('chooseLinked takes for one card the one that is linked worst', () => {
  const cases: { name: string; links: Readonly<Record<string, number>>; want: string }[] = [
    { name: 'the one with the smallest sum', links: { '0-1': 100, '0-2': 10, '1-2': 20 }, want: '2' },
    { name: 'the first of equal sums', links: { '0-1': 10, '0-2': 10, '1-2': 10 }, want: '0' },
    { name: 'the first where nothing is known', links: {}, want: '0' },
    { name: 'one without any link before linked ones', links: { '0-2': 10 }, want: '1' },
    { name: 'a negative sum before 0', links: { '1-2': -1 }, want: '1' },
    {
      name: 'what is linked to cards that are no candidates does not count',
      links: { '0-7': 900, '1-2': 5 },
      want: '0',
    },
  ];
  it.each(cases)('$name', ({ links, want }) => {
    expect(idsOf(chooseLinked(makeCards(3, links), 1))).toEqual([want]);
  });

  it('does not count a link of a card to itself', () => {
    const [first, second] = makeCards(2, {});
    const odd = { device: { ...first!.device, linkScores: new Map([['0', 900]]) } };
    expect(chooseLinked([odd, second!], 1)).toEqual([odd]);
  });
});

describe('links that differ by direction', () => {
  const from = (id: string, links: Readonly<Record<string, number>>) => ({
    device: makeDevice({ id, linkScores: new Map(Object.entries(links)) }),
  });
  const cards = [from('a', { b: 7 }), from('b', { a: 900, c: 3 }), from('c', { a: 900, b: 900 })];

  it('count as the earlier card reports them', () => {
    expect(linkSum(cards)).toBe(7 + 3);
    expect(linkSum([...cards].reverse())).toBe(900 + 900 + 900);
    expect(idsOf(chooseLinked(cards, 2))).toEqual(['a', 'b']);
  });

  it('count as the earlier card reports them among more than eight, too', () => {
    const many = Array.from({ length: 12 }, (_, index) =>
      from(String(index), {
        ...Object.fromEntries(Array.from({ length: index }, (__, earlier) => [String(earlier), 900])),
        ...(index === 3 ? { '5': 5, '7': 5 } : {}),
        ...(index === 5 ? { '7': 5 } : {}),
      }),
    );
    expect(idsOf(chooseLinked(many, 3))).toEqual(['3', '5', '7']);
  });

  it('are 0 for cards of which the plugin says nothing', () => {
    const silent = { device: makeDevice({ id: 'd' }) };
    expect(linkSum([silent, ...cards.slice(0, 1)])).toBe(0);
    expect(linkSum([silent])).toBe(0);
    expect(linkSum([])).toBe(0);
  });
});

describe('chooseLinked of any cards', () => {
  const links = fc.dictionary(
    fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: 11 })).map(([a, b]) => `${a}-${b}`),
    fc.integer({ min: -50, max: 500 }),
    { maxKeys: 60 },
  );

  it('answers with as many as were wanted, in pick order, and the same each time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat({ max: 12 }), links, (total, count, points) => {
        const cards = makeCards(total, points);
        const chosen = chooseLinked(cards, count);
        expect(chosen).toEqual(cards.filter((card) => chosen.includes(card)));
        expect(chosen.length).toBe(Math.min(count, total));
        expect(idsOf(chooseLinked(makeCards(total, points), count))).toEqual(idsOf(chosen));
      }),
    );
  });

  it('of up to eight, no other set has a larger sum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 8 }),
        fc.integer({ min: 2, max: 7 }),
        links,
        (total, count, points) => {
          const cards = makeCards(total, points);
          const sums = subsets(cards, count).map(linkSum);
          if (count < total) expect(linkSum(chooseLinked(cards, count))).toBe(Math.max(...sums));
        },
      ),
    );
  });
});

function subsets(cards: readonly Card[], count: number): readonly (readonly Card[])[] {
  if (count === 0) return [[]];
  return cards.flatMap((card, index) =>
    subsets(cards.slice(index + 1), count - 1).map((rest) => [card, ...rest]),
  );
}
