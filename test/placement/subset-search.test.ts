import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { heaviestSubset, type PairWeight } from '../../src/placement/subset-search.ts';

type Weights = readonly (readonly number[])[];

const weightOf =
  (weights: Weights): PairWeight =>
  (a, b) =>
    weights[Math.max(a, b)]?.[Math.min(a, b)] ?? 0;

function sumOf(members: readonly number[], weight: PairWeight): number {
  return members.reduce(
    (sum, member, place) =>
      sum + members.slice(place + 1).reduce((part, other) => part + weight(member, other), 0),
    0,
  );
}

/** Every subset in lexicographic order. */
function subsets(from: number, total: number, count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]];
  const firsts = Array.from({ length: Math.max(0, total - from) }, (_, offset) => from + offset);
  return firsts.flatMap((first) => subsets(first + 1, total, count - 1).map((rest) => [first, ...rest]));
}

function firstHeaviest(total: number, count: number, weight: PairWeight): readonly number[] {
  return subsets(0, total, count).reduce((best, one) =>
    sumOf(one, weight) > sumOf(best, weight) ? one : best,
  );
}

/** What adding the most strongly drawn position again and again gives, from the first one on. */
function plainGreedy(total: number, count: number, weight: PairWeight): readonly number[] {
  const members = [0];
  while (members.length < count) {
    const others = Array.from({ length: total }, (_, position) => position).filter(
      (one) => !members.includes(one),
    );
    const pull = (one: number) => members.reduce((sum, member) => sum + weight(member, one), 0);
    members.push(others.reduce((best, one) => (pull(one) > pull(best) ? one : best)));
  }
  return members;
}

const weightsOf = (total: number, points: fc.Arbitrary<number>): fc.Arbitrary<Weights> =>
  fc.tuple(
    ...Array.from({ length: total }, (_, row) => fc.array(points, { minLength: row, maxLength: row })),
  );

/** Few different values make many ties. */
const coarse = fc.constantFrom(-10, 0, 0, 10, 20);
const fine = fc.integer({ min: -100, max: 1860 });
/** Links as machines have them: a path over PCIe, and NVLinks in some pairs. */
const pointsOfLinks = fc
  .tuple(fc.constantFrom(10, 20, 30, 40, 50), fc.constantFrom(0, 0, 0, 100, 200, 400))
  .map(([path, nvlinks]) => path + nvlinks);

const sizes = (least: number, most: number) =>
  fc
    .integer({ min: least, max: most })
    .chain((total) =>
      fc.record({ total: fc.constant(total), count: fc.integer({ min: 2, max: total - 1 }) }),
    );

const casesOf = (least: number, most: number) =>
  sizes(least, most).chain(({ total, count }) =>
    fc.record({
      total: fc.constant(total),
      count: fc.constant(count),
      weights: weightsOf(total, fc.oneof(coarse, fine)),
    }),
  );

describe('heaviestSubset of up to eight positions', () => {
  it('is the first of the heaviest in lexicographic order', () => {
    fc.assert(
      fc.property(casesOf(3, 8), ({ total, count, weights }) => {
        const weight = weightOf(weights);
        expect(heaviestSubset(total, count, weight)).toEqual(firstHeaviest(total, count, weight));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    { name: 'none of none wanted', total: 4, count: 0, want: [] },
    { name: 'none of fewer than none', total: 4, count: -1, want: [] },
    { name: 'all when so many are wanted', total: 3, count: 3, want: [0, 1, 2] },
    { name: 'all when more are wanted', total: 2, count: 5, want: [0, 1] },
    { name: 'none where there are none', total: 0, count: 2, want: [] },
  ])('$name', ({ total, count, want }) => {
    expect(heaviestSubset(total, count, () => 1)).toEqual(want);
  });
});

describe('heaviestSubset of more than eight positions', () => {
  it('has the wanted size, ascending, is the same each time and never lighter than the plain greedy one', () => {
    fc.assert(
      fc.property(casesOf(9, 20), ({ total, count, weights }) => {
        const weight = weightOf(weights);
        const found = heaviestSubset(total, count, weight);
        expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
        expect(found.length).toBe(count);
        expect(found.every((position) => position >= 0 && position < total)).toBe(true);
        expect(heaviestSubset(total, count, weight)).toEqual(found);
        expect(sumOf(found, weight)).toBeGreaterThanOrEqual(sumOf(plainGreedy(total, count, weight), weight));
      }),
    );
  });

  it.each([2, 3, 4, 5])(
    'of 10 positions %i: at least 85 percent of the best sum, and mostly the best',
    (count) => {
      const draws = 60;
      let exact = 0;
      fc.assert(
        fc.property(weightsOf(10, pointsOfLinks), (weights) => {
          const weight = weightOf(weights);
          const best = sumOf(firstHeaviest(10, count, weight), weight);
          const found = sumOf(heaviestSubset(10, count, weight), weight);
          expect(found).toBeGreaterThanOrEqual(0.85 * best);
          if (found === best) exact += 1;
        }),
        { numRuns: draws, endOnFailure: true, seed: 20_240_601 },
      );
      expect(exact).toBeGreaterThanOrEqual(0.9 * draws);
    },
  );

  it('finds the island of eight among sixteen, wherever its positions are', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...Array(16).keys()], { minLength: 8, maxLength: 8 }), (island) => {
        const weight: PairWeight = (a, b) => (island.includes(a) && island.includes(b) ? 150 : 10);
        expect(heaviestSubset(16, 8, weight)).toEqual([...island].sort((a, b) => a - b));
      }),
    );
  });

  it('improves what was grown: every member of the best set draws an outsider more strongly than its fellows', () => {
    const outsiderOf = (member: number) => member - 4;
    const weight: PairWeight = (a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      if (high < 4 || high > 7) return 0;
      return low >= 4 ? 60 : low === outsiderOf(high) ? 100 : 0;
    };
    expect(heaviestSubset(12, 4, weight)).toEqual([4, 5, 6, 7]);
  });
});

describe('Q27: what the search costs', () => {
  /** How many weights are asked for. */
  function costOf(total: number, count: number, weight: PairWeight): number {
    let asked = 0;
    heaviestSubset(total, count, (a, b) => {
      asked += 1;
      return weight(a, b);
    });
    return asked;
  }

  it.each([
    { total: 16, count: 8, wantMost: 3424 },
    { total: 16, count: 4, wantMost: 16 * 4 * 15 + 16 * (4 * 12 + 30) },
    { total: 32, count: 16, wantMost: 32 * 16 * 31 + 16 * (16 * 16 + 62) },
  ])(
    '$count of $total ask for at most $wantMost weights, whatever they are',
    ({ total, count, wantMost }) => {
      fc.assert(
        fc.property(weightsOf(total, fc.oneof(coarse, fine, pointsOfLinks)), (weights) => {
          expect(costOf(total, count, weightOf(weights))).toBeLessThanOrEqual(wantMost);
        }),
        { numRuns: 50 },
      );
    },
  );

  it('enumerates no more than 8 over 4 sets', () => {
    expect(costOf(8, 4, () => 1)).toBeLessThanOrEqual(70 * 6);
  });
});
