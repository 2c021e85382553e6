/**
 * A busy cluster with something of everything: cards of every kind on nodes with plugins of several ages, pods that run
 * on them and pods that wait, pods that HAMi has left behind, and quotas. Nothing changes in it by itself.
 */
import { expect } from '@jest/globals';
import { migCard } from '../../../src/emulator/node-agent/mig-cards.ts';
import type { NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import type { Cluster } from './cluster.ts';
import { inherit } from './inherited-pods.ts';
import { startSharing } from './installation.ts';
import { startMachines } from './machines.ts';
import {
  listPods,
  podManifest,
  type PodManifestFields,
  type PodState,
  untilPhase,
  untilRefused,
} from './pods.ts';
import type { Tessera } from './tessera.ts';

const machine = { cpu: '64', memory: '256Gi' };
const cards = (prefix: string, count: number, card: { type: string; memoryMiB: number }) =>
  Array.from({ length: count }, (_, index) => ({ ...card, id: `GPU-${prefix}-${index}`, numa: index % 2 }));

/** T4s to share, A100s with links, cards in MIG mode, an old plugin, sick and cordoned cards, and no cards at all. */
export const machines: readonly NodeDescription[] = [
  { ...machine, name: 'shared', gpus: cards('shared', 3, { type: 'Tesla T4', memoryMiB: 16_384 }) },
  {
    ...machine,
    name: 'linked',
    gpus: cards('linked', 4, { type: 'NVIDIA A100-SXM4-80GB', memoryMiB: 81_920 }),
    links: [
      { cards: [1, 3], nvlinks: 4 },
      { cards: [0, 2], nvlinks: 2 },
    ],
    plugin: { publishesLinkScores: true },
  },
  { ...machine, name: 'cut', gpus: [0, 1].map((index) => ({ ...migCard('A30'), id: `GPU-cut-${index}` })) },
  {
    ...machine,
    name: 'old',
    gpus: cards('old', 2, { type: 'Tesla P4', memoryMiB: 7680 }),
    plugin: { version: '2.7', memoryScaling: 2 },
  },
  {
    ...machine,
    name: 'ailing',
    gpus: cards('ailing', 3, { type: 'Tesla T4', memoryMiB: 16_384 }).map((card, index) => ({
      ...card,
      healthy: index !== 0,
    })),
    annotations: { 'hami.io/device-cordon': 'GPU-ailing-1' },
  },
  { ...machine, name: 'plain', gpus: [] },
];

/** A container's limits under NVIDIA's names; one card where no `gpu` is given. */
export const gpu = (amounts: Readonly<Record<string, number>>) => ({
  limits: Object.fromEntries(
    Object.entries({ gpu: 1, ...amounts }).map(([key, value]) => [`nvidia.com/${key}`, value]),
  ),
});
/** Annotations that leave only these cards. */
export const on = (...ids: readonly string[]) => ({ 'nvidia.com/use-gpuuuid': ids.join(',') });

/** What runs: shares of all sorts on every node. */
export const running: readonly PodManifestFields[] = [
  { name: 'share', containers: [gpu({ gpumem: 3000, gpucores: 30 })], annotations: on('GPU-shared-0') },
  {
    name: 'many',
    initContainers: [gpu({ gpumem: 6000 })],
    containers: [{}, gpu({ gpumem: 2000 })],
    annotations: on('GPU-shared-1'),
  },
  { name: 'whole', containers: [gpu({})], annotations: on('GPU-linked-0') },
  { name: 'percent', containers: [gpu({ 'gpumem-percentage': 25 })], annotations: on('GPU-linked-1') },
  { name: 'instance', containers: [gpu({ gpu: 2, gpumem: 5000 })], annotations: on('GPU-cut-1') },
  { name: 'on-old', containers: [gpu({ gpumem: 9000 })], annotations: on('GPU-old-0') },
  {
    name: 'limited',
    namespace: 'team-a',
    containers: [gpu({ gpumem: 4000, gpucores: 10 })],
    annotations: on('GPU-ailing-2'),
  },
];

/** What waits, each for another reason. */
export const waiting: readonly PodManifestFields[] = [
  { name: 'too-large', containers: [gpu({ gpumem: 90_000 })] },
  { name: 'over-quota', namespace: 'team-a', containers: [gpu({ 'gpumem-percentage': 90 })] },
];

export interface BusyCluster {
  readonly tessera: Tessera;
  /** As they are once everything has come to rest. */
  readonly pods: readonly PodState[];
}

/** Resolves when all pods run that can, and the others were refused. */
export async function startBusyCluster(cluster: Cluster): Promise<BusyCluster> {
  await inherit(cluster, {
    name: 'misaligned',
    node: 'old',
    initContainers: [{}],
    containers: [gpu({ gpumem: 5000 })],
    allocated: 'GPU-old-1,NVIDIA,5000,0:;',
  });
  await inherit(cluster, {
    name: 'old-instance',
    node: 'cut',
    containers: [gpu({ gpumem: 5000 })],
    allocated: 'GPU-cut-0[1-0],NVIDIA,5952,25:;',
  });
  const agent = await startMachines(cluster, machines);
  const tessera = await startSharing(cluster);
  await cluster.kubectl(['create', 'namespace', 'team-a']);
  for (const [name, memory] of [
    ['wide', 12_000],
    ['narrow', 6000],
  ] as const) {
    const hard = { 'limits.nvidia.com/gpumem': String(memory) };
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name, namespace: 'team-a' },
      spec: { hard },
    });
  }
  await cluster.create(running.map((fields) => podManifest(fields)));
  for (const { name, namespace = 'default' } of running)
    await untilPhase(cluster, name, 'Running', { namespace });
  await cluster.create(waiting.map((fields) => podManifest(fields)));
  for (const { name, namespace } of waiting) await untilRefused(cluster, name, namespace);
  const pods = [...(await listPods(cluster)), ...(await listPods(cluster, 'team-a'))];
  expect(agent.book.faults).toEqual([]);
  return { tessera, pods };
}
