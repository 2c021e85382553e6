/** What pods ask for is told when the state first sees them, each once, however often they come again. */
import { describe, expect, it } from '@jest/globals';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { gpuPod, nodeObject, nvidiaVendors, podObject } from './support/device-states.ts';

const gpu = { count: 1, memoryMiB: 3000 };
const pending = gpuPod({ name: 'a', gpu });
const bound = gpuPod({ name: 'a', gpu, nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,0:;' });

/** UIDs in the order in which they were told. */
function toldBy(play: (state: DeviceState, apply: (pod: PodObject) => void) => void): readonly string[] {
  const told: string[] = [];
  const state = new DeviceState({
    vendors: nvidiaVendors,
    trustOf: () => 'as-written',
    onRequested: ({ podUid }) => told.push(podUid),
  });
  state.applyNode(nodeObject({ devices: [{}] }));
  play(state, (pod) => state.applyPod(pod, 0));
  return told;
}

describe('a request is told', () => {
  const cases = [
    { name: 'of a pod that waits', pods: [pending], want: ['uid-a'] },
    { name: 'of a pod that was bound before the state saw it', pods: [bound], want: ['uid-a'] },
    { name: 'once, however often the pod comes', pods: [pending, pending, bound, bound], want: ['uid-a'] },
    {
      name: 'again of a pod that was deleted and made anew',
      pods: [pending, gpuPod({ name: 'a', uid: 'uid-b', gpu })],
      want: ['uid-a', 'uid-b'],
    },
    { name: 'not of a pod without devices', pods: [podObject({ name: 'a' })], want: [] },
    {
      name: 'not of a request that cannot be read',
      pods: [gpuPod({ name: 'a', gpu: { count: 1, memoryMiB: '16Gi' } })],
      want: [],
    },
    { name: 'not of a pod that is over', pods: [gpuPod({ name: 'a', gpu, phase: 'Succeeded' })], want: [] },
  ];
  it.each(cases)('$name', ({ pods, want }) => {
    expect(
      toldBy((_, apply) => {
        for (const pod of pods) apply(pod);
      }),
    ).toEqual(want);
  });

  it('of a pod whose bind came before its first event', () => {
    const told = toldBy((state, apply) => {
      const request = { ...requestOf(pending) };
      const allocation = [[{ vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 3000, corePercent: 0 }]];
      state.assume({ pod: pending, request, node: 'n1', allocation });
      apply(bound);
      apply(bound);
    });
    expect(told).toEqual(['uid-a']);
  });

  it('again once a pod was reported gone and comes back', () => {
    const told = toldBy((state, apply) => {
      apply(pending);
      state.removePod('uid-a', 0);
      apply(pending);
    });
    expect(told).toEqual(['uid-a', 'uid-a']);
  });
});

function requestOf(pod: PodObject) {
  const state = new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' });
  state.applyPod(pod, 0);
  const found = state.pending(pod.uid)?.reading.request;
  if (found === undefined) throw new Error('not pending');
  return found;
}
