import { describe, expect } from '@jest/globals';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import { eventually } from './harness/eventually.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { findPod, podManifest, untilGone, untilPhase } from './harness/pods.ts';
import { plainSchedulerConfig } from './harness/scheduler-config.ts';
import { useCluster } from './harness/use-cluster.ts';

let agent: NodeAgent;

const scenario = useCluster(async (cluster) => {
  agent = await startMachines(cluster, [makeMachine('gpu-1', 2), makeMachine('gpu-2', 1)]);
  await cluster.startScheduler(plainSchedulerConfig);
});

describe('the control plane of the run', () => {
  scenario('has the pinned versions', async (cluster) => {
    const { serverVersion } = JSON.parse(await cluster.kubectl(['version', '-o', 'json'])) as {
      serverVersion: { gitVersion: string };
    };
    expect(serverVersion.gitVersion).toMatch(/^v1\.36\.\d+$/);
  });

  scenario('shows the agent’s nodes as ready and schedulable, with their cards', async (cluster) => {
    const text = await cluster.kubectl(['get', 'node', 'gpu-1', '-o', 'json']);
    const node = JSON.parse(text) as {
      metadata: { annotations: Record<string, string> };
      spec: { taints?: object[] };
      status: { allocatable: Record<string, string>; conditions: { type: string; status: string }[] };
    };
    expect(node.spec.taints ?? []).toEqual([]);
    expect(node.status.allocatable['nvidia.com/gpu']).toBe('20');
    expect(node.status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
    expect(node.metadata.annotations['hami.io/node-nvidia-register']).toMatch(/^\[\{"id":"GPU-/);
  });
});

describe('a plain pod', () => {
  scenario('is bound by kube-scheduler, runs, and goes when it is deleted', async (cluster) => {
    await cluster.apply(podManifest({ name: 'plain' }));
    const pod = await untilPhase(cluster, 'plain', 'Running');
    expect(['gpu-1', 'gpu-2']).toContain(pod.spec.nodeName);
    await cluster.kubectl(['delete', 'pod', 'plain', '--wait=false']);
    await untilGone(cluster, 'plain');
  });

  scenario('ends well when its time is over', async (cluster) => {
    await cluster.apply(
      podManifest({ name: 'short', annotations: { 'tessera.io/run-seconds': '0.2' }, initContainers: [{}] }),
    );
    await untilPhase(cluster, 'short', 'Succeeded');
  });

  scenario(
    'that asks for cards and was given none by a scheduler is refused by its kubelet',
    async (cluster) => {
      await cluster.apply(podManifest({ name: 'bare', containers: [{ limits: { 'nvidia.com/gpu': 1 } }] }));
      const pod = await untilPhase(cluster, 'bare', 'Failed');
      expect(pod.status.reason).toBe('UnexpectedAdmissionError');
      expect(agent.book.records).toEqual([]);
    },
  );
});

describe('a pod with an allocation', () => {
  scenario('receives it from the plugin, which erases it and gives the lock back', async (cluster) => {
    const [id = ''] = agent.book.usageOf('gpu-2').keys();
    await cluster.kubectl([
      'annotate',
      'node',
      'gpu-2',
      'hami.io/mutex.lock=2026-01-01T00:00:00Z,default,shared',
    ]);
    const allocation = `${id},NVIDIA,3000,30:;`;
    await cluster.apply(
      podManifest({
        name: 'shared',
        annotations: {
          'hami.io/vgpu-node': 'gpu-2',
          'hami.io/bind-phase': 'allocating',
          'hami.io/bind-time': '1767225600',
          'hami.io/vgpu-devices-allocated': allocation,
          'hami.io/vgpu-devices-to-allocate': allocation,
        },
        containers: [{ limits: { 'nvidia.com/gpu': 1 } }],
        spec: { nodeName: 'gpu-2' },
      }),
    );
    const pod = await untilPhase(cluster, 'shared', 'Running');
    expect(pod.metadata.annotations).toMatchObject({
      'hami.io/bind-phase': 'success',
      'hami.io/vgpu-devices-to-allocate': ';;',
      'hami.io/vgpu-devices-allocated': allocation,
    });
    expect(await cluster.kubectl(['get', 'node', 'gpu-2', '-o', 'yaml'])).not.toContain('hami.io/mutex.lock');
    expect(agent.book.usageOf('gpu-2').get(id)).toEqual({ slots: 1, memoryMiB: 3000, corePercent: 30 });
    expect(agent.book.faults).toEqual([]);
  });
});

describe('a quota', () => {
  scenario('is enforced once its status is set', async (cluster) => {
    await cluster.kubectl(['create', 'namespace', 'small']);
    const hard = { 'requests.nvidia.com/gpu': '1' };
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'cards', namespace: 'small' },
      spec: { hard },
    });
    const used = { 'requests.nvidia.com/gpu': '0' };
    await cluster.kubectl([
      'patch',
      'resourcequota',
      'cards',
      '-n',
      'small',
      '--subresource=status',
      '--type=merge',
      `-p=${JSON.stringify({ status: { hard, used } })}`,
    ]);
    const pod = podManifest({
      name: 'large',
      namespace: 'small',
      containers: [{ limits: { 'nvidia.com/gpu': 2 } }],
    });
    await eventually('the quota refuses a pod', () =>
      cluster.apply(pod).then(
        () => Promise.resolve({ not: 'the pod was created' }),
        (error: unknown) =>
          Promise.resolve(String(error).includes('exceeded quota') ? { done: true } : { not: String(error) }),
      ),
    );
    expect(await findPod(cluster, 'large', 'small')).toBeUndefined();
  });
});

describe('the API server', () => {
  scenario('comes back with its data after a crash, and the agent finds it again', async (cluster) => {
    await cluster.killApiServer();
    await cluster.restartApiServer();
    await cluster.apply(podManifest({ name: 'afterwards', spec: { nodeName: 'gpu-1' } }));
    await untilPhase(cluster, 'afterwards', 'Running', { timeoutMs: 45_000 });
  });
});
