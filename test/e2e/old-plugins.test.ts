import { describe } from '@jest/globals';
import { gpuLimits } from '../support/kubernetes-objects.ts';
import { oldPlugins, oldPluginsAndInitContainers } from '../integration/scenarios/old-plugins.ts';
import { podManifest } from '../integration/scenarios/pods.ts';
import type { Scenario } from '../integration/scenarios/scenario.ts';
import { startSharing } from './harness/installation.ts';
import { playOn } from './harness/stage.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

/** What v2.8 and v2.9 publish looks alike, so only the configuration can tell which of them a node has. */
const initContainersOnV29: Scenario = {
  name: 'a plugin of v2.9 serves a pod with an init container once the configuration says how it counts',
  nodes: oldPlugins.nodes.filter(({ plugin }) => plugin?.version === '2.9'),
  play: async ({ cluster }) => {
    const image = 'registry.invalid/pause:1';
    const resources = { limits: gpuLimits({ count: 1, memoryMiB: 1000 }) };
    const spec = {
      initContainers: [{ name: 'prepare', image }],
      containers: [{ name: 'main', image, resources }],
    };
    await cluster.create(podManifest('prepared', { spec }));
    await cluster.running('prepared');
  },
};

let tessera: Tessera;

const scenario = useCluster(async (cluster) => {
  tessera = await startSharing(cluster);
});

describe('device plugins from v2.7 to v2.10', () => {
  for (const play of [oldPlugins, oldPluginsAndInitContainers]) {
    scenario(play.name, (cluster) => playOn(cluster, tessera, play));
  }

  scenario(initContainersOnV29.name, async (cluster) => {
    await tessera.restartWith({ vendors: { nvidia: { allocationEntries: 'all' } } });
    await playOn(cluster, tessera, initContainersOnV29);
  });
});
