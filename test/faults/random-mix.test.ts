/** One random mix with a single server and one with two; and a seed is a history: played twice, it is the same. */
import { describe, expect, it, jest } from '@jest/globals';
import { randomMix } from './mix.ts';
import { play } from './scenario.ts';
import { seeds } from './settings.ts';

jest.setTimeout(120_000);

const pods = 60;
const cases = [1, 2].flatMap((replicas) => seeds(1, replicas).map((seed) => ({ seed, replicas })));

describe('a random mix of faults', () => {
  it.each(cases)('does no harm with seed $seed and $replicas server(s)', async ({ seed, replicas }) => {
    const { served } = await play(randomMix(pods, seed, replicas), seed);
    expect(served).toBeGreaterThan(0);
  });

  it('is the same history again with the same seed, and another one with another', async () => {
    const digestOf = async (seed: number) => (await play(randomMix(20, 5, 2), seed)).digest;
    const first = await digestOf(5);
    expect(await digestOf(5)).toBe(first);
    expect(await digestOf(6)).not.toBe(first);
  });
});
