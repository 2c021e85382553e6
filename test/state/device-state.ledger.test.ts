/** Assuming, confirming, cancelling and releasing, and how the watch may cross each of them. */
import { describe, expect, it } from '@jest/globals';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import {
  cardsOf,
  gpuPod,
  type GpuPodFields,
  ledgerOf,
  makeState,
  nvidiaVendors,
  pictureOf,
} from './support/device-states.ts';

const gpu = { count: 1, memoryMiB: 3000, corePercent: 30 };
const bound = { gpu, nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,30:;' };
const idle = { 'gpu-0': '0/0/0' };
const charged = { 'gpu-0': '1/3000/30' };

const share = (deviceId: string, memoryMiB = 3000, corePercent = 30) => ({
  vendor: 'NVIDIA',
  deviceId,
  memoryMiB,
  corePercent,
});

function assume(state: DeviceState, pod: PodObject, shares = [share('gpu-0')], node = 'n1') {
  const { request } = readPodRequest(pod, nvidiaVendors);
  state.assume({ pod, request, node, allocation: [shares] });
}

/** A state of one card with a pending pod that is assumed there. */
function assumed(fields: GpuPodFields = { gpu }): DeviceState {
  const state = makeState({ nodes: [{ devices: [{}] }, { name: 'n2', devices: [{}] }] });
  const pod = gpuPod(fields);
  state.applyPod(pod, 0);
  assume(state, pod);
  return state;
}

describe('assuming', () => {
  it('charges at once, and the pod stays pending', () => {
    const state = assumed();
    expect(cardsOf(state)).toEqual(charged);
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 assumed' });
    expect(state.pending('uid-pod-1')).toBeDefined();
    expect(state.node('n1')?.hostUsed.pods).toBe(1);
    expect(state.view('n1')?.countFree.get('nvidia.com/gpu')).toBe(9);
  });

  it('a pod twice is a bug', () => {
    const state = assumed();
    expect(() => {
      assume(state, gpuPod({ gpu }), [share('gpu-0')], 'n2');
    }).toThrow('pod default/pod-1 is in the ledger already');
    expect(cardsOf(state, 'n2')).toEqual(idle);
  });

  const tooMuch = [
    { name: 'slots', device: { slots: 1 }, shares: [share('gpu-0', 1, 0), share('gpu-0', 1, 0)] },
    { name: 'memory', device: { memoryMiB: 2999 }, shares: [share('gpu-0')] },
    { name: 'cores', device: { corePercent: 29 }, shares: [share('gpu-0')] },
  ];
  it.each(tooMuch)('more $name than a card has is a bug, and leaves nothing behind', ({ device, shares }) => {
    const state = makeState({ nodes: [{ devices: [device] }] });
    const before = pictureOf(state, 'n1');
    const pod = gpuPod({ gpu });
    expect(() => {
      assume(state, pod, shares);
    }).toThrow('would over-commit device NVIDIA/gpu-0 of node n1');
    expect(pictureOf(state, 'n1')).toEqual(before);
    expect(ledgerOf(state)).toEqual({});
  });

  it('exactly what a card has is fine', () => {
    const state = makeState({ nodes: [{ devices: [{ slots: 1, memoryMiB: 3000, corePercent: 30 }] }] });
    assume(state, gpuPod({ gpu }));
    expect(cardsOf(state)).toEqual(charged);
  });
});

describe('an assumed pod', () => {
  it('becomes bound by confirmation, once', () => {
    const state = assumed();
    state.confirm('uid-pod-1');
    state.confirm('uid-pod-1');
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 bound' });
    expect(cardsOf(state)).toEqual(charged);
    expect(state.pending('uid-pod-1')).toBeUndefined();
  });

  it('becomes bound by the watch, before or after the confirmation', () => {
    const state = assumed();
    state.applyPod(gpuPod(bound), 0);
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 bound' });
    state.confirm('uid-pod-1');
    state.applyPod(gpuPod({ ...bound, running: true }), 0);
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 bound' });
    expect(cardsOf(state)).toEqual(charged);
  });

  it('gives everything back when cancelled, once', () => {
    const state = assumed();
    state.cancel('uid-pod-1');
    state.cancel('uid-pod-1');
    expect(ledgerOf(state)).toEqual({});
    expect(cardsOf(state)).toEqual(idle);
    expect(state.node('n1')?.hostUsed).toEqual({ cpuMilli: 0, memoryMiB: 0, pods: 0 });
    expect(state.pending('uid-pod-1')).toBeDefined();
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBe('uid-pod-1');
  });

  it('can be assumed again after it was cancelled', () => {
    const state = assumed();
    state.cancel('uid-pod-1');
    assume(state, gpuPod({ gpu }), [share('gpu-0')], 'n2');
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n2 assumed' });
    expect(cardsOf(state)).toEqual(idle);
  });

  it('stays assumed through events of the unbound pod, whatever its annotations say', () => {
    const state = assumed();
    state.applyPod(gpuPod({ gpu, resourceVersion: '2', annotations: { 'hami.io/vgpu-node': 'n2' } }), 0);
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 assumed' });
    expect(cardsOf(state)).toEqual(charged);
  });

  it('bound elsewhere is charged there and nowhere else, whatever comes of our own bind', () => {
    const state = assumed();
    state.applyPod(gpuPod({ ...bound, nodeName: 'n2' }), 0);
    expect(cardsOf(state, 'n1')).toEqual(idle);
    expect(cardsOf(state, 'n2')).toEqual(charged);
    state.cancel('uid-pod-1');
    state.confirm('uid-pod-1');
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n2 bound' });
  });

  it('bound elsewhere keeps its name, so that a successor of that name ends it', () => {
    const state = assumed();
    state.applyPod(gpuPod({ ...bound, nodeName: 'n2' }), 0);
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBe('uid-pod-1');
    state.applyPod(gpuPod({ gpu, uid: 'second' }), 0);
    expect(ledgerOf(state)).toEqual({});
  });

  it('bound to the same node on other cards than assumed is charged where the cluster says', () => {
    const state = makeState({ nodes: [{ devices: [{}, {}] }] });
    const pod = gpuPod({ gpu });
    state.applyPod(pod, 0);
    assume(state, pod, [share('gpu-0')]);
    state.applyPod(gpuPod({ ...bound, allocated: 'gpu-1,NVIDIA,3000,30:;' }), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0', 'gpu-1': '1/3000/30' });
  });

  it('ahead of the watch is not ended by late news of a former pod of its name', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    assume(state, gpuPod({ gpu, uid: 'second' }));
    state.applyPod(gpuPod({ gpu, uid: 'first' }), 0);
    expect(ledgerOf(state)).toEqual({ second: 'n1 assumed' });
    state.confirm('second');
    state.applyPod(gpuPod({ gpu, uid: 'first', resourceVersion: '2' }), 0);
    state.removePod('first', 0);
    state.applyPod(gpuPod({ ...bound, uid: 'second' }), 0);
    expect(ledgerOf(state)).toEqual({ second: 'n1 bound' });
    expect(cardsOf(state)).toEqual(charged);
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBe('second');
  });

  it('deleted is released, and late news of the bind change nothing', () => {
    const state = assumed();
    state.removePod('uid-pod-1', 0);
    state.confirm('uid-pod-1');
    state.cancel('uid-pod-1');
    expect(ledgerOf(state)).toEqual({});
    expect(cardsOf(state)).toEqual(idle);
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBeUndefined();
  });

  it('whose node goes away stays assumed, and is charged if the node returns', () => {
    const state = assumed();
    state.removeNode('n1');
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 assumed' });
    state.cancel('uid-pod-1');
    expect(state.node('n1')).toBeUndefined();
  });

  it('shrinks only once its init containers have finished', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    const containers = (exitCode?: number) => [
      {
        role: 'init' as const,
        limits: { 'nvidia.com/gpu': '1' },
        ...(exitCode === undefined ? {} : { state: { exitCode } }),
      },
      { limits: { 'nvidia.com/gpu': '1' } },
    ];
    const pod = gpuPod({ containers: containers() });
    state.applyPod(pod, 0);
    const { request } = readPodRequest(pod, nvidiaVendors);
    state.assume({ pod, request, node: 'n1', allocation: [[share('gpu-0', 6000)], [share('gpu-0', 1000)]] });
    expect(cardsOf(state)).toEqual({ 'gpu-0': '1/6000/30' });
    const allocated = 'gpu-0,NVIDIA,6000,30:;gpu-0,NVIDIA,1000,30:;';
    state.applyPod(gpuPod({ nodeName: 'n1', allocated, containers: containers() }), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '1/6000/30' });
    state.applyPod(gpuPod({ nodeName: 'n1', allocated, containers: containers(0) }), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '1/1000/30' });
  });
});

describe('a bound pod', () => {
  it('is not taken back by cancelling', () => {
    const state = assumed();
    state.confirm('uid-pod-1');
    state.cancel('uid-pod-1');
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 bound' });
  });

  it('keeps its charge when its annotations change afterwards', () => {
    const state = assumed();
    state.confirm('uid-pod-1');
    state.applyPod(gpuPod({ ...bound, allocated: 'gpu-0,NVIDIA,1,0:;' }), 0);
    expect(cardsOf(state)).toEqual(charged);
  });

  it('is released once, however often it is asked for', () => {
    const state = assumed();
    state.confirm('uid-pod-1');
    state.removePod('uid-pod-1', 0);
    state.removePod('uid-pod-1', 0);
    expect(cardsOf(state)).toEqual(idle);
    expect(state.node('n1')?.hostUsed.pods).toBe(0);
  });
});

describe('the name of a pod', () => {
  it('that is over is forgotten, also when the watch skips from pending to the end', () => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    state.applyPod(gpuPod({ gpu }), 0);
    state.applyPod(gpuPod({ ...bound, phase: 'Failed' }), 0);
    state.removePod('uid-pod-1', 0);
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBeUndefined();
  });
});

describe('trust', () => {
  it('is asked about the pod as it is bound', () => {
    const asked: (string | undefined)[] = [];
    const state = new DeviceState({
      vendors: nvidiaVendors,
      trustOf: (pod) => {
        asked.push(pod.nodeName);
        return 'at-least-request';
      },
    });
    state.applyPod(gpuPod({ gpu }), 0);
    state.applyPod(gpuPod(bound), 0);
    state.applyPod(gpuPod(bound), 0);
    expect(asked).toEqual(['n1']);
  });
});
