import { describe, expect } from '@jest/globals';
import { stringify } from 'yaml';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import { parsePage } from '../telemetry/exposition-page.ts';
import type { Cluster } from './harness/cluster.ts';
import { eventually } from './harness/eventually.ts';
import {
  type HamiChart,
  hamiNamespace,
  hamiPod,
  type HamiReplica,
  installHamiChart,
  startReplica,
} from './harness/hami-chart.ts';
import { sharesOf } from './harness/judgements.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { checkMigration } from './harness/migration-check.ts';
import { findPod, listPods, podManifest, type PodState, untilPhase, untilRefused } from './harness/pods.ts';
import { getSecurely } from './harness/secure-get.ts';
import { useCluster } from './harness/use-cluster.ts';

/**
 * HAMi's own chart runs our program: its arguments, roles, Service, webhook (which speaks `v1beta1`) and kube-scheduler
 * (which asks for no priorities, over HTTPS, and trusts anybody).
 */
const roleLabel = 'hami.io/scheduler-role';
const cardMiB = 16_384;

let cluster: Cluster;
let agent: NodeAgent;
let chart: HamiChart;
let first: HamiReplica;
let second: HamiReplica;

const scenario = useCluster(async (started) => {
  cluster = started;
  agent = await startMachines(cluster, [makeMachine('gpu-1', 1), makeMachine('gpu-2', 2)]);
  chart = await installHamiChart(cluster);
  await cluster.create(
    ['hami-scheduler-1', 'hami-scheduler-10'].map((pod) => hamiPod(pod, 'example.com/hami:v2.10.0')),
  );
});

function shared(name: string, memoryMiB: number, annotations: Readonly<Record<string, string>> = {}): object {
  const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': memoryMiB };
  return podManifest({ name, annotations, containers: [{ limits }] });
}

async function run(
  name: string,
  memoryMiB: number,
  annotations?: Readonly<Record<string, string>>,
): Promise<PodState> {
  await cluster.create([shared(name, memoryMiB, annotations)]);
  return untilPhase(cluster, name, 'Running');
}

/** Waits until the pods' labels say this, and sends the webhook's Service where its selector does. */
async function untilLed(by: HamiReplica): Promise<void> {
  await eventually(
    `${by.pod} leads`,
    async () => {
      const pods = await listPods(cluster, hamiNamespace);
      const roles = Object.fromEntries(
        pods.map(({ metadata }) => [metadata.name, metadata.labels?.[roleLabel]]),
      );
      const leaders = Object.keys(roles).filter((pod) => roles[pod] === 'leader');
      return leaders.join() === by.pod ? { done: true } : { not: JSON.stringify(roles) };
    },
    20_000,
  );
  await cluster.routeService(hamiNamespace, 'hami-scheduler', by.port);
}

async function untilWebhookAnswers(): Promise<void> {
  const input = stringify(shared('probe', 100));
  await eventually('the webhook takes a pod over', async () => {
    const text = await cluster.kubectl(['create', '--dry-run=server', '-o', 'json', '-f', '-'], { input });
    const { schedulerName } = (JSON.parse(text) as PodState).spec;
    return schedulerName === 'hami-scheduler' ? { done: true } : { not: schedulerName ?? 'no scheduler' };
  });
}

async function believedRole({ port }: HamiReplica): Promise<unknown> {
  const state = await getSecurely(`https://127.0.0.1:${port}/debug/state`, chart.authority);
  return (state as { role?: string }).role;
}

describe('before the move, tessera migrate check', () => {
  scenario('finds what HAMi has installed', async () => {
    const { exitCode, findings } = await checkMigration(cluster, ['--scheduler-name', 'hami-scheduler']);
    expect(exitCode).toBe(0);
    const codes = findings.map(({ code, object }) => `${code} ${object.name}`);
    expect(codes).toEqual(
      expect.arrayContaining([
        'HamiSchedulerRunning hami-scheduler-1',
        'HamiSchedulerRunning hami-scheduler-10',
        'HamiWebhookPresent hami-webhook',
        'WebhookIgnoresFailures hami-webhook',
      ]),
    );
  });
});

describe('our program in the place of HAMi’s scheduler', () => {
  scenario('leads with the kube-scheduler in its pod', async () => {
    first = await startReplica(cluster, chart, 'hami-scheduler-1');
    await untilLed(first);
    expect(await believedRole(first)).toBe('leader');
    await untilWebhookAnswers();
  });

  scenario('schedules pods, on the one node that the policy likes best', async () => {
    // Packing fills the node that suits more tightly, although kube-scheduler's own plugins would spread.
    for (const name of ['a', 'b', 'c']) {
      const { spec } = await run(name, 3000);
      expect({ name, node: spec.nodeName }).toEqual({ name, node: 'gpu-1' });
      expect(spec.schedulerName).toBe('hami-scheduler');
    }
    const { spec } = await run('apart', 3000, { 'hami.io/node-scheduler-policy': 'spread' });
    expect(spec.nodeName).toBe('gpu-2');
    expect(agent.book.faults).toEqual([]);
  });

  scenario('refuses what it cannot understand, through HAMi’s webhook', async () => {
    const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': '16Gi' };
    const pod = podManifest({ name: 'unclear', containers: [{ limits }] });
    await expect(cluster.create([pod])).rejects.toThrow(
      /webhook "vgpu\.hami\.io" denied the request: .*16Gi/,
    );
    expect(await findPod(cluster, 'unclear')).toBeUndefined();
  });

  scenario('shows HAMi’s metrics where HAMi does', async () => {
    const [share] = sharesOf((await findPod(cluster, 'apart'))!).flat();
    const page = await (await fetch(`http://127.0.0.1:${first.metricsPort}/metrics`)).text();
    const samples = parsePage(page).find(({ name }) => name === 'hami_vgpu_memory_allocated_bytes')?.samples;
    expect(samples?.map(({ labels }) => labels['pod']).sort()).toEqual(['a', 'apart', 'b', 'c']);
    expect(samples).toContainEqual({
      name: 'hami_vgpu_memory_allocated_bytes',
      labels: {
        namespace: 'default',
        node: 'gpu-2',
        pod: 'apart',
        container_index: '0',
        device_uuid: share?.id,
        zone: 'vGPU',
      },
      value: 3000 * 2 ** 20,
    });
  });
});

describe('a second replica', () => {
  scenario('follows, and is labelled so', async () => {
    second = await startReplica(cluster, chart, 'hami-scheduler-10');
    await eventually('it is labelled', async () => {
      const role = (await findPod(cluster, second.pod, hamiNamespace))?.metadata.labels?.[roleLabel];
      return role === 'follower' ? { done: true } : { not: role ?? 'no label' };
    });
    await untilLed(first);
    expect(await believedRole(second)).toBe('follower');
  });

  scenario('leads when the first one’s kube-scheduler is killed, and knows what was given', async () => {
    await first.kubeScheduler.end('SIGKILL');
    await untilLed(second);
    expect(await believedRole(first)).toBe('follower');
    expect(await believedRole(second)).toBe('leader');

    const { spec } = await run('exact', cardMiB - 9000);
    expect(spec.nodeName).toBe('gpu-1');
    await run('large', cardMiB);
    await cluster.create([shared('next', cardMiB - 2999)]);
    await untilRefused(cluster, 'next');
    await cluster.kubectl(['delete', 'pod', 'apart']);
    await untilPhase(cluster, 'next', 'Running');
    expect(agent.book.faults).toEqual([]);
  });
});
