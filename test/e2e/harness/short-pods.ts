/** A stream of pods of many sizes, most of them short; some are deleted, a few run for as long as nobody does that. */
import { pick, pickWeighted } from '../../../src/emulator/demo-cluster-random.ts';
import { runSecondsAnnotation, stopSecondsAnnotation } from '../../../src/emulator/node-agent/pod-status.ts';
import type { GpuAmounts } from '../../support/kubernetes-objects.ts';
import { podManifest } from '../../integration/scenarios/pods.ts';

export interface ShortPod {
  readonly name: string;
  readonly manifest: object;
  /** Whether somebody deletes it, whatever it does then. */
  readonly isDeleted: boolean;
}

type Shape = (random: () => number) => readonly GpuAmounts[];

const shapes: readonly (readonly [weight: number, shape: Shape])[] = [
  [40, (random) => [{ count: 1, memoryMiB: pick([1000, 2000, 4000, 6000], random) }]],
  [20, (random) => [{ count: 1, memoryMiB: 2000, corePercent: pick([10, 25, 50], random) }]],
  [15, (random) => [{ count: 1, memoryPercent: pick([10, 25, 50], random) }]],
  [
    10,
    () => [
      { count: 1, memoryMiB: 2000 },
      { count: 1, memoryMiB: 1000, corePercent: 10 },
    ],
  ],
  [10, () => [{ count: 2, memoryMiB: 3000 }]],
  [5, () => [{ count: 1, memoryPercent: 100, corePercent: 100 }]],
];

const deletedShare = 0.2;
/** Of those that are not deleted. */
const endlessShare = 0.08;

export interface ShortPodOptions {
  /** Named in the pod, because the webhook lets pods pass as they are while its server is down. */
  readonly schedulerName: string;
  /** The node of those that run on, small ones all of them, so that in the end there is room for everybody else. */
  readonly home: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export function planShortPod(name: string, { schedulerName, home, random }: ShortPodOptions): ShortPod {
  const isDeleted = random() < deletedShare;
  const runsOn = !isDeleted && random() < endlessShare;
  const ends = isDeleted ? random() < 0.5 : !runsOn;
  const containers = runsOn ? [{ count: 1, memoryMiB: 1000 }] : pickWeighted(shapes, random)(random);
  const annotations = {
    ...(ends ? { [runSecondsAnnotation]: pick(['0.5', '1', '2', '3'], random) } : {}),
    [stopSecondsAnnotation]: pick(['0', '0.5'], random),
  };
  const place = runsOn ? { nodeSelector: { 'kubernetes.io/hostname': home } } : {};
  const manifest = podManifest(name, { containers, annotations, spec: { schedulerName, ...place } });
  return { name, isDeleted, manifest };
}

/** Whether the pod ends by itself once it runs. */
export function endsByItself({
  metadata,
}: {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}): boolean {
  return metadata.annotations?.[runSecondsAnnotation] !== undefined;
}
