import { describe, expect } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { ExtenderFilterResult } from '../../src/wire/extender.ts';
import type { Cluster } from './harness/cluster.ts';
import { eventually } from './harness/eventually.ts';
import type { ExtenderTap } from './harness/extender-tap.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { findPod, listPods, untilAllIn, untilPhase, untilRefused } from './harness/pods.ts';
import { callsFor, sharedPod, startTapped } from './harness/tapped-cluster.ts';
import { useCluster } from './harness/use-cluster.ts';

/** How kube-scheduler treats a pod that only we refuse; docs/kube-scheduler.md says what follows from it. */
const machines = Array.from({ length: 5 }, (_, index) => makeMachine(`gpu-${index}`, 2));
const heartbeatMs = 1000;
/** Long enough for a scheduler that wants to ask again: it waits 10 s at most between two attempts. */
const quietMs = 20_000;

let cluster: Cluster;
let tap: ExtenderTap;

const scenario = useCluster(async (started) => {
  cluster = started;
  await startMachines(cluster, machines, { heartbeatMs });
  tap = await startTapped(cluster);
  await cluster.apply(
    [100, 1000].map((value) => ({
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: `value-${value}` },
      value,
    })),
  );
});

describe('a pod that only we refuse', () => {
  scenario('is left in peace, and nobody is evicted for it', async () => {
    const low = { priorityClassName: 'value-100' };
    // Every card has so little memory left that the next pod fits none, while each node has slots to count.
    await cluster.create(
      machines.flatMap(({ name }) => ['a', 'b'].map((part) => sharedPod(`${name}-${part}`, 12_000, low))),
    );
    await untilAllIn(cluster, 'Running');
    await cluster.create([sharedPod('high', 8000, { priorityClassName: 'value-1000' })]);
    await untilRefused(cluster, 'high');
    await pause(1000);
    const before = callsFor(tap, 'high', 'filter').length;
    await pause(quietMs);
    const idle = callsFor(tap, 'high', 'filter').length - before;
    console.info(
      `filter calls for the refused pod: ${before} in the first second, ${idle} in ${quietMs / 1000} s`,
    );
    expect(before).toBeLessThanOrEqual(4);
    expect(idle).toBeLessThanOrEqual(1);
    expect((await findPod(cluster, 'high'))?.status).not.toHaveProperty('nominatedNodeName');
    expect((await listPods(cluster)).filter(({ status }) => status.phase === 'Running')).toHaveLength(
      2 * machines.length,
    );
    // Preemption is considered, and found to be of no use.
    expect(await preemptionErrors()).toEqual([]);
    expect(await schedulerLog()).toContainEqual(expect.stringContaining('preemption is not helpful'));
  });

  const events: readonly { readonly name: string; readonly args: readonly string[] }[] = [
    {
      name: 'a node’s annotation changes, which our wake-up counts on',
      args: ['node', 'gpu-0', 'example.com/x=1'],
    },
    { name: 'a bound pod changes', args: ['pod', 'gpu-0-a', 'example.com/x=1'] },
    {
      name: 'the pod itself changes, so that we must not write to it',
      args: ['pod', 'high', 'example.com/x=1'],
    },
  ];
  for (const { name, args } of events) {
    scenario(`is asked about again when ${name}`, async () => {
      const before = callsFor(tap, 'high', 'filter').length;
      await cluster.kubectl(['annotate', ...args]);
      await eventually('filter is called', () => {
        const more = callsFor(tap, 'high', 'filter').length - before;
        return Promise.resolve(more > 0 ? { done: true } : { not: 'no call' });
      });
    });
  }

  scenario(
    'would be tried over and over, with errors, if our refusals left hope for preemption',
    async () => {
      tap.changeAnswers((answer) => {
        const { FailedAndUnresolvableNodes, ...rest } = answer as ExtenderFilterResult;
        return { ...rest, FailedNodes: FailedAndUnresolvableNodes, FailedAndUnresolvableNodes: {} };
      });
      // Each attempt wakes the next one by naming the nodes in another order; it ends when chance repeats the order.
      let most = 0;
      for (let change = 1; most <= 3 && change <= 5; change++)
        most = Math.max(most, await callsAfter(change));
      expect(most).toBeGreaterThan(3);
      tap.changeAnswers((answer) => answer);
      expect(await preemptionErrors()).not.toEqual([]);
    },
  );

  scenario('runs as soon as there is room', async () => {
    await cluster.kubectl(['delete', 'pod', 'gpu-2-b']);
    await untilPhase(cluster, 'high', 'Running', { timeoutMs: 5000 });
  });
});

/** How often filter is called for the refused pod within five seconds of one change of a node. */
async function callsAfter(change: number): Promise<number> {
  const before = callsFor(tap, 'high', 'filter').length;
  await cluster.kubectl(['annotate', '--overwrite', 'node', 'gpu-1', `example.com/x=${change}`]);
  await pause(5000);
  return callsFor(tap, 'high', 'filter').length - before;
}

async function schedulerLog(): Promise<readonly string[]> {
  return ((await cluster.scheduler?.log()) ?? '').split('\n');
}

async function preemptionErrors(): Promise<readonly string[]> {
  return (await schedulerLog()).filter((line) => /^[EW].*preempt/i.test(line));
}
