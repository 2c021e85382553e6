/** Each named fault alone, on the simulated cluster: it comes about, and nothing that must never happen happens. */
import { describe, expect, it, jest } from '@jest/globals';
import { alone } from './mix.ts';
import { play } from './scenario.ts';
import { seeds } from './settings.ts';

jest.setTimeout(60_000);

describe('with one kind of fault', () => {
  it.each(alone)('$name does no harm', async (scenario) => {
    for (const seed of seeds(1)) {
      const { counts, served } = await play(scenario, seed);
      expect(counts.get(scenario.name) ?? 0).toBeGreaterThan(0);
      expect(served).toBeGreaterThan(scenario.pods / 4);
    }
  });
});
