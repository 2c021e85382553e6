import { describe, expect } from '@jest/globals';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import type { Cluster } from './harness/cluster.ts';
import { startSharing } from './harness/installation.ts';
import { sharesOf } from './harness/judgements.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { findPod, podManifest, untilGone, untilPhase, untilRefused } from './harness/pods.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

const cardMiB = 16384;
const allocated = 'hami.io/vgpu-devices-allocated';

let cluster: Cluster;
let agent: NodeAgent;
let tessera: Tessera;

const scenario = useCluster(async (started) => {
  cluster = started;
  agent = await startMachines(cluster, [makeMachine('gpu-1', 1)]);
  await runAsHami('inherited', 9000);
  tessera = await startSharing(cluster);
});

/** A pod as HAMi's scheduler leaves it behind, served by the same device plugin. */
async function runAsHami(name: string, memoryMiB: number): Promise<void> {
  const [id = ''] = agent.book.usageOf('gpu-1').keys();
  const allocation = `${id},NVIDIA,${memoryMiB},0:;`;
  await cluster.kubectl([
    'annotate',
    'node',
    'gpu-1',
    `hami.io/mutex.lock=2026-01-01T00:00:00Z,default,${name}`,
  ]);
  await cluster.apply(
    podManifest({
      name,
      schedulerName: 'hami-scheduler',
      labels: { 'hami.io/vgpu-node': 'gpu-1' },
      annotations: {
        'hami.io/vgpu-node': 'gpu-1',
        'hami.io/vgpu-time': '1767225600',
        'hami.io/bind-phase': 'allocating',
        'hami.io/bind-time': '1767225600',
        [allocated]: allocation,
        'hami.io/vgpu-devices-to-allocate': allocation,
      },
      containers: [{ limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': memoryMiB } }],
      spec: { nodeName: 'gpu-1' },
    }),
  );
  await untilPhase(cluster, name, 'Running');
}

async function create(name: string, memoryMiB: number): Promise<void> {
  const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': memoryMiB };
  await cluster.create([podManifest({ name, containers: [{ limits }] })]);
}

async function remove(...names: readonly string[]): Promise<void> {
  await cluster.kubectl(['delete', 'pod', '--wait=false', ...names]);
  for (const name of names) await untilGone(cluster, name);
}

async function restart(): Promise<void> {
  await tessera.end('SIGTERM');
  await tessera.startAgain();
}

describe('a pod that HAMi has placed before', () => {
  scenario('is charged for what it was given', async () => {
    await create('too-large', cardMiB - 9000 + 1);
    await untilRefused(cluster, 'too-large');
    await create('exact', cardMiB - 9000);
    await untilPhase(cluster, 'exact', 'Running');
  });

  scenario('frees its share like any other', async () => {
    await remove('inherited');
    await untilPhase(cluster, 'too-large', 'Running');
    await remove('too-large', 'exact');
    expect(agent.book.faults).toEqual([]);
  });
});

describe('an allocation that its pod’s owner has rewritten', () => {
  scenario('stays charged in full, also after a restart of the server', async () => {
    await create('greedy', 12_000);
    const pod = await untilPhase(cluster, 'greedy', 'Running');
    const [[share] = []] = sharesOf(pod);
    const forged = `${share?.id ?? ''},NVIDIA,100,0:;`;
    await cluster.kubectl(['annotate', 'pod', 'greedy', `${allocated}=${forged}`, '--overwrite']);
    await create('before-restart', 8000);
    await untilRefused(cluster, 'before-restart');
    await restart();
    await create('after-restart', 8000);
    await untilRefused(cluster, 'after-restart');
    expect((await findPod(cluster, 'greedy'))?.metadata.annotations?.[allocated]).toBe(forged);
    await remove('before-restart', 'after-restart');
  });

  scenario('withholds a whole card when it is removed altogether', async () => {
    await cluster.kubectl(['annotate', 'pod', 'greedy', `${allocated}-`]);
    await restart();
    await create('small', 100);
    await untilRefused(cluster, 'small');
    await remove('greedy');
    await untilPhase(cluster, 'small', 'Running');
    expect(agent.book.faults).toEqual([]);
  });
});
