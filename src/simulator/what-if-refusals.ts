/** Why a pod fits nowhere, in full: every refusal that nodes give, with how many give it. */
import { compareText } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';
import { plan, type PlanRules } from '../placement/planner.ts';
import type { VerdictTable } from '../placement/verdicts.ts';
import { type HostReason, refuseHost, type SimulatedRefusal } from './node-choice.ts';

export interface CountedRefusal {
  readonly refusal: SimulatedRefusal;
  readonly nodes: number;
}

const ofHost: Readonly<Record<HostReason, SimulatedRefusal>> = {
  HostInsufficientCpu: { code: 'HostInsufficientCpu' },
  HostInsufficientMemory: { code: 'HostInsufficientMemory' },
  HostTooManyPods: { code: 'HostTooManyPods' },
};

/** The most frequent first; of equals by code. Equal refusals are one, for tables share their objects. */
export function countRefusals(
  views: readonly NodeView[],
  request: PodRequest,
  verdicts: VerdictTable,
): readonly CountedRefusal[] {
  const counts = new Map<SimulatedRefusal, number>();
  for (const view of views) {
    // A card that suits is the rarer thing, so its lack is told before that of host resources.
    const verdict = verdicts.judge(view);
    const refusal = verdict.ok ? hostRefusal(view, request) : verdict.refusal;
    if (refusal !== undefined) counts.set(refusal, (counts.get(refusal) ?? 0) + 1);
  }
  return [...counts]
    .map(([refusal, nodes]) => ({ refusal, nodes }))
    .sort((a, b) => b.nodes - a.nodes || compareText(a.refusal.code, b.refusal.code));
}

/** Why one node cannot take a pod; undefined where it can. */
export function refusalOf(
  view: NodeView,
  request: PodRequest,
  rules: PlanRules,
): SimulatedRefusal | undefined {
  const planned = plan(view, request, rules);
  return planned.ok ? hostRefusal(view, request) : planned.refusal;
}

function hostRefusal(view: NodeView, request: PodRequest): SimulatedRefusal | undefined {
  const reason = refuseHost(view, request);
  return reason === undefined ? undefined : ofHost[reason];
}
