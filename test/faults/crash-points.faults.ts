/** SIGKILL of the leader at every crash point while a second server stands by whose watch is behind, with many seeds. */
import { describe, expect, it, jest } from '@jest/globals';
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import { crashPoints } from './bind-steps.ts';
import { playCrash } from './crash-scenario.ts';
import { killAndReplace } from './misfortunes.ts';
import { seeds } from './settings.ts';

jest.setTimeout(60_000);

const watchLagMs = 6000;

describe('the leader is killed while a second server stands by', () => {
  it.each(crashPoints)('at %s, and nothing is lost or left over', async (point) => {
    for (const seed of seeds(5)) {
      const outcome = await playCrash({ point, seed, replicas: 2, watchLagMs }, (world, server) => {
        killAndReplace(world, server, seededRandom(seed));
      });
      expect(outcome).toEqual({ struck: [point], subject: 'Running' });
    }
  });
});
