/** Which node a pod goes to: of all that are feasible the one that a policy prefers; ties go by the nodes' ranks. */
import type { NodeView } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';
import type { Refusal } from '../model/reason.ts';
import type { Random, SimulatedPolicy } from './policy.ts';

/** Why a node cannot take a pod: our planner's refusal, or what kube-scheduler itself would have said. */
export type SimulatedRefusal = Refusal | { readonly code: HostReason };
export type HostReason = 'HostInsufficientCpu' | 'HostInsufficientMemory' | 'HostTooManyPods';

export function isHostReason(code: SimulatedRefusal['code']): code is HostReason {
  return code.startsWith('Host');
}

export interface NodeQuestion {
  /** By node, as its plan says; NaN where the pod cannot go there. */
  readonly scores: readonly number[];
  readonly policy: SimulatedPolicy;
  /** By node; the lower comes first among equals. */
  readonly rank: readonly number[];
  readonly random: Random;
}

/** kube-scheduler's own part (NodeResourcesFit): a request of nothing fits everywhere. */
export function refuseHost({ hostFree }: NodeView, { host }: PodRequest): HostReason | undefined {
  if (host.cpuMilli > 0 && hostFree.cpuMilli < host.cpuMilli) return 'HostInsufficientCpu';
  if (host.memoryMiB > 0 && hostFree.memoryMiB < host.memoryMiB) return 'HostInsufficientMemory';
  return hostFree.pods < 1 ? 'HostTooManyPods' : undefined;
}

/** The number of the chosen node; undefined when none is feasible. */
export function chooseNode({ scores, policy, rank, random }: NodeQuestion): number | undefined {
  return policy.choice === 'any' ? anyOf(scores, random) : highest(scores, rank);
}

function highest(scores: readonly number[], rank: readonly number[]): number | undefined {
  let best: number | undefined;
  let bestScore = -Infinity;
  let bestRank = Infinity;
  for (let node = 0; node < scores.length; node += 1) {
    const score = scores[node] ?? NaN;
    // Nothing compares to NaN.
    if (!(score >= bestScore)) continue;
    const ownRank = rank[node] ?? 0;
    if (best !== undefined && score === bestScore && ownRank >= bestRank) continue;
    best = node;
    bestScore = score;
    bestRank = ownRank;
  }
  return best;
}

function anyOf(scores: readonly number[], random: Random): number | undefined {
  const feasible: number[] = [];
  for (const [node, score] of scores.entries()) if (!Number.isNaN(score)) feasible.push(node);
  return feasible[Math.floor(random() * feasible.length)];
}
