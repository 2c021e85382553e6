/**
 * SIGKILL of the server at every crash point of a bind, and SIGSTOP there with a take-over in between: the point is
 * reached on purpose, the bind has its end all the same, and no card, lock or reservation is left over.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import { crashPoints } from './bind-steps.ts';
import { playCrash } from './crash-scenario.ts';
import { killAndReplace, stopAndTakeOver } from './misfortunes.ts';
import { seeds } from './settings.ts';

jest.setTimeout(60_000);

/** Longer than a take-over in these histories, so that who takes over has not seen the last bind. */
const watchLagMs = 6000;

describe('the only server is killed', () => {
  it.each(crashPoints)('at %s, and nothing is lost or left over', async (point) => {
    for (const seed of seeds(1)) {
      const outcome = await playCrash({ point, seed, replicas: 1, watchLagMs: 0 }, (world, server) => {
        killAndReplace(world, server, seededRandom(seed));
      });
      expect(outcome).toEqual({ struck: [point], subject: 'Running' });
    }
  });
});

describe('the leader is stopped, another one takes over, and it goes on', () => {
  it.each(crashPoints)('at %s, and nothing is lost or left over', async (point) => {
    for (const seed of seeds(1)) {
      const outcome = await playCrash({ point, seed, replicas: 2, watchLagMs }, (world, server) => {
        stopAndTakeOver(world, server, seededRandom(seed));
      });
      expect(outcome).toEqual({ struck: [point], subject: 'Running' });
    }
  });
});
