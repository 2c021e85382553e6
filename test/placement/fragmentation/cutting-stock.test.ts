import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { roomPrices, sizePrices } from '../../../src/placement/fragmentation/cutting-stock.ts';

function ratesOf(rates: Readonly<Record<number, number>>): Float64Array {
  const table = new Float64Array(101);
  for (const [size, rate] of Object.entries(rates)) table[Number(size)] = rate;
  return table;
}

describe('what room is worth', () => {
  interface Case {
    readonly name: string;
    readonly rates: Readonly<Record<number, number>>;
    /** By room. */
    readonly want: Readonly<Record<number, number>>;
  }
  const cases: Case[] = [
    {
      name: 'a half is worth half a card where halves are asked for, and less than a half nothing',
      rates: { 50: 1 },
      want: { 0: 0, 49: 0, 50: 500, 99: 500, 100: 1000 },
    },
    {
      name: 'of a size that fits three times, each is worth a third, and what is left over nothing',
      rates: { 30: 7 },
      want: { 29: 0, 30: 1000 / 3, 60: 2000 / 3, 89: 2000 / 3, 90: 1000, 100: 1000 },
    },
    {
      name: 'where mostly large parts are asked for, what is left beside them is worth nothing',
      rates: { 60: 2, 40: 1 },
      want: { 40: 0, 59: 0, 60: 1000, 100: 1000 },
    },
    {
      name: 'where mostly small parts are asked for, a large one is worth no more than a small one',
      rates: { 60: 1, 40: 2 },
      want: { 39: 0, 40: 500, 60: 500, 79: 500, 80: 1000 },
    },
    { name: 'nothing is worth anything where nobody asks', rates: {}, want: { 50: 0, 100: 0 } },
  ];
  it.each(cases)('$name', ({ rates, want }) => {
    const prices = roomPrices(ratesOf(rates));
    for (const [room, milli] of Object.entries(want)) expect(prices[Number(room)]).toBeCloseTo(milli, 5);
  });

  const arbitraryRates = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 })), { maxLength: 12 })
    .map((pairs) => ratesOf(Object.fromEntries(pairs)));

  it('grows with the room, never beyond a card, and the whole card is worth one', () => {
    fc.assert(
      fc.property(arbitraryRates, (rates) => {
        const prices = roomPrices(rates);
        for (let room = 1; room <= 100; room += 1) {
          expect(prices[room]).toBeGreaterThanOrEqual(prices[room - 1]!);
        }
        expect(prices[100]).toBeLessThan(1000.001);
        if (rates.some((rate) => rate > 0)) expect(prices[100]).toBeGreaterThan(999.999);
      }),
      { numRuns: 100 },
    );
  });

  it('adds up to the same over cards in whatever order', () => {
    fc.assert(
      fc.property(arbitraryRates, fc.array(fc.nat({ max: 100 }), { maxLength: 16 }), (rates, rooms) => {
        const prices = roomPrices(rates);
        const sum = (list: readonly number[]) => list.reduce((total, room) => total + prices[room]!, 0);
        expect(sum([...rooms].reverse())).toBe(sum(rooms));
      }),
    );
  });
});

/** All ways of cutting a card into sizes, how often each. */
function patternsOf(sizes: readonly number[], room = 100): readonly (readonly number[])[] {
  const [first, ...rest] = sizes;
  if (first === undefined) return [[]];
  const patterns: (readonly number[])[] = [];
  for (let times = 0; times * first <= room; times += 1) {
    for (const others of patternsOf(rest, room - times * first)) patterns.push([times, ...others]);
  }
  return patterns;
}

/** The solution of a square system of equations, or undefined where it has no single one. */
function solve(
  rows: readonly (readonly number[])[],
  right: readonly number[],
): readonly number[] | undefined {
  const matrix = rows.map((row, index) => [...row, right[index]!]);
  const size = rows.length;
  for (let column = 0; column < size; column += 1) {
    const pivot = matrix.findIndex((row, index) => index >= column && Math.abs(row[column]!) > 1e-9);
    if (pivot < 0) return undefined;
    [matrix[column], matrix[pivot]] = [matrix[pivot]!, matrix[column]!];
    for (const [index, row] of matrix.entries()) {
      if (index === column) continue;
      const factor = row[column]! / matrix[column]![column]!;
      for (let at = column; at <= size; at += 1) row[at]! -= factor * matrix[column]![at]!;
    }
  }
  return matrix.map((row, index) => row[size]! / row[index]!);
}

function choose<T>(items: readonly T[], count: number): readonly (readonly T[])[] {
  if (count === 0) return [[]];
  return items.flatMap((item, index) =>
    choose(items.slice(index + 1), count - 1).map((rest) => [item, ...rest]),
  );
}

/** The best of all corners of { π ≥ 0, no pattern worth more than one card }. */
function bestByEnumeration(sizes: readonly number[], rates: readonly number[]): number {
  const patterns = patternsOf(sizes);
  const bounds = [
    ...patterns.filter((pattern) => pattern.some((times) => times > 0)).map((row) => ({ row, right: 1 })),
    ...sizes.map((_, at) => ({ row: sizes.map((__, column) => (column === at ? 1 : 0)), right: 0 })),
  ];
  let best = 0;
  for (const tight of choose(bounds, sizes.length)) {
    const prices = solve(
      tight.map(({ row }) => row),
      tight.map(({ right }) => right),
    );
    if (prices === undefined || prices.some((price) => price < -1e-9)) continue;
    if (patterns.some((pattern) => worthOf(pattern, prices) > 1 + 1e-9)) continue;
    best = Math.max(best, worthOf(rates, prices));
  }
  return best;
}

function worthOf(amounts: readonly number[], prices: readonly number[]): number {
  return amounts.reduce((sum, amount, index) => sum + amount * prices[index]!, 0);
}

describe('the prices of sizes', () => {
  it('are the best for which nothing cut from a card is worth more than a card', () => {
    const sizes = fc.uniqueArray(fc.integer({ min: 22, max: 100 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 3, maxLength: 3 }),
        (list, all) => {
          const ordered = [...list].sort((a, b) => a - b);
          const rates = all.slice(0, ordered.length);
          const prices = sizePrices(ordered, rates);
          for (const price of prices) expect(price).toBeGreaterThanOrEqual(-1e-6);
          for (const pattern of patternsOf(ordered)) expect(worthOf(pattern, prices)).toBeLessThan(1 + 1e-6);
          expect(worthOf(rates, prices)).toBeCloseTo(bestByEnumeration(ordered, rates), 5);
        },
      ),
      { numRuns: 60 },
    );
  });
});
