import { readFileSync } from 'node:fs';
import { describe, expect } from '@jest/globals';
import { type ExtenderPreemptionResult, parsePreemptionArgs } from '../../src/wire/preemption.ts';
import type { Cluster } from './harness/cluster.ts';
import { ExtenderTap } from './harness/extender-tap.ts';
import { installTessera } from './harness/installation.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { findPod, listPods, podManifest, untilPhase, untilRefused } from './harness/pods.ts';
import { callsFor } from './harness/tapped-cluster.ts';
import { useCluster } from './harness/use-cluster.ts';

/**
 * The preempt verb with the pinned kube-scheduler. It asks only about nodes that its own filters refuse, too, so CPU is
 * what these nodes are short of; docs/kube-scheduler.md says what other versions do.
 */
const nameLabel = 'example.com/name';
const machines = ['gpu-0', 'gpu-1', 'gpu-2'].map((name) => ({
  ...makeMachine(name, 1),
  labels: { [nameLabel]: name },
}));
const config = readFileSync(new URL('../../scheduler-config/tessera-preempt.yaml', import.meta.url), 'utf8');

let cluster: Cluster;
let tap: ExtenderTap;

const scenario = useCluster(async (started) => {
  cluster = started;
  await startMachines(cluster, machines);
  const { tessera, kubeconfig } = await installTessera(cluster);
  tap = await ExtenderTap.start(cluster, tessera.extenderUrl);
  await cluster.startScheduler(config, { kubeconfig, extenderUrl: tap.url });
  await cluster.apply(
    [100, 200, 1000].map((value) => ({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: `value-${value}` },
      value,
    })),
  );
});

interface Wish {
  readonly node?: string;
  readonly priority: number;
  readonly cpu?: number;
  readonly memoryMiB?: number;
}

/** A pod with CPUs, a share of a card, or both. */
function pod(name: string, { node, priority, cpu, memoryMiB }: Wish): object {
  const limits = {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryMiB === undefined ? {} : { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': memoryMiB }),
  };
  return podManifest({
    name,
    schedulerName: 'tessera-scheduler',
    containers: [{ limits }],
    spec: {
      priorityClassName: `value-${priority}`,
      ...(node === undefined ? {} : { nodeSelector: { [nameLabel]: node } }),
    },
  });
}

async function runAll(pods: Readonly<Record<string, Wish>>): Promise<void> {
  await cluster.create(Object.entries(pods).map(([name, wish]) => pod(name, wish)));
  for (const name of Object.keys(pods)) await untilPhase(cluster, name, 'Running');
}

async function uidOf(name: string): Promise<string> {
  const found = await findPod(cluster, name);
  if (found === undefined) throw new Error(`no pod ${name}`);
  return found.metadata.uid;
}

async function running(): Promise<readonly string[]> {
  const pods = await listPods(cluster);
  return pods
    .filter(({ status }) => status.phase === 'Running')
    .map(({ metadata }) => metadata.name)
    .sort();
}

function victimsIn(answer: unknown): readonly string[] {
  const { NodeNameToMetaVictims } = answer as ExtenderPreemptionResult;
  return Object.values(NodeNameToMetaVictims).flatMap(({ Pods }) => Pods.map(({ UID }) => UID));
}

describe('a pod that needs CPU and a card', () => {
  scenario('gets both at the price of one pod more', async () => {
    await runAll({
      // CPU is short on all nodes; the cards are held by pods of different importance.
      'cpu-0': { node: 'gpu-0', priority: 100, cpu: 60 },
      'card-0': { node: 'gpu-0', priority: 200, memoryMiB: 12_000 },
      'cpu-1': { node: 'gpu-1', priority: 100, cpu: 60 },
      'card-1': { node: 'gpu-1', priority: 1000, memoryMiB: 12_000 },
      'cpu-2': { node: 'gpu-2', priority: 1000, cpu: 60 },
    });
    const [cpu0, card0, cpu1] = [await uidOf('cpu-0'), await uidOf('card-0'), await uidOf('cpu-1')];
    await cluster.create([pod('urgent', { priority: 1000, cpu: 50, memoryMiB: 8000 })]);
    await untilPhase(cluster, 'urgent', 'Running');
    expect((await findPod(cluster, 'urgent'))?.spec.nodeName).toBe('gpu-0');
    expect(await running()).toEqual(['card-1', 'cpu-1', 'cpu-2', 'urgent']);

    const [call, ...more] = callsFor(tap, 'urgent', 'preempt');
    expect(Object.keys(call?.request as object).sort()).toEqual([
      'NodeNameToMetaVictims',
      'NodeNameToVictims',
      'Pod',
    ]);
    const args = parsePreemptionArgs(call?.request);
    expect(args.ok && Object.fromEntries(args.value.victims)).toEqual({
      'gpu-0': { podUids: [cpu0], pdbViolations: 0 },
      'gpu-1': { podUids: [cpu1], pdbViolations: 0 },
    });
    // The other node's card stays taken, so that nobody there was evicted in vain.
    const want: ExtenderPreemptionResult = {
      NodeNameToMetaVictims: {
        'gpu-0': { Pods: [card0, cpu0].map((UID) => ({ UID })), NumPDBViolations: 0 },
      },
    };
    expect(call?.answer).toEqual(want);
    // kube-scheduler may ask again while they leave, and is told of nobody else.
    for (const { answer } of more) {
      expect(victimsIn(answer).filter((uid) => uid !== card0 && uid !== cpu0)).toEqual([]);
    }
  });

  scenario('evicts nobody where no eviction frees a card', async () => {
    const before = await running();
    await cluster.create([pod('hopeless', { node: 'gpu-1', priority: 1000, cpu: 50, memoryMiB: 8000 })]);
    await untilRefused(cluster, 'hopeless');
    expect(callsFor(tap, 'hopeless', 'preempt')[0]?.answer).toEqual({ NodeNameToMetaVictims: {} });
    expect(await running()).toEqual(before);
    expect((await findPod(cluster, 'hopeless'))?.status).not.toHaveProperty('nominatedNodeName');
  });
});
