import { describe, expect } from '@jest/globals';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import { migCard } from '../../src/emulator/node-agent/mig-cards.ts';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import type { Cluster } from './harness/cluster.ts';
import { inherit, type InheritedPod } from './harness/inherited-pods.ts';
import { startSharing } from './harness/installation.ts';
import { sharesOf } from './harness/judgements.ts';
import { startMachines } from './harness/machines.ts';
import { type CheckReport, checkMigration } from './harness/migration-check.ts';
import { podManifest, untilPhase, untilRefused } from './harness/pods.ts';
import { believedNodes } from './harness/questions.ts';
import type { Tessera } from './harness/tessera.ts';
import { useCluster } from './harness/use-cluster.ts';

const cardMiB = 16_384;
const machine = { cpu: '64', memory: '256Gi' };
const machines: readonly NodeDescription[] = [
  {
    ...machine,
    name: 'shared',
    gpus: [0, 1, 2].map((index) => ({ type: 'Tesla T4', memoryMiB: cardMiB, id: `GPU-shared-${index}` })),
  },
  { ...machine, name: 'cut', gpus: [0, 1].map((index) => ({ ...migCard('A30'), id: `GPU-cut-${index}` })) },
  {
    ...machine,
    name: 'csv',
    gpus: [{ type: 'Tesla P4', memoryMiB: 7680, id: 'GPU-csv-0' }],
    plugin: { version: '2.7' },
  },
];

const asking = (memoryMiB: number, cores = 0) => ({
  limits: {
    'nvidia.com/gpu': 1,
    'nvidia.com/gpumem': memoryMiB,
    ...(cores === 0 ? {} : { 'nvidia.com/gpucores': cores }),
  },
});

/** One pod per layout, each on a card of its own, with what it holds once its init containers have ended. */
const layouts: readonly (InheritedPod & {
  readonly card: string;
  readonly want: { readonly slots: number; readonly memoryMiB: number; readonly corePercent: number };
})[] = [
  {
    name: 'all-containers',
    node: 'shared',
    card: 'GPU-shared-0',
    initContainers: [asking(8000)],
    containers: [asking(5000)],
    allocated: 'GPU-shared-0,NVIDIA,8000,0:;GPU-shared-0,NVIDIA,5000,0:;',
    want: { slots: 1, memoryMiB: 5000, corePercent: 0 },
  },
  {
    name: 'apps-alone',
    node: 'shared',
    card: 'GPU-shared-1',
    initContainers: [{}],
    containers: [asking(3000), asking(2000, 20)],
    allocated: 'GPU-shared-1,NVIDIA,3000,0:;GPU-shared-1,NVIDIA,2000,20:;',
    want: { slots: 2, memoryMiB: 5000, corePercent: 20 },
  },
  {
    // HAMi v2.10 forgets what this pod holds once its init container has ended.
    name: 'misaligned',
    node: 'shared',
    card: 'GPU-shared-2',
    initContainers: [{}],
    containers: [asking(9000, 30)],
    allocated: 'GPU-shared-2,NVIDIA,9000,30:;',
    want: { slots: 1, memoryMiB: 9000, corePercent: 30 },
  },
];

/** An instance as schedulers up to v2.9 named it: nobody knows its place on the card. */
const oldInstance: InheritedPod = {
  name: 'old-instance',
  node: 'cut',
  containers: [asking(5000)],
  allocated: 'GPU-cut-0[1-0],NVIDIA,5952,25:;',
};

let cluster: Cluster;
let tessera: Tessera;
let agent: NodeAgent;
let report: CheckReport;

const scenario = useCluster(async (started) => {
  cluster = started;
  for (const pod of [...layouts, oldInstance]) await inherit(cluster, pod);
  agent = await startMachines(cluster, machines);
  report = await checkMigration(cluster, ['--scheduler-name', 'tessera-scheduler', 'hami-scheduler']);
  tessera = await startSharing(cluster);
});

function onCard(name: string, id: string, memoryMiB: number): object {
  return podManifest({
    name,
    annotations: { 'nvidia.com/use-gpuuuid': id },
    containers: [asking(memoryMiB)],
  });
}

describe('before the switch, tessera migrate check', () => {
  scenario('says of every pod and node what will become of it, and writes nothing', () => {
    expect(report).toMatchObject({ exitCode: 1, counts: { blocker: 1 } });
    const of = (kind: string, name: string) =>
      report.findings.filter(({ object }) => object.kind === kind && object.name === name);
    const codesOf = (kind: string, name: string) => of(kind, name).map(({ code }) => code);
    expect(codesOf('Pod', 'all-containers')).toEqual([]);
    expect(codesOf('Pod', 'apps-alone')).toEqual(['AllocationMisaligned']);
    expect(codesOf('Pod', 'misaligned')).toEqual(['AllocationMisaligned']);
    expect(of('Pod', 'misaligned')[0]?.sentence).toContain('"c0": GPU-shared-2');
    expect(codesOf('Pod', 'old-instance')).toEqual(['MigPodBeforeV210']);
    expect(codesOf('Node', 'cut')).toContain('MigCardClosed');
    expect(codesOf('Node', 'csv')).toEqual(['PluginBeforeV28']);
    return Promise.resolve();
  });
});

describe('a pod that HAMi has placed', () => {
  scenario('is charged what it holds, whatever layout its allocation has', async () => {
    const [shared] = (await believedNodes(cluster, tessera)).filter(({ name }) => name === 'shared');
    const used = shared?.devices.map(({ device, used: { slots, memoryMiB, corePercent } }) => ({
      card: device.id,
      want: { slots, memoryMiB, corePercent },
    }));
    expect(used).toEqual(layouts.map(({ card, want }) => ({ card, want })));
  });

  for (const { name, card, want } of layouts) {
    scenario(
      `in the layout ${name} leaves the rest of its card, and all of it once it has ended`,
      async () => {
        await cluster.create([onCard(`rest-${name}`, card, cardMiB - want.memoryMiB)]);
        await untilPhase(cluster, `rest-${name}`, 'Running');
        await cluster.create([onCard(`next-${name}`, card, want.memoryMiB)]);
        await untilRefused(cluster, `next-${name}`);
        await cluster.kubectl(['delete', 'pod', name]);
        await untilPhase(cluster, `next-${name}`, 'Running');
      },
    );
  }

  scenario('on a MIG card, as a scheduler up to v2.9 wrote it, closes that card until it ends', async () => {
    const names = ['m0', 'm1', 'm2', 'm3', 'm4'];
    for (const name of names) {
      const annotations = { 'nvidia.com/vgpu-mode': 'mig' };
      await cluster.create([podManifest({ name, annotations, containers: [asking(5000)] })]);
      if (name === 'm4') await untilRefused(cluster, name);
      else
        expect(sharesOf(await untilPhase(cluster, name, 'Running'))).toMatchObject([[{ id: 'GPU-cut-1' }]]);
    }
    await cluster.kubectl(['delete', 'pod', 'old-instance']);
    const last = await untilPhase(cluster, 'm4', 'Running');
    expect(sharesOf(last)).toMatchObject([[{ id: 'GPU-cut-0' }]]);
  });

  scenario('and its successors were given nothing twice', () => {
    expect(agent.book.faults).toEqual([]);
    return Promise.resolve();
  });
});
