import { afterEach, describe, expect } from '@jest/globals';
import { stringify } from 'yaml';
import type { Cluster } from './harness/cluster.ts';
import { eventually } from './harness/eventually.ts';
import { startSharing } from './harness/installation.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { clearPods, findPod, podManifest, untilPhase } from './harness/pods.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

let cluster: Cluster;
let tessera: Tessera;

const scenario = useCluster(async (started) => {
  cluster = started;
  await startMachines(cluster, [makeMachine('gpu-1', 2), makeMachine('gpu-2', 2), makeMachine('plain', 0)]);
  tessera = await startSharing(cluster);
});

afterEach(() => clearPods(cluster));

/** As a user does it; what the API server says beside goes to standard error. */
function create(manifest: object) {
  return cluster.kubectlOutput(['create', '-f', '-'], { input: stringify(manifest) });
}

async function reviews(): Promise<number> {
  const results = ['allowed', 'mutated', 'denied', 'warned', 'failed'];
  const counts = await Promise.all(
    results.map((result) => tessera.metric(`tessera_admissions_total{result="${result}"}`)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('a pod that fits nowhere', () => {
  const tooLarge = podManifest({
    name: 'large',
    containers: [{ limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 20_000 } }],
  });

  scenario('is admitted with a warning', async () => {
    const { stderr } = await create(tooLarge);
    expect(stderr).toContain('Warning: no node could serve this pod even if it were idle');
    expect(stderr).toContain('CardInsufficientMemory on 2');
  });

  scenario('shows its reasons in kubectl describe', async () => {
    await create(tooLarge);
    await eventually('kubectl describe shows both events', async () => {
      const text = await cluster.kubectl(['describe', 'pod', 'large']);
      const told =
        /FailedScheduling .*0\/3 nodes are available:.*2 CardInsufficientMemory/.test(text) &&
        /FilteringFailed .*CardInsufficientMemory\(gpu-1,gpu-2\)/.test(text);
      return told ? { done: true } : { not: text };
    });
  });
});

describe('a request that cannot be understood', () => {
  scenario('is denied by the API server with the field and the fix', async () => {
    const pod = podManifest({
      name: 'unclear',
      containers: [{ name: 'train', limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': '16Gi' } }],
    });
    await expect(create(pod)).rejects.toThrow(
      /admission webhook "pods\.tessera\.io" denied the request: .*train.*nvidia\.com\/gpumem.*16Gi/,
    );
    expect(await findPod(cluster, 'unclear')).toBeUndefined();
  });
});

describe('an annotation that belongs to the scheduler', () => {
  scenario('is removed from a new pod, and its owner is told', async () => {
    const reserved = ['hami.io/vgpu-node', 'hami.io/vgpu-devices-allocated', 'tessera.io/seal'];
    const annotations = Object.fromEntries(reserved.map((key) => [key, 'mine']));
    const { stderr } = await create(
      podManifest({ name: 'forged', annotations, labels: { 'hami.io/vgpu-node': 'plain' } }),
    );
    for (const key of reserved) {
      expect(stderr).toContain(`Warning: annotation ${key} is reserved for the scheduler and was removed`);
    }
    expect(stderr).toContain(
      'Warning: label hami.io/vgpu-node is reserved for the scheduler and was removed',
    );
    const pod = await findPod(cluster, 'forged');
    for (const key of reserved) expect(pod?.metadata.annotations ?? {}).not.toHaveProperty([key]);
    expect(pod?.metadata.labels ?? {}).not.toHaveProperty(['hami.io/vgpu-node']);
  });
});

describe('a pod without cards', () => {
  scenario('never comes to the webhook and keeps its scheduler', async () => {
    const before = await reviews();
    await create(podManifest({ name: 'plain', containers: [{ limits: { cpu: 1 } }], initContainers: [{}] }));
    expect(await reviews()).toBe(before);
    expect((await findPod(cluster, 'plain'))?.spec.schedulerName).toBe('default-scheduler');
    await create(podManifest({ name: 'shared', containers: [{ limits: { 'nvidia.com/gpumem': 100 } }] }));
    // At least one: the API server may ask a second time.
    expect(await reviews()).toBeGreaterThan(before);
    await untilPhase(cluster, 'shared', 'Running');
  });
});

describe('the server’s own pod', () => {
  scenario('is labelled as the scheduler in charge', async () => {
    const pod = await findPod(cluster, 'tessera-0', 'tessera-system');
    expect(pod?.metadata.labels).toMatchObject({ 'hami.io/scheduler-role': 'leader' });
  });
});
