import { afterEach, describe, expect } from '@jest/globals';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import { devicesOf } from '../../src/emulator/node-agent/node-description.ts';
import type { Cluster } from './harness/cluster.ts';
import { startSharing } from './harness/installation.ts';
import { sharesOf } from './harness/judgements.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import {
  clearPods,
  type ContainerFields,
  podManifest,
  type PodState,
  untilAllIn,
  untilPhase,
  untilRefused,
} from './harness/pods.ts';
import { useCluster } from './harness/use-cluster.ts';

const machines = [makeMachine('gpu-1', 4), makeMachine('gpu-2', 4)];
const wholeCardMiB = 16384;

let agent: NodeAgent;
let cluster: Cluster;

const scenario = useCluster(async (started) => {
  cluster = started;
  agent = await startMachines(cluster, machines);
  await startSharing(cluster);
});

afterEach(() => clearPods(cluster));

/** What every container of the pod really received from the node agent, in the order of being asked. */
function givenTo({ metadata }: PodState) {
  return agent.book.records
    .filter(({ podUid }) => podUid === metadata.uid)
    .map(({ container, shares }) => ({
      container,
      shares: shares.map(({ deviceId, memoryMiB, corePercent }) => ({
        id: deviceId,
        memoryMiB,
        corePercent,
      })),
    }));
}

/** The pod is ours, its records on the API server are complete, and its cards are the node's own. */
function expectServed(pod: PodState): void {
  const { metadata, spec } = pod;
  const node = spec.nodeName ?? '';
  expect(spec.schedulerName).toBe('tessera-scheduler');
  expect(metadata.labels).toMatchObject({ 'hami.io/vgpu-node': node });
  expect(metadata.annotations).toMatchObject({
    'hami.io/vgpu-node': node,
    'hami.io/bind-phase': 'success',
    'hami.io/bind-time': expect.stringMatching(/^\d{10}$/),
    'hami.io/vgpu-time': expect.stringMatching(/^\d{10}$/),
    'hami.io/vgpu-devices-to-allocate': expect.stringMatching(/^;+$/),
    'tessera.io/seal': expect.stringMatching(/^v1\./),
  });
  const own = machines.filter(({ name }) => name === node).flatMap((machine) => devicesOf(machine, 'NVIDIA'));
  const ids = own.map(({ id }) => id);
  for (const { id } of sharesOf(pod).flat()) expect(ids).toContain(id);
}

const sizes: readonly { name: string; limits: ContainerFields['limits']; wantShare: object }[] = [
  {
    name: 'thousand',
    limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 1000 },
    wantShare: { memoryMiB: 1000, corePercent: 0 },
  },
  {
    name: 'three-thousand',
    limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 3000 },
    wantShare: { memoryMiB: 3000, corePercent: 0 },
  },
  {
    name: 'half',
    limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem-percentage': 50 },
    wantShare: { memoryMiB: wholeCardMiB / 2, corePercent: 0 },
  },
  {
    name: 'limited-compute',
    limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 4096, 'nvidia.com/gpucores': 30 },
    wantShare: { memoryMiB: 4096, corePercent: 30 },
  },
  {
    name: 'without-count',
    limits: { 'nvidia.com/gpumem': 2000 },
    wantShare: { memoryMiB: 2000, corePercent: 0 },
  },
  {
    name: 'whole',
    limits: { 'nvidia.com/gpu': 1 },
    wantShare: { memoryMiB: wholeCardMiB, corePercent: 100 },
  },
  {
    name: 'exclusive',
    limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 100, 'nvidia.com/gpucores': 100 },
    wantShare: { memoryMiB: 100, corePercent: 100 },
  },
];

describe('pods that share cards', () => {
  scenario('of several sizes run at once, each with just what it asked for', async () => {
    await cluster.create(
      sizes.map(({ name, limits = {} }) => podManifest({ name, containers: [{ limits }] })),
    );
    const pods = await untilAllIn(cluster, 'Running');
    for (const { name, wantShare } of sizes) {
      const pod = pods.find(({ metadata }) => metadata.name === name)!;
      expectServed(pod);
      const shares = sharesOf(pod);
      expect({ name, shares }).toMatchObject({ name, shares: [[wantShare]] });
      expect(givenTo(pod)).toEqual([{ container: 'c0', shares: shares[0] }]);
    }
    expect(agent.book.faults).toEqual([]);
  });

  scenario('may ask for an amount that the API server stores with a suffix', async () => {
    const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 3000 };
    await cluster.create([podManifest({ name: 'kilo', containers: [{ limits }] })]);
    const [pod] = await untilAllIn(cluster, 'Running');
    expect(pod?.spec.containers[0]?.resources?.limits).toMatchObject({ 'nvidia.com/gpumem': '3k' });
    expect(pod && sharesOf(pod)).toMatchObject([[{ memoryMiB: 3000 }]]);
  });

  scenario('may have several containers, each with cards of its own', async () => {
    await cluster.create([
      podManifest({
        name: 'several',
        initContainers: [
          { name: 'prepare', limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 8000 } },
          {
            name: 'beside',
            restartPolicy: 'Always',
            limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 500 },
          },
          { name: 'plain-init' },
        ],
        containers: [
          {
            name: 'train',
            limits: { 'nvidia.com/gpu': 3, 'nvidia.com/gpumem': 2000, 'nvidia.com/gpucores': 20 },
          },
          { name: 'plain' },
          { name: 'watch', limits: { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': 1000 } },
        ],
      }),
    ]);
    const [pod] = await untilAllIn(cluster, 'Running');
    expectServed(pod!);
    const trained = { memoryMiB: 2000, corePercent: 20 };
    const shares = sharesOf(pod!);
    expect(shares).toMatchObject([
      [{ memoryMiB: 8000 }],
      [{ memoryMiB: 500 }],
      [],
      [trained, trained, trained],
      [],
      [{ memoryMiB: 1000 }],
    ]);
    expect(new Set(shares[3]?.map(({ id }) => id)).size).toBe(3);
    expect(givenTo(pod!)).toEqual([
      { container: 'prepare', shares: shares[0] },
      { container: 'beside', shares: shares[1] },
      { container: 'train', shares: shares[3] },
      { container: 'watch', shares: shares[5] },
    ]);
    expect(agent.book.faults).toEqual([]);
  });

  scenario('get all cards of a node when they ask for them', async () => {
    await cluster.create([podManifest({ name: 'all', containers: [{ limits: { 'nvidia.com/gpu': 4 } }] })]);
    const [pod] = await untilAllIn(cluster, 'Running');
    expectServed(pod!);
    expect(
      new Set(
        sharesOf(pod!)
          .flat()
          .map(({ id }) => id),
      ).size,
    ).toBe(4);
  });
});

describe('a release', () => {
  scenario('frees the card, and the pod that waits for it runs within 5 s', async () => {
    const whole = Array.from({ length: 8 }, (_, index) => wholeCard(`whole-${index}`));
    await cluster.create(whole);
    await untilAllIn(cluster, 'Running');
    await cluster.create([wholeCard('waiting')]);
    await untilRefused(cluster, 'waiting');
    await cluster.kubectl(['delete', 'pod', 'whole-3']);
    const startMs = performance.now();
    const [waiting] = (await untilAllIn(cluster, 'Running', { timeoutMs: 5000 })).filter(
      ({ metadata }) => metadata.name === 'waiting',
    );
    console.info(`the waiting pod ran ${Math.round(performance.now() - startMs)} ms after the release`);
    expectServed(waiting!);
    expect(agent.book.faults).toEqual([]);
  });

  scenario('by a pod that ends by itself does the same', async () => {
    const whole = Array.from({ length: 8 }, (_, index) =>
      wholeCard(`whole-${index}`, index === 5 ? '4' : undefined),
    );
    await cluster.create(whole);
    await untilAllIn(cluster, 'Running');
    await cluster.create([wholeCard('waiting')]);
    await untilRefused(cluster, 'waiting');
    await untilPhase(cluster, 'whole-5', 'Succeeded');
    await untilPhase(cluster, 'waiting', 'Running', { timeoutMs: 5000 });
    expect(agent.book.faults).toEqual([]);
  });
});

function wholeCard(name: string, runSeconds?: string): object {
  return podManifest({
    name,
    containers: [{ limits: { 'nvidia.com/gpu': 1 } }],
    ...(runSeconds === undefined ? {} : { annotations: { 'tessera.io/run-seconds': runSeconds } }),
  });
}
