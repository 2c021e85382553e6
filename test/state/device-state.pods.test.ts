/** The life of a pod as the watch tells it, and what its node is charged at every moment of it. */
import { describe, expect, it } from '@jest/globals';
import { DeviceState } from '../../src/state/device-state.ts';
import { gpuLimits } from '../support/kubernetes-objects.ts';
import { cardsOf, gpuPod, ledgerOf, makeState, nvidiaVendors, podObject } from './support/device-states.ts';

const idle = { 'gpu-0': '0/0/0' };
const charged = { 'gpu-0': '1/3000/30' };
const gpu = { count: 1, memoryMiB: 3000, corePercent: 30 };
const bound = { gpu, nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,30:;' };
const oneCard = () => makeState({ nodes: [{ devices: [{}] }] });
const seconds = 1000;

describe('an unbound pod', () => {
  it('that asks for devices is pending, and known by name', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ gpu }), 0);
    expect(state.pending('uid-pod-1')?.reading.request.counts).toEqual(new Map([['nvidia.com/gpu', 1]]));
    expect([...state.pendingPods()]).toHaveLength(1);
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBe('uid-pod-1');
    expect(cardsOf(state)).toEqual(idle);
  });

  it('whose request cannot be read is pending too', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ gpu: { memoryMiB: '16Gi' } }), 0);
    expect(state.pending('uid-pod-1')?.reading.problems).toHaveLength(1);
  });

  it('that asks for no device is none of our business', () => {
    const state = oneCard();
    state.applyPod(podObject(), 0);
    expect(state.pending('uid-pod-1')).toBeUndefined();
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBeUndefined();
  });

  it('is charged nothing for annotations that claim an allocation', () => {
    const state = oneCard();
    const annotations = {
      'hami.io/vgpu-node': 'n1',
      'hami.io/vgpu-devices-allocated': 'gpu-0,NVIDIA,3000,30:;',
    };
    expect(state.applyPod(gpuPod({ gpu, annotations }), 0)).toEqual([]);
    expect(cardsOf(state)).toEqual(idle);
    expect(state.entry('uid-pod-1')).toBeUndefined();
  });

  it.each(['Failed', 'Succeeded'])('that is %s is pending no longer', (phase) => {
    const state = oneCard();
    state.applyPod(gpuPod({ gpu }), 0);
    state.applyPod(gpuPod({ gpu, phase }), 0);
    expect([...state.pendingPods()]).toEqual([]);
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBeUndefined();
  });

  it('that is deleted is pending no longer', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ gpu }), 0);
    state.removePod('uid-pod-1', 0);
    state.removePod('uid-pod-1', 0);
    expect([...state.pendingPods()]).toEqual([]);
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBeUndefined();
  });
});

describe('a bound pod', () => {
  it('is charged from its annotations and pending no longer', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ gpu }), 0);
    expect(state.applyPod(gpuPod(bound), 0)).toEqual([]);
    expect(cardsOf(state)).toEqual(charged);
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 bound' });
    expect([...state.pendingPods()]).toEqual([]);
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBe('uid-pod-1');
  });

  it('whose allocation cannot be read is charged a card, and reported once', () => {
    const state = oneCard();
    const pod = gpuPod({ ...bound, allocated: 'gpu-0,NVIDIA,x,30:;' });
    expect(state.applyPod(pod, 0)).toEqual([
      { annotation: 'hami.io/vgpu-devices-allocated', problem: 'invalid memory field: "x"' },
    ]);
    expect(state.applyPod(pod, 0)).toEqual([]);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '0/0/0 withheld' });
  });

  it('without devices is charged its host amounts alone', () => {
    const state = oneCard();
    state.applyPod(podObject({ nodeName: 'n1', containers: [{ requests: { cpu: '1' } }] }), 0);
    expect(cardsOf(state)).toEqual(idle);
    expect(state.node('n1')?.hostUsed.cpuMilli).toBe(1000);
  });

  it('counts once, however often it is told', () => {
    const state = oneCard();
    state.applyPod(gpuPod(bound), 0);
    state.applyPod(gpuPod({ ...bound, resourceVersion: '2', running: true }), 0);
    state.applyPod(gpuPod({ ...bound, resourceVersion: '3', running: true }), 0);
    expect(cardsOf(state)).toEqual(charged);
  });

  it('stays charged while it is only being deleted', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...bound, running: true }), 0);
    state.applyPod(gpuPod({ ...bound, running: true, deletionTimestamp: '2026-01-01T00:00:00Z' }), 0);
    state.applyPod(gpuPod({ ...bound, deletionTimestamp: '2026-01-01T00:00:00Z' }), 0);
    expect(state.expireDraining(Number.MAX_SAFE_INTEGER)).toBe(0);
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 bound' });
    expect(cardsOf(state)).toEqual(charged);
  });

  it('Q7: is charged when it is first seen while it is being deleted', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...bound, deletionTimestamp: '2026-01-01T00:00:00Z' }), 0);
    expect(cardsOf(state)).toEqual(charged);
  });

  it.each(['Succeeded', 'Failed'])('%s with no container running is released', (phase) => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...bound, running: true }), 0);
    state.applyPod(gpuPod({ ...bound, phase }), 0);
    expect(cardsOf(state)).toEqual(idle);
    expect(ledgerOf(state)).toEqual({});
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBeUndefined();
  });

  it('that is over when it is first seen is never charged', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...bound, phase: 'Succeeded' }), 0);
    expect(ledgerOf(state)).toEqual({});
  });

  it('deleted before it ran is released at once', () => {
    const state = oneCard();
    state.applyPod(gpuPod(bound), 0);
    state.removePod('uid-pod-1', 0);
    expect(cardsOf(state)).toEqual(idle);
    expect(ledgerOf(state)).toEqual({});
  });
});

describe('a name that comes back with another UID', () => {
  const second = { ...bound, uid: 'second' };

  it('releases the former pod if it did not run', () => {
    const state = oneCard();
    state.applyPod(gpuPod(bound), 0);
    state.applyPod(gpuPod(second), 0);
    expect(ledgerOf(state)).toEqual({ second: 'n1 bound' });
    expect(cardsOf(state)).toEqual(charged);
  });

  it('lets the former pod drain if it ran, and keeps the name for the new one', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ ...bound, running: true }), 0);
    state.applyPod(gpuPod(second), 0);
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 draining', second: 'n1 bound' });
    state.expireDraining(45 * seconds);
    expect(ledgerOf(state)).toEqual({ second: 'n1 bound' });
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBe('second');
  });

  it('replaces a former pod that was pending', () => {
    const state = oneCard();
    state.applyPod(gpuPod({ gpu }), 0);
    state.applyPod(gpuPod({ gpu, uid: 'second' }), 0);
    expect([...state.pendingPods()].map(({ pod }) => pod.uid)).toEqual(['second']);
    state.removePod('uid-pod-1', 0);
    expect(state.uidOf({ namespace: 'default', name: 'pod-1' })).toBe('second');
  });

  it('is the same name only in the same namespace', () => {
    const state = oneCard();
    state.applyPod(gpuPod(bound), 0);
    state.applyPod(gpuPod({ ...second, namespace: 'other' }), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '2/6000/60' });
  });
});

describe('init containers', () => {
  const ask = (memoryMiB: number) => gpuLimits({ count: 1, memoryMiB });
  const allocated = 'gpu-0,NVIDIA,6000,0:;gpu-0,NVIDIA,1000,0:;gpu-0,NVIDIA,2000,0:;';
  const pod = (initState: 'running' | { exitCode: number }) =>
    gpuPod({
      nodeName: 'n1',
      allocated,
      containers: [
        { role: 'init', limits: ask(6000), state: initState },
        { role: 'sidecar', limits: ask(1000), state: 'running' },
        { limits: ask(2000) },
      ],
    });

  it('Q29: count with their peak until they have finished, then not at all; sidecars go on counting', () => {
    const state = oneCard();
    state.applyPod(pod('running'), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '2/6000/0' });
    state.applyPod(pod({ exitCode: 1 }), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '2/6000/0' });
    state.applyPod(pod({ exitCode: 0 }), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '2/3000/0' });
  });

  it('that have finished when the pod is first seen do not count', () => {
    const state = oneCard();
    state.applyPod(pod({ exitCode: 0 }), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '2/3000/0' });
  });

  it('release exactly what they were charged', () => {
    const state = oneCard();
    state.applyPod(pod('running'), 0);
    state.applyPod(pod({ exitCode: 0 }), 0);
    state.removePod('uid-pod-1', 0);
    state.expireDraining(Number.MAX_SAFE_INTEGER);
    expect(cardsOf(state)).toEqual(idle);
  });

  it('of a sandbox that starts over count again', () => {
    const state = oneCard();
    state.applyPod(pod({ exitCode: 0 }), 0);
    state.applyPod(pod('running'), 0);
    expect(cardsOf(state)).toEqual({ 'gpu-0': '2/6000/0' });
  });
});

describe('the synced mark', () => {
  it('is missing until it is set, whatever is known by then', () => {
    const state = new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' });
    state.applyPod(gpuPod(bound), 0);
    expect(state.synced).toBe(false);
    state.markSynced();
    expect(state.synced).toBe(true);
  });
});
