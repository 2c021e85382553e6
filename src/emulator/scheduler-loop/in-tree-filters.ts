/**
 * The in-tree filters, reduced to those that the demo and tests need, in kube-scheduler's order: the first that
 * refuses a node ends the matter, and only the last may give several reasons. Texts are kube-scheduler's of v1.36.
 */
import { amountOf, type SchedulablePod } from './pod-spec.ts';
import { matchesSelector, matchesTerm } from './node-affinity.ts';
import type { SchedulableNode } from './node-spec.ts';
import { tolerates } from './taints.ts';

export interface NodeUsage {
  readonly pods: number;
  /** In the units of `SchedulablePod.requests`. */
  readonly requested: ReadonlyMap<string, number>;
}

const unschedulableTaint = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

/**
 * Why the pod cannot go to the node; empty when it can.
 *
 * @param ignored resources that are left to the extender
 */
export function reasonsAgainst(
  pod: SchedulablePod,
  node: SchedulableNode,
  usage: NodeUsage,
  ignored: ReadonlySet<string>,
): readonly string[] {
  const { tolerations, nodeSelector, requiredTerms } = pod;
  if (node.unschedulable && !tolerates(tolerations, [unschedulableTaint])) {
    return ['node(s) were unschedulable'];
  }
  if (!tolerates(tolerations, node.taints)) return ['node(s) had untolerated taint(s)'];
  const isSelected =
    matchesSelector(nodeSelector, node.labels) &&
    (requiredTerms?.some((term) => matchesTerm(term, node.labels)) ?? true);
  if (!isSelected) return ["node(s) didn't match Pod's node affinity/selector"];
  return insufficiencies(pod, node, usage, ignored);
}

function insufficiencies(
  { requests }: SchedulablePod,
  { allocatable }: SchedulableNode,
  { pods, requested }: NodeUsage,
  ignored: ReadonlySet<string>,
): readonly string[] {
  const reasons = pods + 1 > amountOf('pods', allocatable['pods']) ? ['Too many pods'] : [];
  for (const [resource, amount] of requests) {
    if (amount === 0 || ignored.has(resource)) continue;
    const free = amountOf(resource, allocatable[resource]) - (requested.get(resource) ?? 0);
    if (amount > free) reasons.push(`Insufficient ${resource}`);
  }
  return reasons;
}
