import { describe, expect } from '@jest/globals';
import { migCard } from '../../src/emulator/node-agent/mig-cards.ts';
import {
  migBurst,
  migLargestProfile,
  migSeveral,
  migUntilFull,
  migWholeCard,
} from '../integration/scenarios/mig.ts';
import type { Cluster } from './harness/cluster.ts';
import { eventsAbout } from './harness/events.ts';
import { eventually } from './harness/eventually.ts';
import { startSharing } from './harness/installation.ts';
import { startMachines } from './harness/machines.ts';
import { listPods, podManifest, untilAllIn } from './harness/pods.ts';
import { playOn } from './harness/stage.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

describe('cards in MIG mode', () => {
  let tessera: Tessera;

  const scenario = useCluster(async (cluster) => {
    tessera = await startSharing(cluster);
  });

  scenario(migUntilFull.name, async (cluster) => {
    await playOn(cluster, tessera, migUntilFull);
    const [event] = await eventsAbout(cluster, 'next', 'FailedScheduling');
    expect(event?.message).toMatch(/^0\/1 nodes are available: 1 CardMigTopologyInfeasible\b/);
  });

  for (const play of [migSeveral, migWholeCard, migLargestProfile, migBurst]) {
    scenario(play.name, (cluster) => playOn(cluster, tessera, play));
  }
});

/**
 * The device plugin writes the instances that it made into the pod with the version it has read, once, and the pod fails
 * where anybody else has written meanwhile. Such an API server is the one on which the server itself writes then.
 */
describe('cards in MIG mode under an API server that does not copy labels', () => {
  const scenario = useCluster(
    async (cluster) => {
      await startSharing(cluster);
    },
    { apiServerArgs: ['--feature-gates=PodTopologyLabelsAdmission=false'] },
  );

  scenario('are handed out undisturbed, and the label follows', async (cluster) => {
    const gpus = [migCard('A100-40GB'), migCard('A100-40GB')];
    const agent = await startMachines(cluster, [{ name: 'cut', cpu: '64', memory: '256Gi', gpus }]);
    const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 1000 };
    const names = Array.from({ length: 10 }, (_, index) => `tiny-${index}`);
    await cluster.create(names.map((name) => podManifest({ name, containers: [{ limits }] })));
    await untilAllIn(cluster, 'Running', { timeoutMs: 30_000 });
    await untilLabelled(cluster, 'cut');
    for (const { metadata } of await listPods(cluster)) {
      expect(metadata.annotations?.['hami.io/vgpu-mig-allocations']).toMatch(/"migUUID":"MIG-/);
    }
    expect(agent.book.faults).toEqual([]);
  });
});

async function untilLabelled(cluster: Cluster, node: string): Promise<void> {
  await eventually('all pods have the label', async () => {
    const without = (await listPods(cluster)).filter(
      ({ metadata }) => metadata.labels?.['hami.io/vgpu-node'] !== node,
    );
    return without.length === 0 ? { done: true } : { not: `${without.length} have not` };
  });
}
