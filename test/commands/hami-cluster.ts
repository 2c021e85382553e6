/** A small cluster in which every family of HAMi's metrics has a sample. */
import type { DeviceState } from '../../src/state/device-state.ts';
import { gpuPod, makeState } from '../state/support/device-states.ts';
import { gpuLimits } from '../support/kubernetes-objects.ts';

export const gpuShare = { limits: gpuLimits({ count: 1, memoryMiB: 3000 }) };

/**
 * Two cards, of which one is shared by two containers of a pod; a node without cards; a card in MIG mode with an
 * instance that exists and one that is only reserved; and a quota.
 */
export function makeHamiCluster(): DeviceState {
  const state = makeState({
    nodes: [
      { name: 'n1', devices: [{ id: 'GPU-a' }, { id: 'GPU-b', type: 'NVIDIA "T4"', corePercent: 200 }] },
      { name: 'n2' },
      { name: 'n3', devices: [{ id: 'GPU-m', index: 4, mode: 'mig', memoryMiB: 40960 }] },
    ],
  });
  state.applyQuota({
    namespace: 'team-a',
    name: 'gpus',
    resourceVersion: '1',
    hard: { 'limits.nvidia.com/gpumem': '8000' },
  });
  const shared = gpuPod({
    namespace: 'team-a',
    name: 'train-0',
    nodeName: 'n1',
    containers: [{}, gpuShare, gpuShare],
    allocated: ';GPU-a,NVIDIA,3000,30:;GPU-a,NVIDIA,1000,0:;',
  });
  state.applyPod(shared, 0);
  state.applyPod(migPod({ made: true }), 0);
  return state;
}

/** A pod with two instances of one card; the first exists once it is `made`. */
export function migPod({ made }: { readonly made: boolean }) {
  const runtime = { migUUID: 'MIG-1', gpuInstanceID: 4, computeInstanceID: 0 };
  const reserved = (deviceIndex: number, start: number) => ({
    containerIndex: 0,
    deviceIndex,
    gpuUUID: 'GPU-m',
    profile: '2g.10gb',
    placement: { start, size: 2 },
  });
  return gpuPod({
    name: 'mig',
    nodeName: 'n3',
    gpu: { count: 2, memoryMiB: 9000 },
    allocated: 'GPU-m,NVIDIA,9728,28:GPU-m,NVIDIA,9728,28:;',
    annotations: {
      'hami.io/vgpu-mig-allocations': JSON.stringify([
        { ...reserved(0, 0), ...(made ? runtime : {}) },
        reserved(1, 2),
      ]),
    },
  });
}
