/** Pods as a busy cluster has them: of many sizes, most of them short, some left alone until somebody deletes them. */
import { pick, pickWeighted } from '../../src/emulator/demo-cluster-random.ts';
import { runSecondsAnnotation, stopSecondsAnnotation } from '../../src/emulator/node-agent/pod-status.ts';
import { gpuLimits, type GpuAmounts } from '../support/kubernetes-objects.ts';

export interface PodPlan {
  readonly name: string;
  readonly manifest: object;
  /** Undefined for a pod that nobody deletes. */
  readonly deletedAfterMs?: number;
  /** Whether the deletion waits for nothing. */
  readonly isForced: boolean;
}

export const podNamespace = 'default';
const graceSeconds = 3;

const shapes: readonly (readonly [weight: number, make: (random: () => number) => readonly GpuAmounts[]])[] =
  [
    [40, (random) => [{ count: 1, memoryMiB: pick([1000, 2000, 3000, 6000], random) }]],
    [
      20,
      (random) => [
        { count: 1, memoryMiB: pick([1000, 4000], random), corePercent: pick([10, 25, 50], random) },
      ],
    ],
    [15, (random) => [{ count: 1, memoryPercent: pick([10, 25, 50], random) }]],
    [8, () => [{ count: 2, memoryMiB: 3000 }]],
    [5, () => [{ count: 1, memoryPercent: 100, corePercent: 100 }]],
    [
      12,
      () => [
        { count: 1, memoryMiB: 2000 },
        { count: 1, memoryMiB: 1000, corePercent: 10 },
      ],
    ],
  ];

export function planPod(name: string, schedulerName: string, random: () => number): PodPlan {
  const amounts = pickWeighted(shapes, random)(random);
  const hasInit = random() < 0.1;
  const runs = random() < 0.85;
  const dies = random() < (runs ? 0.15 : 0.8);
  const manifest = podManifest(name, {
    schedulerName,
    amounts,
    ...(hasInit ? { init: { count: 1, memoryMiB: 4000 } } : {}),
    annotations: {
      ...(runs ? { [runSecondsAnnotation]: String(1 + Math.floor(random() * 20)) } : {}),
      [stopSecondsAnnotation]: String(Math.floor(random() * graceSeconds)),
    },
  });
  const isForced = random() < 0.2;
  return { name, manifest, isForced, ...(dies ? { deletedAfterMs: random() * 40_000 } : {}) };
}

export interface PodFields {
  readonly schedulerName: string;
  /** One app container each. */
  readonly amounts: readonly GpuAmounts[];
  readonly init?: GpuAmounts;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The only node for it. */
  readonly node?: string;
}

export function podManifest(name: string, fields: PodFields): object {
  const { schedulerName, amounts, init, annotations = {}, node } = fields;
  const container = (containerName: string, limits: GpuAmounts) => ({
    name: containerName,
    image: 'registry.invalid/pause:1',
    resources: { limits: gpuLimits(limits) },
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations },
    spec: {
      schedulerName,
      terminationGracePeriodSeconds: graceSeconds,
      ...(node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }),
      ...(init === undefined ? {} : { initContainers: [container('init', init)] }),
      containers: amounts.map((limits, index) => container(`c${index}`, limits)),
    },
  };
}
