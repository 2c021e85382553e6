/** The server dies while pods are being bound: its successor knows everything that was given and goes on. */
import { expect } from '@jest/globals';
import { isRunning, partsOf, podManifest } from './pods.ts';
import { machine, type Scenario } from './scenario.ts';

const podCount = 40;
const enoughBound = 8;

export const restart: Scenario = {
  name: 'a server that is killed in the middle loses nothing',
  // Each card holds two such pods: what is forgotten would be given again at once.
  nodes: Array.from({ length: 5 }, (_, index) => machine(`n${index}`, 4)),
  play: async ({ cluster, restartServer }) => {
    const half = { containers: [{ count: 1, memoryPercent: 50, corePercent: 50 }] };
    await cluster.create(...Array.from({ length: podCount }, (_, index) => podManifest(`p${index}`, half)));
    const before = await cluster.waitFor('some are bound', (pods) => {
      const bound = pods.filter(({ spec }) => spec.nodeName !== undefined);
      return bound.length >= enoughBound ? bound : undefined;
    });
    await restartServer();
    const after = await cluster.waitFor(
      'all run',
      (pods) => (pods.length === podCount && pods.every(isRunning) ? pods : undefined),
      30_000,
    );
    // The cluster is full now: the 40 pods hold each of the 20 cards twice.
    const holders = new Map<string, number>();
    for (const { device } of after.flatMap((pod) => partsOf(pod).flat())) {
      holders.set(device, (holders.get(device) ?? 0) + 1);
    }
    expect([...holders.values()]).toEqual(Array(20).fill(2));
    for (const pod of before) {
      const now = after.find(({ metadata }) => metadata.uid === pod.metadata.uid);
      expect(now?.metadata.annotations).toMatchObject({
        'hami.io/vgpu-devices-allocated': pod.metadata.annotations?.['hami.io/vgpu-devices-allocated'],
      });
    }
  },
};
