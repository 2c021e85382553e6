import { describe, expect, it } from '@jest/globals';
import { PodShapes } from '../../src/state/pod-shapes.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import { gpuPod, makeState, nvidiaVendors, podObject } from './support/device-states.ts';
import { gpuLimits } from '../support/kubernetes-objects.ts';

function podWith(uid: string, memoryMiB: number) {
  return podObject({ uid, name: uid, containers: [{ limits: gpuLimits({ count: 1, memoryMiB }) }] });
}

describe('the shape of a pod', () => {
  it('is the same object for pods of one template, and another one for any other', () => {
    const shapes = new PodShapes(nvidiaVendors);
    const first = shapes.of(podWith('u1', 1000));
    expect(shapes.of(podWith('u2', 1000))).toBe(first);
    expect(shapes.of(podWith('u3', 1001))).not.toBe(first);
  });

  it('gives the request that the pod has by itself', () => {
    const shapes = new PodShapes(nvidiaVendors);
    for (const pod of [podWith('u1', 1000), podWith('u2', 1000), podWith('u3', 2000)]) {
      const shared = readPodRequest(pod, nvidiaVendors, shapes.of(pod));
      expect(shared).toEqual(readPodRequest(pod, nvidiaVendors));
      expect(shared.request.podUid).toBe(pod.uid);
    }
  });

  it('is forgotten when there are very many, and read again', () => {
    const shapes = new PodShapes(nvidiaVendors);
    const first = shapes.of(podWith('u1', 1));
    for (let memoryMiB = 2; memoryMiB <= 5000; memoryMiB += 1) shapes.of(podWith('u1', memoryMiB));
    const again = shapes.of(podWith('u1', 1));
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });

  it('is not kept of a pod that writes a great deal', () => {
    const shapes = new PodShapes(nvidiaVendors);
    const pod = podObject({ containers: [{ name: 'x'.repeat(5000) }] });
    expect(shapes.of(pod)).not.toBe(shapes.of(pod));
  });

  it('stays as it is, whatever happens to the pods that share it', () => {
    const state = makeState({ nodes: [{ name: 'n1' }] });
    const bound = (uid: string, fields = {}) =>
      gpuPod({ uid, name: uid, nodeName: 'n1', allocated: 'GPU-a,NVIDIA,3000,0:;', ...fields });
    state.applyPod(bound('u1'), 0);
    const { request, host } = state.entry('u1') ?? {};
    const before = structuredClone({ request, host });
    state.applyPod(bound('u2', { running: true }), 0);
    expect(state.entry('u2')?.request.containers).toBe(request?.containers);
    state.applyPod(bound('u2', { phase: 'Failed', running: true }), 0);
    state.expireDraining(1e9);
    state.removePod('u2', 0);
    state.applyNode({
      name: 'n1',
      resourceVersion: '2',
      annotations: {},
      labels: {},
      capacity: {},
      allocatable: {},
    });
    expect({ request, host }).toEqual(before);
  });
});
