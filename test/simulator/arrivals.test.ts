/** Orders of arrival that no file gives: drawn by a seed until a load is reached, or by the times of a trace. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arrivalsByTime } from '../../src/simulator/arrivals-by-time.ts';
import { arrivalsOf, drawnOrder, type OrderWish, upToLoad } from '../../src/simulator/arrivals.ts';
import { parseOpenbPods, type TracePod } from '../../src/simulator/openb-pods.ts';
import { seededRandom, shuffledNumbers } from '../../src/simulator/seeded-random.ts';

describe('seeded chance', () => {
  const first = (seed: number, stream?: number, length = 50) => {
    const random = seededRandom(seed, stream);
    return Array.from({ length }, random);
  };

  it('repeats with its seed and stream and with nothing else', () => {
    expect(first(42)).toEqual(first(42, 0));
    const sequences = [first(42), first(43), first(42, 1), first(42 + 2 ** 32), first(-42)];
    expect(new Set(sequences.map((numbers) => numbers[0])).size).toBe(sequences.length);
  });

  it('stays what it is, so that orders in files can be drawn again', () => {
    expect(first(42, 0, 3).map((number) => number * 2 ** 32)).toEqual([
      1_264_412_219, 1_947_509_147, 3_919_439_299,
    ]);
  });

  it('is spread evenly over [0, 1)', () => {
    const tenths = new Array<number>(10).fill(0);
    for (const number of first(7, 0, 100_000)) tenths[Math.floor(number * 10)]! += 1;
    // Nine deviations of a fair source.
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(900);
  });

  it('shuffles every number to every place alike', () => {
    const random = seededRandom(1);
    const firsts = new Array<number>(5).fill(0);
    for (let round = 0; round < 10_000; round += 1) firsts[shuffledNumbers(5, random)[0]!]! += 1;
    for (const count of firsts) expect(Math.abs(count - 2000)).toBeLessThan(400);
  });
});

const wish = fc.record({
  seed: fc.integer({ min: -5, max: 2 ** 40 }),
  demandsMilli: fc
    .array(fc.constantFrom(0, 10, 470, 810, 1000, 8000), { minLength: 1, maxLength: 60 })
    .filter((demands) => demands.some((demand) => demand > 0)),
  nodes: fc.integer({ min: 1, max: 20 }),
  targetMilli: fc.integer({ min: 0, max: 60_000 }),
});

const drawn = (wished: OrderWish) => {
  const order = drawnOrder(wished);
  if (!order.ok) throw new Error(order.problem);
  return order.value;
};
const askedBy = (order: readonly number[], demands: readonly number[]) =>
  order.reduce((sum, pod) => sum + demands[pod]!, 0);

describe('drawn orders', () => {
  it('are the same for the same wish', () => {
    fc.assert(
      fc.property(wish, (wished) => {
        expect(drawn(wished)).toEqual(drawn(wished));
      }),
    );
  });

  it('reach the load, and go beyond it by the last pod alone', () => {
    fc.assert(
      fc.property(wish, (wished) => {
        const { arrivals } = drawn(wished);
        expect(askedBy(arrivals, wished.demandsMilli)).toBeGreaterThan(wished.targetMilli);
        expect(askedBy(arrivals.slice(0, -1), wished.demandsMilli)).toBeLessThanOrEqual(wished.targetMilli);
      }),
    );
  });

  it('let nobody come again before everybody has come', () => {
    fc.assert(
      fc.property(wish, (wished) => {
        const once = drawn(wished).arrivals.slice(0, wished.demandsMilli.length);
        expect(new Set(once).size).toBe(once.length);
      }),
    );
  });

  it('give every node a rank of its own', () => {
    fc.assert(
      fc.property(wish, (wished) => {
        const { nodeRank } = drawn(wished);
        expect(nodeRank.toSorted((a, b) => a - b)).toEqual(Array.from({ length: wished.nodes }, (_, i) => i));
      }),
    );
  });

  it('differ by seed', () => {
    const demandsMilli = new Array<number>(100).fill(500);
    const orders = [1, 2, 3].map((seed) => drawn({ seed, demandsMilli, nodes: 10, targetMilli: 40_000 }));
    expect(new Set(orders.map(({ arrivals }) => arrivals.join())).size).toBe(3);
    expect(new Set(orders.map(({ nodeRank }) => nodeRank.join())).size).toBe(3);
  });

  it.each([
    {
      name: 'nobody asks for a card',
      demandsMilli: [0, 0],
      targetMilli: 1000,
      want: 'no pod of the workload asks for a card, so it makes no load',
    },
    { name: 'there is nobody', demandsMilli: [], targetMilli: 1000, want: /asks for a card/ },
    {
      name: 'too many would have to come',
      demandsMilli: [1],
      targetMilli: 5_000_001,
      want: 'more than 5000000 pods would have to come for that load',
    },
  ])('are refused where $name', ({ demandsMilli, targetMilli, want }) => {
    const order = drawnOrder({ seed: 1, demandsMilli, nodes: 1, targetMilli });
    expect(order.ok ? '' : order.problem).toMatch(want);
  });
});

describe('an order up to a load', () => {
  const demandsMilli = [1000, 0, 2000];
  it.each([
    { name: 'ends with the pod that goes beyond it', targetMilli: 2500, want: [0, 1, 2] },
    { name: 'goes on while it is just reached', targetMilli: 3000, want: [0, 1, 2, 1, 0] },
    { name: 'is the whole order where that stays below', targetMilli: 9000, want: [0, 1, 2, 1, 0, 1] },
    { name: 'has one pod with cards where the load is nothing', targetMilli: 0, want: [0] },
  ])('$name', ({ targetMilli, want }) => {
    expect(upToLoad([0, 1, 2, 1, 0, 1], { demandsMilli, targetMilli })).toEqual(want);
  });

  it('is one arrival a second, and nobody leaves', () => {
    expect(arrivalsOf([4, 2])).toEqual([
      { pod: 4, atSeconds: 0 },
      { pod: 2, atSeconds: 1 },
    ]);
  });
});

describe('arrivals by time', () => {
  const podsOf = (
    ...times: readonly (readonly [created: string, deleted: string])[]
  ): readonly TracePod[] => {
    const rows = times.map(([created, deleted], index) => `p${index},1,1,1,1000,${created},${deleted}`);
    const header = 'name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time,deletion_time';
    const pods = parseOpenbPods([header, ...rows].join('\n'));
    if (!pods.ok) throw new Error(pods.problem);
    return pods.value;
  };
  const pods = podsOf(['30', '40'], ['10', ''], ['10', '20'], ['5', '12'], ['50', '60']);
  const arrivals = {
    first: { pod: 3, atSeconds: 5, untilSeconds: 12 },
    staying: { pod: 1, atSeconds: 10 },
    third: { pod: 2, atSeconds: 10, untilSeconds: 20 },
    fourth: { pod: 0, atSeconds: 30, untilSeconds: 40 },
    last: { pod: 4, atSeconds: 50, untilSeconds: 60 },
  };
  const { first, staying, third, fourth, last } = arrivals;

  it.each([
    {
      name: 'are in order of time, equals in that of the file',
      window: undefined,
      want: Object.values(arrivals),
    },
    {
      name: 'of a window begin with those who are there',
      window: { fromSeconds: 12, untilSeconds: 50 },
      want: [{ ...staying, atSeconds: 12 }, { ...third, atSeconds: 12 }, fourth],
    },
    { name: 'of a window end before its end', window: { fromSeconds: 0, untilSeconds: 10 }, want: [first] },
    {
      name: 'of a window hold those who come as it begins',
      window: { fromSeconds: 50, untilSeconds: 51 },
      want: [{ ...staying, atSeconds: 50 }, last],
    },
  ])('$name', ({ window, want }) => {
    expect(arrivalsByTime(pods, window)).toEqual({ ok: true, value: want });
  });

  it.each([
    {
      name: 'a pod without times',
      of: podsOf(['1', '2'], ['', '']),
      window: undefined,
      want: 'pod p1 has no creation_time, so the workload has no times',
    },
    {
      name: 'a window in which nobody comes',
      of: podsOf(['1', '2'], ['50', '60']),
      window: { fromSeconds: 10, untilSeconds: 20 },
      want: 'no pod comes in that time',
    },
  ])('are refused with $name', ({ of, window, want }) => {
    expect(arrivalsByTime(of, window)).toEqual({ ok: false, problem: want });
  });
});
