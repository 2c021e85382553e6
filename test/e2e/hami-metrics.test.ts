import { beforeAll, describe, expect } from '@jest/globals';
import type { Sample } from '../telemetry/exposition-page.ts';
import { machines, startBusyCluster } from './harness/busy-cluster.ts';
import type { Cluster } from './harness/cluster.ts';
import { eventsAbout } from './harness/events.ts';
import { eventually } from './harness/eventually.ts';
import { sharesOf } from './harness/judgements.ts';
import { hamiSamples } from './harness/metrics-page.ts';
import type { PodState } from './harness/pods.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

let cluster: Cluster;
let tessera: Tessera;
let pods: readonly PodState[];

const scenario = useCluster(async (started) => {
  cluster = started;
  ({ tessera, pods } = await startBusyCluster(cluster));
});

describe('HAMi’s metrics', () => {
  let samples: readonly Sample[];

  beforeAll(async () => {
    samples = hamiSamples(await tessera.metricsPage());
  });

  /** Values of one metric by one of its labels, summed. */
  function valuesOf(metric: string, label: string): Readonly<Record<string, number>> {
    const values: Record<string, number> = {};
    for (const { name, labels, value } of samples) {
      const key = labels[label] ?? '';
      if (name === metric) values[key] = (values[key] ?? 0) + value;
    }
    return values;
  }

  scenario('have every card with its size', () => {
    const sizes = machines.flatMap(({ gpus, plugin }) =>
      gpus.map(({ id = '', memoryMiB }) => [id, memoryMiB * (plugin?.memoryScaling ?? 1) * 2 ** 20]),
    );
    expect(valuesOf('hami_gpu_memory_limit_bytes', 'device_uuid')).toEqual(Object.fromEntries(sizes));
    return Promise.resolve();
  });

  scenario('have of every card what the pods’ annotations add up to', () => {
    const held: Record<string, number> = {};
    for (const pod of pods) {
      const inits = pod.spec.initContainers?.length ?? 0;
      const shares = sharesOf(pod);
      // What only an init container held is free again once it has ended.
      const apps = shares.length > pod.spec.containers.length ? shares.slice(inits) : shares;
      for (const { id, memoryMiB } of apps.flat()) {
        const card = id.replace(/\[.*$/, '');
        held[card] = (held[card] ?? 0) + memoryMiB * 2 ** 20;
      }
    }
    const used = Object.entries(valuesOf('hami_gpu_memory_allocated_bytes', 'device_uuid'));
    expect(Object.fromEntries(used.filter(([, bytes]) => bytes > 0))).toEqual(held);
    expect(Object.keys(held)).toHaveLength(9);
    return Promise.resolve();
  });

  scenario('have every MIG instance that the plugin has made', () => {
    const { annotations } = pods.find(({ metadata }) => metadata.name === 'instance')!.metadata;
    const instances = JSON.parse(annotations?.['hami.io/vgpu-mig-allocations'] ?? '') as {
      migUUID: string;
    }[];
    const ids = Object.keys(valuesOf('hami_node_gpu_mig_instance_info', 'mig_uuid'));
    expect(ids.sort()).toEqual(instances.map(({ migUUID }) => migUUID).sort());
    expect(ids).toHaveLength(2);
    return Promise.resolve();
  });

  scenario('have the quota that is in force, and what is used of it', () => {
    const quota = { namespace: 'team-a', quota_name: 'nvidia.com/gpumem', zone: 'vGPU' };
    expect(samples).toContainEqual({ name: 'hami_resource_quota_limit', labels: quota, value: 6000 });
    const used = { name: 'hami_resource_quota_used', labels: { ...quota, limit: '6000' }, value: 4000 };
    expect(samples).toContainEqual(used);
    return Promise.resolve();
  });
});

describe('events of a pod that waits', () => {
  const told = async () =>
    (await eventsAbout(cluster, 'too-large', 'FilteringFailed')).map(({ message }) => message);

  scenario('are one per change of the reasons, however often it is asked about', async () => {
    expect(await told()).toEqual([expect.stringMatching(/\b5 nodes \d+\/\d+ CardInsufficientMemory\(/)]);
    for (const round of [1, 2, 3]) {
      const before = await filters();
      await cluster.kubectl(['annotate', 'node', 'shared', `example.com/round=${round}`, '--overwrite']);
      await eventually('it is asked about again', async () => {
        const now = await filters();
        return now > before ? { done: true } : { not: `${now} filter calls` };
      });
    }
    expect(await told()).toHaveLength(1);

    // One reason less.
    expect((await told())[0]).toContain('CardCordoned(ailing)');
    await cluster.kubectl(['annotate', 'node', 'ailing', 'hami.io/device-cordon-']);
    const messages = await eventually('the change is told', async () => {
      const seen = await told();
      return seen.length > 1 ? { done: seen } : { not: seen.join() };
    });
    expect(messages).toHaveLength(2);
    expect(messages[1]).not.toContain('CardCordoned');
  });

  function filters(): Promise<number> {
    return tessera.metric('tessera_filter_duration_seconds_count');
  }
});
