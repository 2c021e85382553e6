import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pause } from '../../src/kubernetes/backoff.ts';
import { podName, type PodObject, type TextMap } from '../../src/model/cluster-objects.ts';
import { makeScheduler } from '../../src/scheduler/scheduler.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { encodeAllocation } from '../../src/vendors/allocation-codec.ts';
import { makeHygon } from '../../src/vendors/hygon.ts';
import { isLockedBy } from '../../src/vendors/node-lock.ts';
import type { Vendor } from '../../src/vendors/vendor.ts';
import { nvidiaVendors } from '../state/support/device-states.ts';
import { gpuLimits, makeNodeObject } from '../support/kubernetes-objects.ts';
import { defaultVendorsConfig } from '../vendors/default-config.ts';
import { bindingArgs } from '../scheduler/support/scheduler-world.ts';
import { BindRig, nodePath, pathOf, term } from './support/bind-rig.ts';
import type { Stored } from './support/cluster-model.ts';
import { namelessKey, namelessLock } from './support/lock-families.ts';
import { type Fault, testClusters } from './support/test-cluster.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';

/** One card of each family, which three pods of 3000 MiB share. */
const devices = [{ id: 'GPU-a', slots: 3, memoryMiB: 9000, corePercent: 100 }];
const dcuRegister = { 'hami.io/node-dcu-register': 'DCU-a,3,9000,100,DCU-K100,0,true,0,hami:' };
const retryMs = 1000;

/** Whose plugin is told by the shared lock whom it serves, and whose has a lock of its own, which names nobody. */
const families = {
  shared: {
    key: 'NVIDIA',
    limits: gpuLimits({ count: 1, memoryMiB: 3000 }),
    allocated: 'hami.io/vgpu-devices-allocated',
  },
  nameless: {
    key: 'DCU',
    limits: { 'hygon.com/dcunum': '1', 'hygon.com/dcumem': '3000', 'hygon.com/dcucores': '10' },
    allocated: 'hami.io/dcu-devices-allocated',
  },
};
type Family = keyof typeof families;
const { hygon } = defaultVendorsConfig();
const vendors: readonly Vendor[] = [
  ...nvidiaVendors,
  { ...makeHygon({ ...hygon, enabled: true }), nodeLock: namelessLock },
];

interface Story {
  /** What each pod asks for. */
  readonly pods: readonly (readonly Family[])[];
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

const asksForEither = fc.constantFrom<readonly Family[]>(['shared'], ['nameless'], ['shared', 'nameless']);
const storyOf = (asked: fc.Arbitrary<readonly Family[]>): fc.Arbitrary<Story> =>
  fc.record({
    pods: fc.array(asked, { minLength: 1, maxLength: 4 }),
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
  pods: asked,
  faults,
  lagMs,
  lateMs,
  pluginMs,
  failing,
}: Story): Promise<readonly string[]> {
  const world = new BindRig(await startCluster(), { vendors });
  const { cluster, clock, watch } = world;
  const { model } = cluster;
  const wrong: string[] = [];
  const never = new AbortController().signal;

  const state = new DeviceState({
    vendors,
    trustOf: (pod) => (world.sealer.isSealed(pod) ? 'as-written' : 'at-least-request'),
    onReleased: ({ node }) => {
      watch.wake(node);
    },
  });
  world.isCharged = (uid) => state.entry(uid) !== undefined;
  const lockNames = (pod: PodObject) => world.lock !== undefined && isLockedBy(world.lock, pod);

  const familiesOf = ({ name }: PodObject): readonly Family[] =>
    asked[Number(name.slice('pod-'.length))] ?? [];
  const fails = ({ name }: PodObject) => failing.some((place) => name === `pod-${place}`);

  /** The device plugin of the shared lock: serves the pod that the lock names, then gives the lock back. */
  const allocate = (pod: PodObject) => {
    if (!lockNames(pod))
      wrong.push(`${pod.name} asks for its devices while the lock is ${world.lock ?? 'free'}`);
    model.change(pathOf(pod), {
      metadata: { annotations: { 'hami.io/bind-phase': fails(pod) ? 'failed' : 'success' } },
      ...(fails(pod) ? { status: { phase: 'Failed' } } : {}),
    });
    if (lockNames(pod)) world.setLock(null);
  };
  /** The other plugin: serves the one pod that waits for it, and gives back whatever lock there is. */
  const assign = (pod: PodObject) => {
    const now = world.stored(pod);
    if (now.phase === 'Failed') return;
    if (fails(pod)) {
      model.change(pathOf(pod), { status: { phase: 'Failed' } });
      return;
    }
    const waiting = pods.filter((other) => {
      const { nodeName, phase, annotations } = world.stored(other);
      const asks = familiesOf(other).includes('nameless');
      return asks && nodeName !== undefined && phase === 'Pending' && !namelessLock.isServed(annotations);
    });
    if (waiting.length !== 1) wrong.push(`${waiting.map(podName).join()} wait for one plugin at once`);
    model.change(pathOf(pod), { metadata: { annotations: { 'example.com/assigned': 'true' } } });
    world.setLock(null, namelessKey);
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
      world.binding.sweep.see(pod);
    });
    if (pod.nodeName === undefined || served.has(pod.uid)) return;
    served.add(pod.uid);
    if (familiesOf(pod).includes('shared'))
      clock.after(pluginMs, () => {
        allocate(pod);
      });
    if (familiesOf(pod).includes('nameless'))
      clock.after(pluginMs + 300, () => {
        assign(pod);
      });
  };
  model.onBinding = (stored) => {
    const pod = world.podOf(stored);
    const asks = familiesOf(pod);
    if (asks.includes('shared') && !lockNames(pod)) {
      wrong.push(`${pod.name} is bound while the lock is ${world.lock ?? 'free'}`);
    }
    if (asks.includes('nameless') && world.lockAt(namelessKey) === undefined) {
      wrong.push(`${pod.name} is bound without its lock`);
    }
  };

  const allocatable = { 'hygon.com/dcunum': '3' };
  const node = makeNodeObject({ devices, annotations: dcuRegister, allocatable }) as unknown as Stored;
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

  const pods = asked.map((wanted, index) => {
    const limits = Object.assign({}, ...wanted.map((family) => families[family].limits)) as TextMap;
    return world.addPod({ name: `pod-${index}`, containers: [{ limits }] });
  });
  /** kube-scheduler: tries again until the pod is bound, or the cards are full for good. */
  const schedule = async (pod: PodObject) => {
    for (let attempt = 0; attempt < 60 && world.stored(pod).nodeName === undefined; attempt += 1) {
      if (state.pending(pod.uid) !== undefined) await scheduler.bind(bindingArgs(pod, 'n1'), never);
      await pause(clock, retryMs, never);
    }
  };
  await cluster.drive(Promise.all(pods.map(schedule)));
  // Long enough for the sweep to find what the faults have left.
  world.binding.sweep.start();
  await cluster.drive(pause(clock, 100_000, never));
  world.binding.sweep.stop();

  const given = [...state.entries()].flatMap(({ allocation }) => allocation.flat());
  for (const { key } of Object.values(families)) {
    const usedMiB = given.reduce((sum, { vendor, memoryMiB }) => sum + (vendor === key ? memoryMiB : 0), 0);
    if (usedMiB > 9000) wrong.push(`${usedMiB} MiB of 9000 are given away of ${key}`);
  }
  const bound = pods.filter((pod) => world.stored(pod).nodeName !== undefined).length;
  if (bound < Math.min(pods.length, 3)) wrong.push(`only ${bound} of ${pods.length} pods were ever bound`);
  for (const pod of pods) {
    const now = world.stored(pod);
    const entry = state.entry(pod.uid);
    const over = now.nodeName === undefined || now.phase === 'Failed';
    if (over && entry !== undefined) wrong.push(`${podName(pod)} is still ${entry.state} in the ledger`);
    if (over) continue;
    for (const { key, allocated } of Object.values(families)) {
      const written = now.annotations[allocated];
      const charged = entry === undefined ? undefined : encodeAllocation(entry.allocation, key);
      if (entry?.state !== 'bound' || charged !== written) {
        wrong.push(`${pod.name} has ${written ?? 'nothing'} and the ledger ${charged ?? 'nothing'}`);
      }
    }
    if (!world.sealer.isSealed(now)) wrong.push(`the seal of ${pod.name} is broken`);
  }
  for (const lock of [world.lock, world.lockAt(namelessKey)]) {
    if (lock !== undefined) wrong.push(`the lock is left as ${lock}`);
  }
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
      fc.asyncProperty(storyOf(fc.constant(['shared'])), async (told) => {
        expect(await play(told)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  }, 300_000);

  it('never do either, whichever locks their families need', async () => {
    await fc.assert(
      fc.asyncProperty(storyOf(asksForEither), async (told) => {
        expect(await play(told)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  }, 300_000);
});
