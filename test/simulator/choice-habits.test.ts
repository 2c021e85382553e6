/** What kube-scheduler does with scores beside taking the highest: it draws among equals, and looks at some nodes only. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ChoiceHabits, chooseNode } from '../../src/simulator/node-choice.ts';
import type { SimulatedPolicy } from '../../src/simulator/policy.ts';
import { seededRandom } from '../../src/simulator/seeded-random.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';

const policy: SimulatedPolicy = {
  name: 'fgd',
  rules: { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') },
  choice: 'highest',
};

const scoresOf = fc.array(fc.constantFrom(NaN, 1, 2, 3), { maxLength: 30 });

function chosen(scores: readonly number[], habits: ChoiceHabits | undefined, seed = 1) {
  const random = seededRandom(seed);
  const rank = scores.map((_, node) => scores.length - node);
  return chooseNode({ scores, policy, rank, random, habits });
}

/** How often each node was chosen. */
function counts(scores: readonly number[], habits: ChoiceHabits, rounds: number): readonly number[] {
  const random = seededRandom(3);
  const times = scores.map(() => 0);
  for (let round = 0; round < rounds; round += 1) {
    const node = chooseNode({ scores, policy, rank: scores.map((_, at) => at), random, habits });
    if (node !== undefined) times[node]! += 1;
  }
  return times;
}

describe('the habits of kube-scheduler', () => {
  it('choose a feasible node where there is one, and the best where all are compared', () => {
    const habits = fc.record({ randomTies: fc.boolean(), samplePart: fc.constantFrom(0.01, 0.4, 1) });
    fc.assert(
      fc.property(scoresOf, habits, fc.nat(), (scores, own, seed) => {
        const node = chosen(scores, own, seed);
        const feasible = scores.filter((score) => !Number.isNaN(score));
        if (feasible.length === 0) expect(node).toBeUndefined();
        else if (own.samplePart === 1) expect(scores[node!]).toBe(Math.max(...feasible));
        else expect(feasible).toContain(scores[node!]);
      }),
    );
  });

  it('change nothing where every node is compared and ties go by rank', () => {
    fc.assert(
      fc.property(scoresOf, (scores) => {
        expect(chosen(scores, { randomTies: false, samplePart: 1 })).toBe(chosen(scores, undefined));
      }),
    );
  });

  it('draw among equals, each as often', () => {
    const [first, lower, second, closed, third] = counts([5, 4, 5, NaN, 5], { randomTies: true }, 3000);
    expect([lower, closed]).toEqual([0, 0]);
    for (const times of [first, second, third]) expect(Math.abs(times! - 1000)).toBeLessThan(130);
  });

  it('compare the part that they are told to, drawn anew each time', () => {
    // The best of ten is among four of them in four cases of ten; the second where it is and the best is not.
    const times = counts([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], { samplePart: 0.4 }, 10_000);
    expect(Math.abs(times[0]! - 4000)).toBeLessThan(250);
    expect(Math.abs(times[1]! - 10_000 * (0.6 * (4 / 9)))).toBeLessThan(250);
    expect(times.slice(7)).toEqual([0, 0, 0]);
  });

  it('compare one node at least', () => {
    const times = counts([1, NaN, 2], { samplePart: 0.01 }, 1000);
    expect(times[0]! + times[2]!).toBe(1000);
    expect(Math.abs(times[0]! - 500)).toBeLessThan(80);
  });

  it('give equals of a sample to the lowest rank', () => {
    expect(chosen([3, 3, 3, 3], { samplePart: 0.99 })).toBe(3);
  });
});
