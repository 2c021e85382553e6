/** What counts as drift of the ledger, what does not, and that each kind is mended where it can be. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { type ChargeDriftKind, compareCharge, compareSums } from '../../src/state/ledger-audit.ts';
import { repairMemory, repairOf } from '../../src/state/ledger-repair.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import { cardsOf, gpuPod, nodeObject, nvidiaVendors, pictureOf } from './support/device-states.ts';
import { nodeNames, operations, RandomHistory } from './support/random-history.ts';

const nodes = ['n1', 'n2'].map((name) => nodeObject({ name, devices: [{}, { index: 1 }] }));
const nowMs = 0;
/** Trust goes by label, as a stand-in for a seal: a broken one is a label that is gone. */
const trustOf = ({ labels }: PodObject) =>
  labels['sealed'] === 'yes' ? ('as-written' as const) : ('at-least-request' as const);

function stateOf(pods: readonly PodObject[]): DeviceState {
  const state = new DeviceState({ vendors: nvidiaVendors, trustOf });
  for (const node of nodes) state.applyNode(node);
  for (const pod of pods) state.applyPod(pod, nowMs);
  state.markSynced();
  return state;
}

const sealed = { sealed: 'yes' };
const allocated = 'gpu-0,NVIDIA,3000,0:;';
const pending = gpuPod({ labels: sealed });
const bound = gpuPod({ nodeName: 'n1', allocated, labels: sealed });
const elsewhere = gpuPod({ nodeName: 'n2', allocated, labels: sealed });
const running = gpuPod({ nodeName: 'n1', allocated, labels: sealed, running: true, phase: 'Running' });
const ended = gpuPod({ nodeName: 'n1', allocated, labels: sealed, phase: 'Succeeded' });
const endedRunning = gpuPod({ nodeName: 'n1', allocated, labels: sealed, phase: 'Failed', running: true });
const otherCard = gpuPod({ nodeName: 'n1', allocated: 'gpu-1,NVIDIA,3000,0:;', labels: sealed });
const brokenSeal = gpuPod({ nodeName: 'n1', allocated });
const withoutAllocation = gpuPod({ nodeName: 'n1' });
const foreign = gpuPod({ nodeName: 'n1', allocated: 'gpu-0,NVIDIA,100,0:;' });
const plain = gpuPod({ nodeName: 'n1', gpu: {} });

/** Commits the pending pod to a node without a word to the cluster. */
function assumedOn(node: string): DeviceState {
  const state = stateOf([pending]);
  const { request } = readPodRequest(pending, nvidiaVendors);
  const share = { vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 3000, corePercent: 0 };
  state.assume({ pod: pending, request, node, allocation: [[share]] });
  return state;
}

function boundByUs(): DeviceState {
  const state = assumedOn('n1');
  state.confirm(pending.uid);
  return state;
}

function draining(): DeviceState {
  const state = stateOf([running]);
  state.removePod(running.uid, nowMs);
  return state;
}

interface Case {
  readonly name: string;
  readonly memory: () => DeviceState;
  readonly api: readonly PodObject[];
}

describe('the ledger audit', () => {
  it.each<Case>([
    { name: 'the same pod on both sides', memory: () => stateOf([bound]), api: [bound] },
    { name: 'a pod without devices', memory: () => stateOf([plain]), api: [plain] },
    { name: 'a bind under way', memory: () => assumedOn('n1'), api: [pending] },
    { name: 'a bind that the list shows already', memory: () => assumedOn('n1'), api: [bound] },
    { name: 'a charge that drains', memory: draining, api: [] },
    {
      name: 'a pod that has drained in memory while its object still says that it runs',
      memory: () => {
        const state = stateOf([endedRunning]);
        state.expireDraining(Number.MAX_SAFE_INTEGER);
        return state;
      },
      api: [endedRunning],
    },
    { name: 'a pod that nobody charges', memory: () => stateOf([]), api: [ended] },
    {
      name: 'annotations of others, which are never believed',
      memory: () => stateOf([foreign]),
      api: [brokenSeal],
    },
  ])('takes for no difference: $name', ({ memory, api }) => {
    expect(compareCharge(bound.uid, { memory: memory(), rebuilt: stateOf(api) })).toBeUndefined();
  });

  const found: readonly (Case & {
    readonly want: ChargeDriftKind;
    readonly wantRepair?: 'write-back';
  })[] = [
    { name: 'a deleted pod', memory: () => stateOf([bound]), api: [], want: 'leaked' },
    { name: 'a pod that has ended', memory: () => stateOf([bound]), api: [ended], want: 'leaked' },
    { name: 'a pod that was never bound', memory: () => stateOf([bound]), api: [pending], want: 'leaked' },
    { name: 'a bind of a pod that is gone', memory: () => assumedOn('n1'), api: [], want: 'leaked' },
    { name: 'a bound pod that memory lost', memory: () => stateOf([]), api: [bound], want: 'missing' },
    {
      name: 'a bound pod that memory takes for pending',
      memory: () => stateOf([pending]),
      api: [bound],
      want: 'missing',
    },
    { name: 'a pod on another node', memory: () => stateOf([elsewhere]), api: [bound], want: 'misplaced' },
    { name: 'a bind to the wrong node', memory: () => assumedOn('n2'), api: [bound], want: 'misplaced' },
    {
      name: 'an allocation that somebody changed',
      memory: () => stateOf([bound]),
      api: [gpuPod({ nodeName: 'n1', allocated: 'gpu-1,NVIDIA,1,0:;' })],
      want: 'altered',
      wantRepair: 'write-back',
    },
    {
      name: 'an allocation that somebody removed',
      memory: () => stateOf([bound]),
      api: [withoutAllocation],
      want: 'altered',
      wantRepair: 'write-back',
    },
    {
      name: 'a seal that somebody removed',
      memory: () => stateOf([bound]),
      api: [brokenSeal],
      want: 'altered',
      wantRepair: 'write-back',
    },
    {
      name: 'an allocation in memory that the seal speaks against',
      memory: () => stateOf([bound]),
      api: [otherCard],
      want: 'altered',
    },
    {
      name: 'an allocation whose seal was put right',
      memory: () => stateOf([withoutAllocation]),
      api: [bound],
      want: 'altered',
    },
    { name: 'a bind that was faster than the watch', memory: boundByUs, api: [bound], want: 'stale' },
    { name: 'a pod that runs by now', memory: () => stateOf([bound]), api: [running], want: 'stale' },
    {
      name: 'a pod that is over and seems to run',
      memory: () => stateOf([running]),
      api: [endedRunning],
      want: 'stale',
    },
    {
      name: 'a pod whose CPU was resized',
      memory: () => stateOf([gpuPod({ nodeName: 'n1', gpu: {} })]),
      api: [resized(plain)],
      want: 'stale',
    },
  ];

  it.each(found)('finds $name: $want', ({ memory, api, want, wantRepair = 'memory' }) => {
    const [state, rebuilt] = [memory(), stateOf(api)];
    const drift = compareCharge(bound.uid, { memory: state, rebuilt });
    expect(drift?.kind).toBe(want);
    const [pod] = api;
    const repair = {
      kind: want,
      memory: drift?.memory,
      api: drift?.api,
      sealed: pod?.labels['sealed'] === 'yes',
    };
    expect(repairOf(repair)).toBe(wantRepair);
    if (wantRepair === 'write-back') return;
    repairMemory(state, { ...repair, podUid: bound.uid, pod }, nowMs);
    expect(compareCharge(bound.uid, { memory: state, rebuilt })).toBeUndefined();
    expect(compareSums(state, 'n1')).toBeUndefined();
    expect(cardsOf(state, 'n1')).toEqual(cardsOf(rebuilt, 'n1'));
    expect(state.node('n1')?.hostUsed).toEqual(rebuilt.node('n1')?.hostUsed);
  });

  it('keeps a leaked pod that ran charged for its grace period', () => {
    const state = stateOf([running]);
    const drift = compareCharge(running.uid, { memory: state, rebuilt: stateOf([]) });
    expect(drift?.kind).toBe('leaked');
    repairMemory(
      state,
      {
        kind: 'leaked',
        podUid: running.uid,
        memory: drift?.memory,
        api: undefined,
        pod: undefined,
        sealed: false,
      },
      nowMs,
    );
    expect(state.entry(running.uid)?.state).toBe('draining');
  });

  it('finds sums that are not those of their entries, and sums up anew', () => {
    const state = stateOf([bound]);
    const load = state.entry(bound.uid)?.load;
    if (load === undefined) throw new Error('the pod is not charged');
    const before = pictureOf(state, 'n1');
    expect(compareSums(state, 'n1')).toBeUndefined();
    state.node('n1')?.add(load);
    const drift = compareSums(state, 'n1');
    expect(drift?.held.cards['NVIDIA/gpu-0']?.usage.slots).toBe(2);
    expect(drift?.counted.cards['NVIDIA/gpu-0']?.usage.slots).toBe(1);
    state.recount('n1');
    expect(compareSums(state, 'n1')).toBeUndefined();
    expect(pictureOf(state, 'n1')).toEqual(before);
  });

  it('knows nothing of sums of a node that it does not know', () => {
    expect(compareSums(stateOf([]), 'n9')).toBeUndefined();
  });
});

function resized(pod: PodObject): PodObject {
  return { ...pod, containers: pod.containers.map((one) => ({ ...one, requests: { cpu: '2' } })) };
}

const history = fc.array(fc.tuple(fc.constantFrom(...operations), fc.nat(59), fc.nat(1023)), {
  minLength: 10,
  maxLength: 120,
  size: 'max',
});

describe('after any history, the ledger', () => {
  const uidsOf = (...states: readonly DeviceState[]) =>
    new Set(states.flatMap((state) => [...state.entries()].map(({ podUid }) => podUid)));

  it('does not drift', () => {
    let compared = 0;
    fc.assert(
      fc.property(history, fc.boolean(), (steps, reversed) => {
        const cluster = new RandomHistory();
        for (const step of steps) cluster.step(...step);
        const [memory, rebuilt] = [cluster.state, cluster.fromScratch(reversed)];
        for (const uid of uidsOf(memory, rebuilt)) {
          expect(compareCharge(uid, { memory, rebuilt })).toBeUndefined();
          compared += 1;
        }
        for (const name of nodeNames) expect(compareSums(memory, name)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(200);
  });

  it('is brought in line whatever events were lost, and then a second look finds nothing', () => {
    let mended = 0;
    const lost = fc.array(fc.boolean(), { minLength: 120, maxLength: 120 });
    fc.assert(
      fc.property(history, lost, (steps, deaf) => {
        const cluster = new RandomHistory();
        const memory = new DeviceState({ vendors: nvidiaVendors, trustOf });
        for (const [index, step] of steps.entries()) {
          const before = new Map(cluster.pods());
          cluster.step(...step);
          if (deaf[index] === false) hear(memory, before, cluster);
        }
        cluster.settle();
        for (const node of cluster.nodes()) memory.applyNode(node);
        const pods = new Map([...cluster.pods()].map(([, pod]) => [pod.uid, pod]));
        const rebuilt = cluster.fromScratch(false);
        for (const uid of uidsOf(memory, rebuilt)) {
          const drift = compareCharge(uid, { memory, rebuilt });
          if (drift === undefined) continue;
          mended += 1;
          const pod = pods.get(uid);
          // What was sealed cannot have changed in this history, so nothing is to be written back.
          repairMemory(memory, { ...drift, podUid: uid, pod, sealed: true }, cluster.nowMs);
        }
        for (const uid of uidsOf(memory, rebuilt)) {
          expect(compareCharge(uid, { memory, rebuilt })).toBeUndefined();
        }
        memory.expireDraining(Number.MAX_SAFE_INTEGER);
        for (const name of nodeNames) {
          expect(compareSums(memory, name)).toBeUndefined();
          expect(memory.node(name)?.hostUsed ?? 0).toEqual(rebuilt.node(name)?.hostUsed ?? 0);
        }
      }),
      { numRuns: 500 },
    );
    expect(mended).toBeGreaterThan(100);
  });
});

/** Tells the state what is different from before, as a watch does. */
function hear(state: DeviceState, before: ReadonlyMap<string, PodObject>, cluster: RandomHistory): void {
  const now = new Map(cluster.pods());
  for (const [name, { uid }] of before) if (now.get(name)?.uid !== uid) state.removePod(uid, cluster.nowMs);
  for (const [name, pod] of now) if (before.get(name) !== pod) state.applyPod(pod, cluster.nowMs);
}
