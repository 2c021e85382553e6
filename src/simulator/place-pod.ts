/**
 * One pod onto a simulated cluster, as the scheduler would: feasible nodes by the planner and kube-scheduler's rule about
 * host resources, the one that the policy prefers, the planner's cards there. Replays and what-if questions share this
 * step, so they cannot differ in it.
 */
import type { Allocation } from '../model/allocation.ts';
import type { NodeView } from '../model/node-view.ts';
import type { NamespaceQuota } from '../model/quota.ts';
import type { PodRequest } from '../model/request.ts';
import { plan, type PlanRules } from '../placement/planner.ts';
import type { Verdicts, VerdictTable } from '../placement/verdicts.ts';
import { type ChoiceHabits, chooseNode } from './node-choice.ts';
import type { NodeScoresByKind } from './node-scores.ts';
import type { Random, SimulatedPolicy } from './policy.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import { mainReason } from './unplaced-reason.ts';

/** Where pods are placed, and by what. */
export interface PlacingGround {
  readonly cluster: SimulatedCluster;
  readonly verdicts: Verdicts;
  /** What was made of the verdicts on this cluster's nodes. */
  readonly scores: NodeScoresByKind;
  readonly policy: SimulatedPolicy;
  /** By node; ties go to the lowest. */
  readonly rank: readonly number[];
  readonly random: Random;
  readonly habits?: ChoiceHabits | undefined;
}

/** What became of one pod. */
export type Placement =
  | { readonly ok: true; readonly node: number; readonly allocation: Allocation }
  | { readonly ok: false; readonly reason: string };

/** The same, and of a pod that was not placed what each node says; absent where no node was asked. */
export type Placing =
  | Extract<Placement, { readonly ok: true }>
  | (Extract<Placement, { readonly ok: false }> & { readonly verdicts?: VerdictTable });

/**
 * Tries a pod once and puts it on its node.
 *
 * @param podUid what it is known by in the cluster; the same pod may come several times
 * @param quota the limits of its namespace with what its pods hold; absent: they are not judged
 */
export function placePod(
  { request: written, shape, problems }: SimulatedPod,
  podUid: string,
  ground: PlacingGround,
  quota?: NamespaceQuota,
): Placing {
  if (problems.length > 0) return { ok: false, reason: 'RequestInvalid' };
  const { verdicts, policy } = ground;
  const request = { ...written, podUid };
  if (quota === undefined || quota.size === 0) {
    return tryUnder(policy.rules, verdicts.of(request, shape, policy.rules), request, ground);
  }
  const rules: PlanRules = { ...policy.rules, quota };
  // A quota's figures change with every pod, so verdicts under it are soon worth nothing: the best node is looked for
  // without it first, and is the best with it, too, unless the quota speaks against it there.
  const best = bestNode(request, verdicts.of(request, shape, policy.rules), ground);
  const placed = best === undefined ? undefined : placeOn(best, request, rules, ground);
  return placed ?? tryUnder(rules, verdicts.of(request, shape, rules), request, ground);
}

function tryUnder(
  rules: PlanRules,
  verdicts: VerdictTable,
  request: PodRequest,
  ground: PlacingGround,
): Placing {
  const best = bestNode(request, verdicts, ground);
  if (best === undefined) {
    return { ok: false, reason: mainReason(ground.cluster.views, request, verdicts), verdicts };
  }
  const placed = placeOn(best, request, rules, ground);
  if (placed === undefined) throw new Error(`the planner takes back what it said of ${best.view.name}`);
  return placed;
}

interface NumberedNode {
  readonly node: number;
  readonly view: NodeView;
}

function bestNode(
  request: PodRequest,
  verdicts: VerdictTable,
  { cluster, scores: kinds, policy, rank, random, habits }: PlacingGround,
): NumberedNode | undefined {
  const scores = kinds.of(verdicts, request.host).of(cluster, verdicts, request);
  const node = chooseNode({ scores, policy, rank, random, habits });
  const view = node === undefined ? undefined : cluster.views[node];
  return node === undefined || view === undefined ? undefined : { node, view };
}

function placeOn(
  { node, view }: NumberedNode,
  request: PodRequest,
  rules: PlanRules,
  { cluster }: PlacingGround,
): Placing | undefined {
  const planned = plan(view, request, rules);
  if (!planned.ok) return undefined;
  const { allocation } = planned;
  cluster.place({ request, node, allocation });
  return { ok: true, node, allocation };
}
