/** Nodes whose device plugins are of other ages than ours: their cards are found, shared and handed out all the same. */
import { expect } from '@jest/globals';
import type { NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import type { PluginVersion } from '../../../src/emulator/node-agent/plugin-version.ts';
import { gpuLimits } from '../../support/kubernetes-objects.ts';
import { partsOf, podManifest } from './pods.ts';
import type { Scenario } from './scenario.ts';

const versions: readonly PluginVersion[] = ['2.7', '2.8', '2.9', '2.10'];
const nodeOf = (version: PluginVersion) => `plugin-${version.replace('.', '-')}`;

/** Cards of which the plugins announce twice the memory. */
const nodes: readonly NodeDescription[] = versions.map((version) => ({
  name: nodeOf(version),
  cpu: '64',
  memory: '512Gi',
  gpus: [0, 1].map((numa) => ({ type: 'Tesla T4', memoryMiB: 15_360, numa })),
  plugin: { version, memoryScaling: 2 },
}));

const on = (version: PluginVersion) => ({ nodeSelector: { 'kubernetes.io/hostname': nodeOf(version) } });

export const oldPlugins: Scenario = {
  name: 'cards of device plugins of every age are shared',
  nodes,
  play: async ({ cluster }) => {
    for (const version of versions) {
      const name = `on-${nodeOf(version)}`;
      await cluster.create(
        podManifest(name, {
          containers: [{}, { count: 2, memoryPercent: 50 }, { count: 1, memoryMiB: 1000 }],
          spec: on(version),
        }),
      );
      const parts = partsOf(await cluster.running(name));
      const half = { memoryMiB: 15_360, corePercent: 0 };
      expect({ version, parts }).toMatchObject({ version, parts: [[], [half, half], [{ memoryMiB: 1000 }]] });
    }
  },
};

export const oldPluginsAndInitContainers: Scenario = {
  name: 'a pod with an init container gets its cards from old device plugins, too',
  nodes,
  play: async ({ cluster }) => {
    // v2.9 announces itself as v2.8 does and counts all containers; it is served once the configuration says so.
    for (const version of versions.filter((some) => some !== '2.9')) {
      const name = `init-on-${nodeOf(version)}`;
      const spec = {
        ...on(version),
        initContainers: [{ name: 'prepare', image: 'registry.invalid/pause:1' }],
        containers: [
          {
            name: 'main',
            image: 'registry.invalid/pause:1',
            resources: { limits: gpuLimits({ count: 1, memoryMiB: 1000 }) },
          },
        ],
      };
      await cluster.create(podManifest(name, { spec }));
      await cluster.running(name);
    }
  },
};
