/** A cluster of three nodes that refuses for different reasons, and the pods of the HTTP tests. */
import { gpuLimits, makeNodeObject, makePod } from '../support/kubernetes-objects.ts';

export const sampleNodes = [
  makeNodeObject({
    name: 'a100',
    devices: [
      { id: 'GPU-a0', memoryMiB: 40960 },
      { id: 'GPU-a1', memoryMiB: 40960 },
    ],
  }),
  makeNodeObject({
    name: 't4',
    devices: [
      { id: 'GPU-t0', type: 'NVIDIA-Tesla T4', memoryMiB: 15360 },
      { id: 'GPU-t1', type: 'NVIDIA-Tesla T4', memoryMiB: 15360, healthy: false },
    ],
  }),
  makeNodeObject({ name: 'cpu' }),
];

/** Fits `a100` and `t4`. */
export const smallPod = makePod({
  name: 'small',
  containers: [{ name: 'main', limits: gpuLimits({ count: 1, memoryMiB: 8000, corePercent: 30 }) }],
});

/** Fits `a100` alone. */
export const largePod = makePod({
  name: 'large',
  containers: [{ name: 'main', limits: gpuLimits({ count: 1, memoryMiB: 30_000, corePercent: 30 }) }],
});

export const plainPod = makePod({ name: 'plain' });

/** Slipped past admission with an amount that cannot be understood. */
export const brokenPod = makePod({
  name: 'broken',
  containers: [{ name: 'main', limits: gpuLimits({ count: 1, memoryMiB: '16Gi' }) }],
});

export const samplePods = [smallPod, largePod, brokenPod];
export const allNames = ['a100', 't4', 'cpu'];

export function bindingOf(pod: typeof smallPod, node: string) {
  const { name, namespace, uid } = pod.metadata ?? {};
  return { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node };
}
