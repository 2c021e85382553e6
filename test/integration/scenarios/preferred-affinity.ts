/** A user's own wish decides among nodes that suit equally well: our ranking leaves room for it. */
import { expect } from '@jest/globals';
import { podManifest } from './pods.ts';
import { machine, type Scenario } from './scenario.ts';

const zoneLabel = 'topology.kubernetes.io/zone';

const preferring = (zone: string) => ({
  affinity: {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 50,
          preference: { matchExpressions: [{ key: zoneLabel, operator: 'In', values: [zone] }] },
        },
      ],
    },
  },
});

export const preferredAffinity: Scenario = {
  name: 'a preferred node affinity decides between nodes that are equally good',
  nodes: ['a', 'b', 'c'].map((zone) => machine(`in-${zone}`, 1, { labels: { [zoneLabel]: zone } })),
  play: async ({ cluster }) => {
    // Without the wish, all three would go to one and the same node.
    for (const zone of ['a', 'b', 'c']) {
      const name = `wants-${zone}`;
      await cluster.create(
        podManifest(name, { containers: [{ count: 1, memoryMiB: 1000 }], spec: preferring(zone) }),
      );
      const { spec } = await cluster.running(name);
      expect({ name, node: spec.nodeName }).toEqual({ name, node: `in-${zone}` });
      await cluster.clear();
    }
  },
};
