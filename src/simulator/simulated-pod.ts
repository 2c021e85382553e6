/** The pods of a workload, read once each as admission and the scheduler would read them, and how often they come. */
import type { PodObject } from '../model/cluster-objects.ts';
import type { PodRequest } from '../model/request.ts';
import { readPodRequest } from '../vendors/pod-request.ts';
import { problemSentence, type Vendor } from '../vendors/vendor.ts';
import { shapeOf } from '../placement/verdicts.ts';

export interface SimulatedPod {
  readonly request: PodRequest;
  /** Equal for pods that a planner cannot tell apart. */
  readonly shape: string;
  /** What cannot be understood of the request; such a pod is placed nowhere. */
  readonly problems: readonly string[];
}

export function readSimulatedPods(
  pods: readonly PodObject[],
  vendors: readonly Vendor[],
): readonly SimulatedPod[] {
  return pods.map((pod) => {
    const { request, problems } = readPodRequest(pod, vendors);
    return { request, shape: shapeOf(request), problems: problems.map(problemSentence) };
  });
}

/** A request and how many pods of a workload make it. */
export interface WeightedRequest {
  readonly request: PodRequest;
  readonly count: number;
}

/** The distinct requests of a workload, host resources included, in order of first appearance. */
export function requestMix(pods: readonly SimulatedPod[]): readonly WeightedRequest[] {
  const byShape = new Map<string, { request: PodRequest; count: number }>();
  for (const { request, shape, problems } of pods) {
    if (problems.length > 0) continue;
    const { cpuMilli, memoryMiB } = request.host;
    const key = `${shape}/${cpuMilli}/${memoryMiB}`;
    const entry = byShape.get(key);
    if (entry === undefined) byShape.set(key, { request, count: 1 });
    else entry.count += 1;
  }
  return [...byShape.values()];
}
