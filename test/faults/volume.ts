/** Random mixes in number: ten thousand pods, in shares for the test runner's workers. */
import { describe, expect, it, jest } from '@jest/globals';
import { randomMix } from './mix.ts';
import { play } from './scenario.ts';
import { seeds } from './settings.ts';

const podsEach = 100;
const histories = 100;

/** The histories of one worker out of several. */
export function describeVolume(share: number, shares: number): void {
  jest.setTimeout(600_000);
  const own = seeds(histories).filter((_, index) => index % shares === share);
  describe('random mixes of faults', () => {
    it.each(own)('do no harm with seed %d', async (seed) => {
      const { served } = await play(randomMix(podsEach, seed, 1 + (seed % 2)), seed);
      expect(served).toBeGreaterThan(0);
    });
  });
}
