/** Arrivals that leave again: drawn by a seed, and as much present at any time as was asked for. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { churnArrivals, churnRounds, type ChurnWish } from '../../src/simulator/arrivals-churn.ts';

const wish = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 40 }),
  demandsMilli: fc
    .array(fc.constantFrom(0, 470, 810, 1000, 8000), { minLength: 1, maxLength: 60 })
    .filter((demands) => demands.some((demand) => demand > 0)),
  nodes: fc.integer({ min: 1, max: 20 }),
  presentMilli: fc.integer({ min: 1000, max: 20_000 }),
});

function churn(wished: ChurnWish) {
  const drawn = churnArrivals(wished);
  if (!drawn.ok) throw new Error(drawn.problem);
  return drawn.value;
}

describe('arrivals that leave again', () => {
  it('are the same for the same wish, and others for another seed', () => {
    fc.assert(
      fc.property(wish, (wished) => {
        expect(churn(wished)).toEqual(churn({ ...wished }));
      }),
    );
    const wished = { seed: 1, demandsMilli: [10, 20, 30], nodes: 3, presentMilli: 1000 };
    expect(churn(wished)).not.toEqual(churn({ ...wished, seed: 2 }));
  });

  it('come in order of time, leave after they came, and ask for the load as often as there are rounds', () => {
    fc.assert(
      fc.property(wish, (wished) => {
        const { arrivals, nodeRank } = churn(wished);
        let asked = 0;
        const faults = arrivals.filter(({ pod, atSeconds, untilSeconds = NaN }) => {
          const isOnTime = atSeconds === Math.max(0, asked - wished.presentMilli);
          asked += wished.demandsMilli[pod]!;
          return !isOnTime || !(untilSeconds >= atSeconds && untilSeconds < Infinity);
        });
        expect(faults).toEqual([]);
        const target = churnRounds * wished.presentMilli;
        expect(asked).toBeGreaterThan(target);
        expect(asked - wished.demandsMilli[arrivals.at(-1)!.pod]!).toBeLessThanOrEqual(target);
        expect([...nodeRank].sort((a, b) => a - b)).toEqual(
          Array.from({ length: wished.nodes }, (_, at) => at),
        );
      }),
    );
  });

  it.each([0.5, 1, 1.3])('ask for the load at any time, on average: %s of a thousand cards', (load) => {
    const presentMilli = load * 1_000_000;
    const demandsMilli = [470, 810, 1000, 0, 1000, 250];
    const means = [1, 2, 3].map((seed) => {
      const { arrivals } = churn({ seed, demandsMilli, nodes: 1, presentMilli });
      const end = arrivals.at(-1)!.atSeconds;
      const stays = arrivals.reduce(
        (sum, { pod, atSeconds, untilSeconds = end }) =>
          sum + demandsMilli[pod]! * (Math.min(untilSeconds, end) - atSeconds),
        0,
      );
      return stays / end / presentMilli;
    });
    // A mean over four lifetimes of a thousand pods and more strays by about two percent.
    for (const mean of means) expect(Math.abs(mean - 1)).toBeLessThan(0.06);
    // They are there from the start.
    const { arrivals } = churn({ seed: 1, demandsMilli, nodes: 1, presentMilli });
    const first = arrivals.filter(({ atSeconds }) => atSeconds === 0);
    const atOnce = first.reduce((sum, { pod }) => sum + demandsMilli[pod]!, 0);
    expect(Math.abs(atOnce - presentMilli)).toBeLessThanOrEqual(1000);
  });

  it('stay for times that are spread as those of chance without memory are', () => {
    const { arrivals } = churn({ seed: 5, demandsMilli: [500], nodes: 1, presentMilli: 2_000_000 });
    const stays = arrivals.map(({ atSeconds, untilSeconds = NaN }) => (untilSeconds - atSeconds) / 2_000_000);
    const longer = (time: number) => stays.filter((stay) => stay > time).length / stays.length;
    expect(stays.length).toBeGreaterThan(19_000);
    for (const time of [0.1, 0.5, 1, 2, 3]) expect(longer(time)).toBeCloseTo(Math.exp(-time), 1.5);
  });

  it('are refused where nobody asks for a card', () => {
    expect(churnArrivals({ seed: 1, demandsMilli: [0, 0], nodes: 1, presentMilli: 1000 })).toMatchObject({
      ok: false,
    });
  });
});
