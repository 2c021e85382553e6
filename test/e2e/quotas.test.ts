import { afterEach, describe, expect } from '@jest/globals';
import { quotaLimits } from '../integration/scenarios/quota.ts';
import type { Cluster } from './harness/cluster.ts';
import { startSharing } from './harness/installation.ts';
import { sharesOf } from './harness/judgements.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { clearPods, podManifest, untilPhase, untilRefused } from './harness/pods.ts';
import { untilNodesKnown } from './harness/questions.ts';
import { playOn } from './harness/stage.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

const namespace = 'team-a';
const soon = { namespace, timeoutMs: 5000 };

let cluster: Cluster;
let tessera: Tessera;

const scenario = useCluster(async (started) => {
  cluster = started;
  tessera = await startSharing(cluster);
  await cluster.kubectl(['create', 'namespace', namespace]);
});

afterEach(() => clearPods(cluster, namespace));

async function setQuota(name: string, hard: Readonly<Record<string, string>>): Promise<void> {
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name, namespace },
    spec: { hard },
  });
}

/** Half of a card's 16384 MiB: how much that is, only the planner knows. */
function half(name: string): object {
  const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem-percentage': 50 };
  return podManifest({ name, namespace, containers: [{ limits }] });
}

async function createRefused(name: string): Promise<void> {
  await cluster.create([half(name)]);
  const { status } = await untilRefused(cluster, name, namespace);
  expect(status.conditions?.[0]?.message).toContain('ResourceQuotaNotFit');
}

/** When the server last changed the node for the sake of waiting pods. */
function nudgedAt(): Promise<string> {
  const output = 'jsonpath={.metadata.annotations.tessera\\.io/released-at}';
  return cluster.kubectl(['get', 'node', 'gpu-1', '-o', output]);
}

describe('a quota', () => {
  scenario(quotaLimits.name, () => playOn(cluster, tessera, quotaLimits));

  /**
   * Neither a pod nor a node changes here, and quotas do not wake anybody in kube-scheduler: that the server changes a
   * node is what does.
   */
  scenario('that is raised, or deleted, wakes the pod that waits for it', async () => {
    await startMachines(cluster, [makeMachine('gpu-1', 4)]);
    await untilNodesKnown(cluster, tessera, ['gpu-1']);
    await setQuota('gpu', { 'limits.nvidia.com/gpumem': '10000' });
    await cluster.create([half('first')]);
    await untilPhase(cluster, 'first', 'Running', { namespace });
    await createRefused('second');
    const before = await nudgedAt();
    await setQuota('gpu', { 'limits.nvidia.com/gpumem': '20000' });
    const second = await untilPhase(cluster, 'second', 'Running', soon);
    expect(sharesOf(second)).toMatchObject([[{ memoryMiB: 8192 }]]);
    expect(await nudgedAt()).not.toBe(before);

    await createRefused('third');
    await cluster.kubectl(['delete', 'resourcequota', 'gpu', '-n', namespace]);
    await untilPhase(cluster, 'third', 'Running', soon);
  });

  scenario('of nothing at all lets nobody in, and pods that run stay', async () => {
    await cluster.create([half('before')]);
    await untilPhase(cluster, 'before', 'Running', { namespace });
    await setQuota('none', { 'limits.nvidia.com/gpucores': '0' });
    const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 100, 'nvidia.com/gpucores': 10 };
    const pod = podManifest({ name: 'after', namespace, containers: [{ limits }] });
    await expect(cluster.create([pod])).rejects.toThrow(
      /admission webhook "pods\.tessera\.io" denied the request: exceeding resource quota: pod asks for limits\.nvidia\.com\/gpucores 10, namespace team-a has used 0 of 0 \(ResourceQuota "none"\)/,
    );
    await untilPhase(cluster, 'before', 'Running', { namespace });
  });
});
