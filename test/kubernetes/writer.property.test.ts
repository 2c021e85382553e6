import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pause } from '../../src/kubernetes/backoff.ts';
import { podName, type PodObject } from '../../src/model/cluster-objects.ts';
import { makeScheduler } from '../../src/scheduler/scheduler.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { encodeAllocation } from '../../src/vendors/allocation-codec.ts';
import { isLockedBy } from '../../src/vendors/node-lock.ts';
import { nvidiaVendors } from '../state/support/device-states.ts';
import { makeNodeObject } from '../support/kubernetes-objects.ts';
import { bindingArgs } from '../scheduler/support/scheduler-world.ts';
import { BindRig, nodePath, pathOf, term } from './support/bind-rig.ts';
import type { Stored } from './support/cluster-model.ts';
import { type Fault, testClusters } from './support/test-cluster.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';

/** One card, which three pods of 3000 MiB share. */
const devices = [{ id: 'GPU-a', slots: 3, memoryMiB: 9000, corePercent: 100 }];
const retryMs = 1000;

interface Story {
  readonly pods: number;
  /** For the requests in the order of their arrival; absent: none. */
  readonly faults: readonly (FaultKind | undefined)[];
  /** How far the watch is behind. */
  readonly lagMs: number;
  readonly lateMs: number;
  readonly pluginMs: number;
  /** Positions of pods whose Allocate fails. */
  readonly failing: readonly number[];
}

type FaultKind =
  409 | 429 | 500 | 504 | 'unread' | 'committed' | 'late' | 'silent' | 'silentLate' | 'doubtful';

const story: fc.Arbitrary<Story> = fc.record({
  pods: fc.integer({ min: 1, max: 4 }),
  faults: fc.array(
    fc.option(
      fc.constantFrom<FaultKind>(
        409,
        429,
        500,
        504,
        'unread',
        'committed',
        'late',
        'silent',
        'silentLate',
        'doubtful',
      ),
      { nil: undefined, freq: 3 },
    ),
    { maxLength: 60 },
  ),
  lagMs: fc.constantFrom(0, 100, 400, 3000),
  lateMs: fc.constantFrom(50, 300, 2000, 9000),
  pluginMs: fc.constantFrom(100, 1500),
  failing: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 1 }),
});

const startCluster = testClusters();

/** Plays the story to its end and answers what must not have happened. */
async function play({
  pods: count,
  faults,
  lagMs,
  lateMs,
  pluginMs,
  failing,
}: Story): Promise<readonly string[]> {
  const world = new BindRig(await startCluster());
  const { cluster, clock, watch } = world;
  const { model } = cluster;
  const wrong: string[] = [];
  const never = new AbortController().signal;

  const state = new DeviceState({
    vendors: nvidiaVendors,
    trustOf: (pod) => (world.sealer.isSealed(pod) ? 'as-written' : 'at-least-request'),
    onReleased: ({ node }) => {
      watch.wake(node);
    },
  });
  world.isCharged = (uid) => state.entry(uid) !== undefined;
  const lockNames = (pod: PodObject) => world.lock !== undefined && isLockedBy(world.lock, pod);

  /** The device plugin: serves the pod that the lock names, then gives the lock back. */
  const allocate = (pod: PodObject) => {
    if (!lockNames(pod))
      wrong.push(`${pod.name} asks for its devices while the lock is ${world.lock ?? 'free'}`);
    const fails = failing.some((place) => pod.name === `pod-${place}`);
    model.change(pathOf(pod), {
      metadata: { annotations: { 'hami.io/bind-phase': fails ? 'failed' : 'success' } },
      ...(fails ? { status: { phase: 'Failed' } } : {}),
    });
    if (lockNames(pod)) world.setLock(null);
  };
  const served = new Set<string>();
  model.onChange = (path, object) => {
    if (object === undefined) return;
    if (path === nodePath) {
      clock.after(lagMs, () => {
        world.tellNode(object);
      });
      return;
    }
    const pod = world.podOf(object);
    clock.after(lagMs, () => {
      state.applyPod(pod, clock.nowMs());
      world.binding.pods.see(pod);
    });
    if (pod.nodeName === undefined || served.has(pod.uid)) return;
    served.add(pod.uid);
    clock.after(pluginMs, () => {
      allocate(pod);
    });
  };
  model.onBinding = (stored) => {
    const pod = world.podOf(stored);
    if (!lockNames(pod)) wrong.push(`${pod.name} is bound while the lock is ${world.lock ?? 'free'}`);
  };

  const node = makeNodeObject({ devices }) as unknown as Stored;
  const stored = model.put(nodePath, node);
  world.tellNode(stored);
  state.applyNode(world.nodeOf(stored));
  state.markSynced();
  const scheduler = makeScheduler({
    state,
    writer: world.writer,
    events: { emit: () => undefined },
    clock,
    policies: { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') },
    filterDeadlineMs: 1000,
    prioritizeDeadlineMs: 1000,
    bindBudgetMs: 25_000,
    term: () => term,
  });

  let place = 0;
  cluster.faultOf = () => {
    const kind = faults[place];
    place += 1;
    return kind === undefined ? undefined : faultOf(kind, pause(clock, lateMs, never));
  };

  const pods = Array.from({ length: count }, (_, index) => world.addPod({ name: `pod-${index}` }));
  /** kube-scheduler: tries again until the pod is bound, or the cards are full for good. */
  const schedule = async (pod: PodObject) => {
    for (let attempt = 0; attempt < 60 && world.stored(pod).nodeName === undefined; attempt += 1) {
      if (state.pending(pod.uid) !== undefined) await scheduler.bind(bindingArgs(pod, 'n1'), never);
      await pause(clock, retryMs, never);
    }
  };
  await cluster.drive(Promise.all(pods.map(schedule)));
  await cluster.drive(pause(clock, 60_000, never));

  const usedMiB = [...state.entries()].reduce(
    (sum, { allocation }) => sum + allocation.flat().reduce((part, share) => part + share.memoryMiB, 0),
    0,
  );
  if (usedMiB > 9000) wrong.push(`${usedMiB} MiB of 9000 are given away`);
  const bound = pods.filter((pod) => world.stored(pod).nodeName !== undefined).length;
  if (bound < Math.min(count, 3)) wrong.push(`only ${bound} of ${count} pods were ever bound`);
  for (const pod of pods) {
    const now = world.stored(pod);
    const entry = state.entry(pod.uid);
    const over = now.nodeName === undefined || now.phase === 'Failed';
    if (over && entry !== undefined) wrong.push(`${podName(pod)} is still ${entry.state} in the ledger`);
    if (over) continue;
    const written = now.annotations['hami.io/vgpu-devices-allocated'];
    const charged = entry === undefined ? undefined : encodeAllocation(entry.allocation, 'NVIDIA');
    if (entry?.state !== 'bound' || charged !== written) {
      wrong.push(`${pod.name} has ${written ?? 'nothing'} and the ledger ${charged ?? 'nothing'}`);
    }
    if (!world.sealer.isSealed(now)) wrong.push(`the seal of ${pod.name} is broken`);
  }
  if (world.lock !== undefined) wrong.push(`the lock is left as ${world.lock}`);
  return wrong;
}

function faultOf(kind: FaultKind, until: Promise<void>): Fault {
  switch (kind) {
    case 'unread':
      return { kind: 'dropBeforeCommit' };
    case 'committed':
      return { kind: 'dropAfterCommit' };
    case 'late':
      return { kind: 'late', until, dropped: true };
    case 'silent':
      return { kind: 'silentAfterCommit' };
    case 'silentLate':
      return { kind: 'late', until };
    case 'doubtful':
      return { kind: 'answerAfterCommit', status: 504 };
    default:
      return { kind: 'answer', status: kind, ...(kind === 429 ? { retryAfterSeconds: 1 } : {}) };
  }
}

describe('binds of one node under faults', () => {
  it('never give a pod another pod’s lock, and leave nothing behind that nobody knows of', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        expect(await play(told)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  }, 300_000);
});
