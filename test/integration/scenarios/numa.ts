/** Containers bound to one NUMA node: all their cards are of one node, whatever the policy would like better. */
import { expect } from '@jest/globals';
import { partsOf, podManifest, refusalOf } from './pods.ts';
import type { Scenario } from './scenario.ts';

const bound = { 'nvidia.com/numa-bind': 'true' };
const numaNodes = [0, 0, 1, 1];
const idOf = (index: number) => `GPU-numa-${index}`;

export const numaBound: Scenario = {
  name: 'a NUMA-bound container has all cards from one NUMA node, or waits',
  nodes: [
    {
      name: 'two-sockets',
      cpu: '64',
      memory: '512Gi',
      gpus: numaNodes.map((numa, index) => ({
        type: 'NVIDIA A100-SXM4-80GB',
        memoryMiB: 81_920,
        id: idOf(index),
        numa,
      })),
    },
  ],
  play: async ({ cluster }) => {
    const on = (index: number, asks: object) => ({
      containers: [{ count: 1, ...asks }],
      annotations: { 'nvidia.com/use-gpuuuid': idOf(index) },
    });
    // Packing would take card 1, the fullest that has room, and one of the other socket beside it.
    await cluster.create(
      podManifest('all-of-0', on(0, {})),
      podManifest('part-of-1', on(1, { memoryMiB: 40_000 })),
    );
    await cluster.running('all-of-0');
    await cluster.running('part-of-1');

    const two = { containers: [{ count: 2, memoryMiB: 1000 }] };
    await cluster.create(podManifest('bound', { ...two, annotations: bound }));
    const [cards = []] = partsOf(await cluster.running('bound'));
    expect(cards.map(({ device }) => device).sort()).toEqual([idOf(2), idOf(3)]);

    await cluster.create(
      podManifest('three', { containers: [{ count: 3, memoryMiB: 1000 }], annotations: bound }),
    );
    const waiting = await cluster.waitForPod('three', 'is refused', (pod) => refusalOf(pod) !== undefined);
    expect(refusalOf(waiting)?.message).toContain('NumaNotFit');
    await cluster.create(podManifest('unbound', { containers: [{ count: 3, memoryMiB: 1000 }] }));
    const [unbound = []] = partsOf(await cluster.running('unbound'));
    expect(unbound).toHaveLength(3);
  },
};
