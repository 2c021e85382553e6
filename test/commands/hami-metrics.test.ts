import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { HamiMetrics, type HamiSource } from '../../src/commands/hami-metrics.ts';
import type { HamiMetrics as Names } from '../../src/config/config.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { gpuPod, makeState, nodeObject, nvidiaVendors, podObject } from '../state/support/device-states.ts';
import { expectGolden } from '../support/golden.ts';
import { parsePage, seriesOf } from '../telemetry/exposition-page.ts';
import { amdLimits, amdNode, amdVendors, card } from '../vendors/amd-world.ts';
import { gpuShare, makeHamiCluster, migPod } from './hami-cluster.ts';

const build = { version: '1.2.3', runtime: 'node v24.0.0', platform: 'linux/x64' };

function hamiOver(source: HamiSource, names: Names = 'current') {
  return new HamiMetrics(source, { names, build });
}

async function textOf(hami: HamiMetrics): Promise<string> {
  const parts: string[] = [];
  for await (const part of hami.page()) parts.push(part);
  return parts.join('');
}

/** The series of one family. */
async function family(source: HamiSource, name: string, names: Names = 'current') {
  const series = seriesOf(await textOf(hamiOver(source, names)));
  return Object.fromEntries(Object.entries(series).filter(([key]) => key.startsWith(`${name} `)));
}

describe("HAMi's metrics", () => {
  it.each(['current', 'legacy', 'both'] as const)('are these under the %s names', async (names) => {
    const page = await textOf(hamiOver(makeHamiCluster(), names));
    expect(() => parsePage(page)).not.toThrow();
    expectGolden(`hami-metrics-${names}`, page.trimEnd().split('\n'));
  });

  it('are valid behind ours, and share no name with them', async () => {
    const metrics = makeMetrics();
    const own = parsePage(await metrics.render()).map(({ name }) => name);
    const hami = hamiOver(makeHamiCluster(), 'both');
    metrics.onPage(() => hami.page());
    const all = parsePage(await metrics.render()).map(({ name }) => name);
    expect(all.slice(0, own.length)).toEqual(own);
    expect(all).toHaveLength(own.length + 13 + 11);
  });

  it('keep labels in one piece whatever a register says of its cards', async () => {
    const type = 'A"100\\\n} 1';
    const state = makeState({ nodes: [{ devices: [{ type }] }] });
    const [limit] = parsePage(await textOf(hamiOver(state)))
      .filter(({ name }) => name === 'hami_gpu_memory_limit_bytes')
      .flatMap(({ samples }) => samples);
    expect(limit?.labels['device_type']).toBe(type);
  });

  it('have no fraction of a card without memory', async () => {
    const view = { ...makeState({ nodes: [{ devices: [{}] }] }).view('n1')! };
    const devices = view.devices.map((entry) => ({ ...entry, device: { ...entry.device, memoryMiB: 0 } }));
    const source = sourceOf(['n1'], () => ({ ...view, devices }));
    expect(await family(source, 'hami_node_gpu_memory_allocated_ratio')).toEqual({});
    expect(Object.values(await family(source, 'hami_gpu_memory_limit_bytes'))).toEqual([0]);
  });
});

describe('compute of cards whose plugin counts units of its own', () => {
  const state = makeState({
    vendors: [...nvidiaVendors, ...amdVendors],
    nodes: [
      { ...amdNode([card('A', { devcore: 64 }), card('B', { devcore: 0 })]), devices: [{ id: 'GPU-a' }] },
    ],
  });
  const limits = { ...gpuShare.limits, ...amdLimits({ count: 1, memoryMiB: 96_000, percent: 33 }) };
  const bound = podObject({
    name: 'train',
    nodeName: 'n1',
    containers: [{ limits }],
    annotations: {
      'hami.io/vgpu-node': 'n1',
      'hami.io/vgpu-devices-allocated': 'GPU-a,NVIDIA,3000,30:;',
      'hami.io/amd-devices-allocated': 'A,AMD Instinct MI300X,96000,21:;',
    },
  });
  state.applyPod(bound, 0);

  const cases: { name: string; want: Readonly<Record<string, number>> }[] = [
    { name: 'hami_gpu_core_limit_ratio', want: { A: 100, B: 0, 'GPU-a': 100 } },
    { name: 'hami_gpu_core_allocated_ratio', want: { A: 33, B: 0, 'GPU-a': 30 } },
    { name: 'hami_vgpu_core_allocated_ratio', want: { A: 33, 'GPU-a': 30 } },
    { name: 'GPUDeviceCoreLimit', want: { A: 64, B: 0, 'GPU-a': 100 } },
    { name: 'GPUDeviceCoreAllocated', want: { A: 21, B: 0, 'GPU-a': 30 } },
    { name: 'vGPUCoreAllocated', want: { A: 21, 'GPU-a': 30 } },
  ];
  it.each(cases)(
    '$name is percent under a current name, rounded up, and units under one before',
    async ({ name, want }) => {
      const page = parsePage(await textOf(hamiOver(state, 'both')));
      const samples = page.filter((one) => one.name === name).flatMap((one) => one.samples);
      const byCard = samples.map(({ labels, value }) => [
        labels['device_uuid'] ?? labels['deviceuuid'],
        value,
      ]);
      expect(Object.fromEntries(byCard)).toEqual(want);
    },
  );

  it('is rounded by the number, not by what its fraction is in binary', async () => {
    const all = makeState({ vendors: amdVendors, nodes: [amdNode([card('A', { devcore: 25 })])] });
    const containers = [{ limits: amdLimits({ count: 1, memoryMiB: 1, percent: 28 }) }];
    const annotations = { 'hami.io/vgpu-node': 'n1', 'hami.io/amd-devices-allocated': 'A,AMD,1,7:;' };
    all.applyPod(podObject({ nodeName: 'n1', containers, annotations }), 0);
    expect(Object.values(await family(all, 'hami_gpu_core_allocated_ratio'))).toEqual([28]);
  });
});

describe("the series of a pod's containers", () => {
  const memory = 'hami_vgpu_memory_allocated_bytes';
  const mib = 2 ** 20;
  const key = (pod: string, index: number, device = 'GPU-a') =>
    `${memory} container_index=${index} device_uuid=${device} namespace=default node=n1 pod=${pod} zone=vGPU`;
  const makeNode = () => makeState({ nodes: [{ devices: [{ id: 'GPU-a' }] }] });

  it('Q24: name the container that holds the share, init containers counted first', async () => {
    const state = makeNode();
    const containers = [{ role: 'init', ...gpuShare } as const, {}, gpuShare];
    const allocated = 'GPU-a,NVIDIA,500,0:;;GPU-a,NVIDIA,700,0:;';
    state.applyPod(gpuPod({ name: 'p', nodeName: 'n1', containers, allocated }), 0);
    expect(await family(state, memory)).toEqual({ [key('p', 0)]: 500 * mib, [key('p', 2)]: 700 * mib });
  });

  it('end with the init container', async () => {
    const state = makeNode();
    const hami = hamiOver(state);
    const allocated = 'GPU-a,NVIDIA,500,0:;GPU-a,NVIDIA,700,0:;';
    const tell = (ended: boolean) => {
      const init = { role: 'init', ...gpuShare, ...(ended ? { state: { exitCode: 0 } } : {}) } as const;
      state.applyPod(gpuPod({ name: 'p', nodeName: 'n1', containers: [init, gpuShare], allocated }), 0);
    };
    tell(false);
    expect(seriesOf(await textOf(hami))).toMatchObject({ [key('p', 0)]: 500 * mib });
    tell(true);
    const series = seriesOf(await textOf(hami));
    expect(series).toMatchObject({ [key('p', 1)]: 700 * mib });
    expect(series).not.toHaveProperty([key('p', 0)]);
  });

  it('add up where labels are the same: a pod that drains beside its successor', async () => {
    const state = makeNode();
    const fields = { name: 'p', nodeName: 'n1', allocated: 'GPU-a,NVIDIA,3000,0:;' };
    state.applyPod(gpuPod({ ...fields, uid: 'old', running: true }), 0);
    state.applyPod(gpuPod({ ...fields, uid: 'new' }), 0);
    expect(await family(state, memory)).toEqual({ [key('p', 0)]: 6000 * mib });
  });

  it('go with the pod', async () => {
    const state = makeNode();
    const hami = hamiOver(state);
    state.applyPod(gpuPod({ name: 'p', nodeName: 'n1', allocated: 'GPU-a,NVIDIA,3000,0:;' }), 0);
    expect(await textOf(hami)).toContain('pod="p"');
    state.removePod('uid-p', 0);
    expect(await textOf(hami)).not.toContain('pod="p"');
  });
});

describe('the series of MIG instances', () => {
  const instance = 'hami_node_gpu_mig_instance_info';

  it('appear once the plugin has made the instance, which raises no generation', async () => {
    const state = makeState({ nodes: [{ name: 'n3', devices: [{ id: 'GPU-m', mode: 'mig' }] }] });
    const hami = hamiOver(state);
    state.applyPod(migPod({ made: false }), 0);
    expect(await textOf(hami)).not.toContain(`${instance}{`);
    state.applyPod(migPod({ made: true }), 0);
    const series = Object.entries(seriesOf(await textOf(hami))).filter(([key]) => key.startsWith(instance));
    expect(series).toEqual([
      [
        `${instance} compute_instance_id=0 device_index=0 device_uuid=GPU-m gpu_instance_id=4 mig_uuid=MIG-1 ` +
          'node=n3 placement_size=2 placement_start=0 profile=2g.10gb zone=vGPU',
        1,
      ],
    ]);
  });

  it('are not made up for cards that the node does not have in MIG mode', async () => {
    const state = makeState({ nodes: [{ name: 'n3', devices: [{ id: 'GPU-m' }] }] });
    state.applyPod(migPod({ made: true }), 0);
    expect(await family(state, instance)).toEqual({});
  });

  it('are one per share at most, whatever a tenant writes beside them, and no legacy series comes twice', async () => {
    const state = makeState({ nodes: [{ name: 'n3', devices: [{ id: 'GPU-m', mode: 'mig' }] }] });
    const pod = migPod({ made: true });
    state.applyPod(pod, 0);
    const key = 'hami.io/vgpu-mig-allocations';
    const [own, next] = JSON.parse(pod.annotations[key] ?? '') as readonly object[];
    const runtime = { migUUID: 'MIG-2', gpuInstanceID: 4, computeInstanceID: 1 };
    const invented = Array.from({ length: 100 }, (_, index) => ({
      ...own,
      containerIndex: 1 + index,
      migUUID: `MIG-x${index}`,
      gpuInstanceID: 100 + index,
    }));
    const annotations = {
      ...pod.annotations,
      [key]: JSON.stringify([own, { ...next, ...runtime }, ...invented]),
    };
    state.applyPod({ ...pod, annotations }, 0);
    const series = Object.keys(await family(state, instance));
    expect(series).toHaveLength(1);
    expect(series[0]).toContain('mig_uuid=MIG-1 ');
    // Throws at a series that comes twice.
    expect(Object.keys(await family(state, 'nodeGPUMigInstance', 'both'))).toHaveLength(1);
  });
});

describe('the series of quotas', () => {
  const quota = (name: string, limit: string) => ({
    namespace: 'team-a',
    name,
    resourceVersion: '1',
    hard: { 'limits.nvidia.com/gpumem': limit },
  });

  it('have the smallest limit of several objects, once (Q9)', async () => {
    const state = makeState();
    for (const object of [quota('a', '9000'), quota('b', '2000'), quota('c', '5000')])
      state.applyQuota(object);
    expect(await family(state, 'hami_resource_quota_limit')).toEqual({
      'hami_resource_quota_limit namespace=team-a quota_name=nvidia.com/gpumem zone=vGPU': 2000,
    });
  });

  it('show what is used without a limit, and name none', async () => {
    const state = makeState({ nodes: [{ devices: [{ id: 'GPU-a' }] }] });
    state.applyPod(gpuPod({ name: 'p', nodeName: 'n1', allocated: 'GPU-a,NVIDIA,3000,0:;' }), 0);
    expect(await family(state, 'hami_resource_quota_used')).toEqual({
      'hami_resource_quota_used limit=0 namespace=default quota_name=nvidia.com/gpumem zone=vGPU': 3000,
    });
    expect(await family(state, 'hami_resource_quota_limit')).toEqual({});
  });

  it('tell a limit of 0 from none', async () => {
    const state = makeState();
    state.applyQuota(quota('a', '0'));
    expect(Object.values(await family(state, 'hami_resource_quota_limit'))).toEqual([0]);
  });
});

describe('the work for a page', () => {
  const names = Array.from({ length: 2000 }, (_, index) => `node-${index}`);

  it('is proportional to what changed since the last one', async () => {
    const state = makeState({
      nodes: names.slice(0, 50).map((name) => ({ name, devices: [{ id: `GPU-${name}` }] })),
    });
    const made: string[] = [];
    const hami = hamiOver({
      vendors: state.vendors,
      nodeNames: () => state.nodeNames(),
      view: (name) => state.view(name),
      quotaUsages: () => state.quotaUsages(),
      entriesOf: (node) => {
        made.push(node);
        return state.entriesOf(node);
      },
    });
    const madeFor = async (change: () => void) => {
      change();
      made.length = 0;
      const text = await textOf(hami);
      // Kept text and text made now are the same.
      expect(text).toBe(await textOf(hamiOver(state)));
      return [...made];
    };
    expect(await madeFor(() => undefined)).toHaveLength(50);
    expect(await madeFor(() => undefined)).toEqual([]);
    const pod = gpuPod({ name: 'p', nodeName: 'node-7', allocated: 'GPU-node-7,NVIDIA,3000,0:;' });
    expect(await madeFor(() => state.applyPod(pod, 0))).toEqual(['node-7']);
    expect(
      await madeFor(() => {
        state.removeNode('node-9');
      }),
    ).toEqual([]);
    const back = nodeObject({ name: 'node-9', devices: [{ id: 'GPU-node-9', memoryMiB: 1 }] });
    expect(await madeFor(() => state.applyNode(back))).toEqual(['node-9']);
  });

  it('takes no more than a twentieth of the nodes between two turns of the event loop', async () => {
    const view = makeState({ nodes: [{ devices: Array.from({ length: 8 }, () => ({})) }] }).view('n1')!;
    let inTurn = 0;
    let most = 0;
    const source = sourceOf(names, (name) => {
      inTurn += 1;
      most = Math.max(most, inTurn);
      return { ...view, name };
    });
    const parts: string[] = [];
    const ending = new AbortController();
    const turns = (async () => {
      for (; !ending.signal.aborted; inTurn = 0) await setImmediate();
    })();
    for await (const part of hamiOver(source).page()) parts.push(part);
    ending.abort();
    await turns;
    const lengths = parts.map((part) => part.length);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    expect(most).toBeLessThanOrEqual(names.length / 20);
    expect(Math.max(...lengths)).toBeLessThan(total / 20);
    expect(parsePage(parts.join('')).flatMap(({ samples }) => samples)).toHaveLength(2000 * 8 * 7 + 1);
  });
});

/** A cluster of nodes that hold no pods. */
function sourceOf(names: readonly string[], view: HamiSource['view']): HamiSource {
  return { vendors: [], nodeNames: () => names, view, entriesOf: () => [], quotaUsages: () => [] };
}
