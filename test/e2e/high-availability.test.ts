import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect } from '@jest/globals';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import type { Cluster } from './harness/cluster.ts';
import { eventually } from './harness/eventually.ts';
import type { PausePoint } from './harness/held-api.ts';
import { History } from './harness/history.ts';
import { scheduleFromElsewhere } from './harness/installation.ts';
import { findHalfBound, findOverCommits } from './harness/judgements.ts';
import { findLockBreaks } from './harness/lock-judgement.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { clearPods, findPod, listPods, podManifest, type PodState, untilPhase } from './harness/pods.ts';
import { type Replica, Replicas } from './harness/replicas.ts';
import { useCluster } from './harness/use-cluster.ts';

/**
 * Two servers of one installation, kube-scheduler elsewhere: exactly one commits, whoever is killed, stopped or slow.
 * The first part binds by hand, to stop the leader at chosen steps; in the second, kube-scheduler does.
 */
interface Step {
  readonly name: string;
  readonly held: PausePoint['held'];
  readonly method: string;
  /** Of the request, for a bind of the pod `first` to this node. */
  readonly path: (node: string) => RegExp;
}

const lock = { method: 'PATCH', path: (node: string) => new RegExp(`^/api/v1/nodes/${node}$`) };
const list = { method: 'GET', path: (node: string) => new RegExp(`/pods\\?.*spec\\.nodeName%3D${node}`) };
const binding = { method: 'POST', path: () => /\/pods\/first\/binding$/ };

const steps: readonly Step[] = [
  { name: 'before its lock is written, which happens late', held: 'request', ...lock },
  { name: 'when its lock is written', held: 'answer', ...lock },
  { name: 'before it lists the pods of the node', held: 'request', ...list },
  { name: 'when it has listed the pods of the node', held: 'answer', ...list },
  { name: 'before its Binding is written, which happens late', held: 'request', ...binding },
  { name: 'when its Binding is written', held: 'answer', ...binding },
];

/** One with a single card for each step, so that a bind is the leader's first there, and one for the rest. */
const machines = [...steps.map((_, index) => makeMachine(`gpu-${index}`, 1)), makeMachine('gpus', 4)];
/** More than half a card. */
const largeMiB = 10_000;

let cluster: Cluster;
let agent: NodeAgent;
let replicas: Replicas;
let history: History;

const scenario = useCluster(async (started) => {
  cluster = started;
  agent = await startMachines(cluster, machines);
  replicas = await Replicas.start(cluster, ['tessera-a', 'tessera-b']);
  history = await History.start(cluster);
});

function sharedPod(name: string, memoryMiB: number, schedulerName?: string): object {
  const limits = { 'nvidia.com/gpu': 1, 'nvidia.com/gpumem': memoryMiB };
  const named = schedulerName === undefined ? {} : { schedulerName };
  return podManifest({ name, ...named, containers: [{ limits }] });
}

async function create(name: string, memoryMiB: number): Promise<PodState> {
  await cluster.create([sharedPod(name, memoryMiB)]);
  const pod = await findPod(cluster, name);
  if (pod === undefined) throw new Error(`no pod ${name}`);
  return pod;
}

/** The node agent saw nothing wrong, nor does anything the API server has stored since the start. */
async function expectNoFault(): Promise<void> {
  const changes = await history.changes();
  expect(agent.book.faults).toEqual([]);
  expect(findOverCommits(changes, machines)).toEqual([]);
  expect(findHalfBound(changes)).toEqual([]);
  expect(findLockBreaks(changes)).toEqual([]);
}

/** Tries until the replica has bound the pod; fails with its last word. */
function untilBound(replica: Replica, pod: PodState, node: string): Promise<true> {
  return eventually(`${replica.pod} binds ${pod.metadata.name}`, async () => {
    const { error } = await replicas.bind(replica, pod, node);
    return error === '' ? { done: true as const } : { not: error };
  });
}

describe('two replicas', () => {
  scenario('are both ready, and one of them leads', async () => {
    const leader = await replicas.leader();
    expect(await leader.tessera.readiness()).toBe('ok, leader');
    expect(await replicas.other(leader).tessera.readiness()).toBe('ok, follower');
    expect(await leader.tessera.metric('tessera_leader')).toBe(1);
    expect(await replicas.other(leader).tessera.metric('tessera_leader')).toBe(0);
  });

  scenario('bind by way of the leader alone; the follower names it and closes the connection', async () => {
    const leader = await replicas.leader();
    const pod = await create('by-hand', 1000);
    const { error, connection } = await replicas.bind(replicas.other(leader), pod, 'gpus');
    expect(connection).toBe('close');
    expect(error).toMatch(new RegExp(`the lease is held by ${leader.pod}_`));
    expect((await findPod(cluster, 'by-hand'))?.spec.nodeName).toBeUndefined();
    await untilBound(leader, pod, 'gpus');
    await untilPhase(cluster, 'by-hand', 'Running');
    await clearPods(cluster);
  });
});

describe('a leader that is stopped in a bind, replaced, and goes on', () => {
  for (const [index, step] of steps.entries()) {
    scenario(`over-commits no card: ${step.name}`, async () => {
      const node = `gpu-${index}`;
      const old = await replicas.leader();
      const next = replicas.other(old);
      const [first, second] = [await create('first', largeMiB), await create('second', largeMiB)];
      const hold = old.api.hold({ ...step, path: step.path(node) });
      // Its answer, or the end of its connection, comes when the process goes on.
      const answer = replicas.bind(old, first, node).catch(() => undefined);
      await hold.reached;
      old.tessera.send('SIGSTOP');
      try {
        expect(await replicas.leader({ except: [old] })).toBe(next);
        // Whatever it answers: what it did not know of the first one must not make it wrong.
        const { error } = await replicas.bind(next, second, node);
        console.info(`${step.name}: the next leader says "${error}"`);
      } finally {
        hold.letGo();
        await pause(lateWriteMs);
        old.tessera.send('SIGCONT');
      }
      await answer;
      await eventually('one of the two runs', async () => {
        const pods = await listPods(cluster);
        const waiting = pods.filter(({ spec }) => spec.nodeName === undefined);
        // A late write may leave neither bound; kube-scheduler would try again.
        if (waiting.length === 2) await replicas.bind(next, second, node);
        const phases = pods.map(({ status }) => status.phase).sort();
        return phases.join() === 'Pending,Running' ? { done: true } : { not: phases.join() };
      });
      await expectNoFault();
      // No lock, and nothing in memory, is left of either.
      await clearPods(cluster);
      await untilBound(next, await create('third', 16_384), node);
      await untilPhase(cluster, 'third', 'Running');
      await clearPods(cluster);
      await expectNoFault();
    });
  }
});

/** For what was held to reach the API server, before its sender wakes. */
const lateWriteMs = 300;
const tickMs = 100;

/** Creates small pods one after the other, and answers how long it took from now until one of them was bound. */
async function msUntilOneIsBound(
  prefix: string,
  { limitMs, schedulerName }: { readonly limitMs: number; readonly schedulerName?: string },
): Promise<number> {
  const path = '/api/v1/namespaces/default/pods';
  const query = { fieldSelector: 'spec.nodeName!=' };
  const startMs = performance.now();
  for (let count = 0; ; count += 1) {
    const body = sharedPod(`${prefix}-${count}`, 100, schedulerName);
    await cluster.api.request({ method: 'POST', path, body, timeoutMs: limitMs });
    await pause(tickMs);
    const bound = await cluster.api.request({ method: 'GET', path, query, timeoutMs: limitMs });
    const tookMs = performance.now() - startMs;
    if (JSON.stringify(bound).includes(`"${prefix}-`) || tookMs > 2 * limitMs) return tookMs;
  }
}

describe('with kube-scheduler elsewhere', () => {
  const cases = [
    // The webhook is answered all the while, and gives each pod its scheduler.
    { how: 'a clean stop', signal: 'SIGTERM', limitMs: 2000 },
    // Until the API server is sent to the other replica, a webhook that fails open lets pods pass as they are.
    { how: 'SIGKILL', signal: 'SIGKILL', limitMs: 15_000, schedulerName: 'tessera-scheduler' },
  ] as const;

  for (const { how, signal, ...created } of cases) {
    const { limitMs } = created;
    scenario(`pods are bound again within ${limitMs / 1000} s of ${how} of the leader`, async () => {
      if (cluster.scheduler === undefined) await scheduleFromElsewhere(cluster, await replicas.extenderTls());
      await msUntilOneIsBound(`before-${signal.toLowerCase()}`, created);
      const old = await replicas.leader();
      const ended = old.tessera.end(signal);
      const tookMs = await msUntilOneIsBound(`after-${signal.toLowerCase()}`, created);
      console.info(`after ${how} of the leader, a pod was bound within ${tookMs.toFixed(0)} ms`);
      expect(tookMs).toBeLessThan(limitMs);
      await ended;
      expect(await replicas.leader()).toBe(replicas.other(old));
      await eventually('every pod runs', async () => {
        const others = (await listPods(cluster)).filter(({ status }) => status.phase !== 'Running');
        const names = others.map(({ metadata, spec }) => `${metadata.name} (${spec.schedulerName ?? ''})`);
        return others.length === 0 ? { done: true } : { not: names.join(', ') };
      });
      await old.tessera.startAgain();
      await eventually('the one that came back follows', async () => {
        const says = await old.tessera.readiness();
        return says === 'ok, follower' ? { done: true } : { not: says };
      });
      await clearPods(cluster);
      await expectNoFault();
    });
  }
});
