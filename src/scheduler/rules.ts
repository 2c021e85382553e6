/** The rules that a pod is planned by: the configured policies and what the quotas of its namespace leave. */
import type { PodRequest } from '../model/request.ts';
import type { PlanRules, PolicyDefaults } from '../placement/planner.ts';
import type { Scoring } from '../placement/scoring.ts';
import type { DeviceState } from '../state/device-state.ts';

export interface RuleSources {
  readonly state: DeviceState;
  readonly policies: PolicyDefaults;
  /** What judges where the node policy is `fragmentation`, as of now; asked for such pods alone. */
  readonly scoring?: () => Scoring;
}

/** Holds for one synchronous step: quota and scoring are those of this moment. */
export function rulesFor(
  { namespace, nodePolicy }: PodRequest,
  { state, policies, scoring }: RuleSources,
): PlanRules {
  const rules = { ...policies, quota: state.quotaOf(namespace) };
  if (scoring === undefined || (nodePolicy ?? policies.nodePolicy) !== 'fragmentation') return rules;
  return { ...rules, scoring: scoring() };
}
