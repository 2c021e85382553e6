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
  readonly habits?: ChoiceHabits | undefined;
}

/** What a stock kube-scheduler does with the scores of its nodes; as published, none of it is done. */
export interface ChoiceHabits {
  /** Of equally good nodes one is drawn. */
  readonly randomTies?: boolean;
  /** Only so great a part of the feasible nodes, drawn for every pod, is compared: above 0 to 1; at least one node. */
  readonly samplePart?: number;
}

/** kube-scheduler's own part (NodeResourcesFit): a request of nothing fits everywhere. */
export function refuseHost({ hostFree }: NodeView, { host }: PodRequest): HostReason | undefined {
  if (host.cpuMilli > 0 && hostFree.cpuMilli < host.cpuMilli) return 'HostInsufficientCpu';
  if (host.memoryMiB > 0 && hostFree.memoryMiB < host.memoryMiB) return 'HostInsufficientMemory';
  return hostFree.pods < 1 ? 'HostTooManyPods' : undefined;
}

/** The number of the chosen node; undefined when none is feasible. */
export function chooseNode({ scores, policy, rank, random, habits }: NodeQuestion): number | undefined {
  if (policy.choice === 'any') return anyOf(feasibleOf(scores), random);
  const { randomTies = false, samplePart = 1 } = habits ?? {};
  if (!randomTies && samplePart === 1) return highest(scores, rank);
  const looked = samplePart === 1 ? feasibleOf(scores) : sampleOf(feasibleOf(scores), samplePart, random);
  const best = looked.reduce((most, node) => Math.max(most, scores[node] ?? NaN), -Infinity);
  const equals = looked.filter((node) => scores[node] === best);
  if (randomTies) return anyOf(equals, random);
  return equals.sort((a, b) => (rank[a] ?? 0) - (rank[b] ?? 0) || a - b)[0];
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

function feasibleOf(scores: readonly number[]): number[] {
  const feasible: number[] = [];
  for (const [node, score] of scores.entries()) if (!Number.isNaN(score)) feasible.push(node);
  return feasible;
}

function anyOf(nodes: readonly number[], random: Random): number | undefined {
  return nodes[Math.floor(random() * nodes.length)];
}

/** Draws without putting back; the nodes are left in another order. */
function sampleOf(nodes: number[], part: number, random: Random): readonly number[] {
  const count = Math.min(nodes.length, Math.max(1, Math.round(part * nodes.length)));
  for (let drawn = 0; drawn < count; drawn += 1) {
    const other = drawn + Math.floor(random() * (nodes.length - drawn));
    const moved = nodes[drawn] ?? 0;
    nodes[drawn] = nodes[other] ?? 0;
    nodes[other] = moved;
  }
  return nodes.slice(0, count);
}
