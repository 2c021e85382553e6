/** Which node a pod goes to: of all that are feasible the one that a policy prefers; ties go by the nodes' ranks. */
import type { NodeView } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';
import type { Refusal } from '../model/reason.ts';
import type { VerdictTable } from '../placement/verdicts.ts';
import type { Random, SimulatedPolicy } from './policy.ts';

/** Why a node cannot take a pod: our planner's refusal, or what kube-scheduler itself would have said. */
export type SimulatedRefusal = Refusal | { readonly code: HostReason };
export type HostReason = 'HostInsufficientCpu' | 'HostInsufficientMemory' | 'HostTooManyPods';

export interface NodeQuestion {
  readonly views: readonly NodeView[];
  readonly request: PodRequest;
  readonly verdicts: VerdictTable;
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
export function chooseNode({
  views,
  request,
  verdicts,
  policy,
  rank,
  random,
}: NodeQuestion): number | undefined {
  const feasible: number[] = [];
  const scores: number[] = [];
  for (const [node, view] of views.entries()) {
    if (refuseHost(view, request) !== undefined) continue;
    const verdict = verdicts.judge(view);
    if (!verdict.ok) continue;
    feasible.push(node);
    scores.push(verdict.score);
  }
  if (policy.choice === 'any') return feasible[Math.floor(random() * feasible.length)];
  const values = policy.choice === 'normalized' ? normalized(scores) : scores;
  let best: number | undefined;
  let bestValue = 0;
  for (const [index, node] of feasible.entries()) {
    const value = values[index] ?? 0;
    const isFirst = best === undefined || value > bestValue;
    if (isFirst || (value === bestValue && (rank[node] ?? 0) < (rank[best ?? 0] ?? 0))) {
      best = node;
      bestValue = value;
    }
  }
  return best;
}

/** Min-max over 0..100 in integer arithmetic; all equal: 0. */
function normalized(scores: readonly number[]): readonly number[] {
  const lowest = Math.min(...scores);
  const highest = Math.max(...scores);
  if (highest === lowest) return scores.map(() => 0);
  return scores.map((score) => Math.trunc(((score - lowest) * 100) / (highest - lowest)));
}
