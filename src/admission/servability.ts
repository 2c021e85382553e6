/**
 * Whether the cluster could ever serve a request: the planner's verdict on every node as if it were idle. A pod that
 * fits no node even then is admitted (nodes may come) but its owner is told at once instead of finding it Pending.
 */
import type { PodRequest } from '../model/request.ts';
import type { Refusal } from '../model/reason.ts';
import { plan, type PolicyDefaults } from '../placement/planner.ts';
import type { DeviceState } from '../state/device-state.ts';

/** The reasons why no node could ever take the pod, with the number of nodes; undefined when one could. */
export function neverServed(
  request: PodRequest,
  state: DeviceState,
  policies: PolicyDefaults,
): ReadonlyMap<string, number> | undefined {
  const reasons = new Map<string, number>();
  for (const name of state.nodeNames()) {
    const view = state.idleView(name);
    if (view === undefined) continue;
    const verdict = plan(view, request, policies);
    if (verdict.ok) return undefined;
    const reason = wordsOf(verdict.refusal);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return reasons;
}

function wordsOf(refusal: Refusal): string {
  return refusal.code === 'AllocatedCardsInsufficientRequest'
    ? Object.keys(refusal.refused).sort().join(', ')
    : refusal.code;
}

/** The API server cuts warnings that are much longer than a line. */
const mostCauses = 3;

export function neverServedWarning(reasons: ReadonlyMap<string, number>): string {
  const causes = [...reasons]
    .sort(([a, onA], [b, onB]) => onB - onA || (a < b ? -1 : 1))
    .slice(0, mostCauses)
    .map(([reason, nodes]) => `${reason} on ${nodes}`);
  return causes.length === 0
    ? 'the cluster has no node with such devices now; the pod will wait for one'
    : `no node could serve this pod even if it were idle (${causes.join('; ')}); it will wait`;
}
