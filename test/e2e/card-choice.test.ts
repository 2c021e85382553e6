import { describe } from '@jest/globals';
import { cordonedCard } from '../integration/scenarios/cordon.ts';
import { numaBound } from '../integration/scenarios/numa.ts';
import { linkedCards } from '../integration/scenarios/topology.ts';
import { startSharing } from './harness/installation.ts';
import { playOn } from './harness/stage.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

let tessera: Tessera;

const scenario = useCluster(async (cluster) => {
  tessera = await startSharing(cluster);
});

describe('the choice of cards', () => {
  for (const play of [numaBound, linkedCards, cordonedCard]) {
    scenario(play.name, (cluster) => playOn(cluster, tessera, play));
  }
});
