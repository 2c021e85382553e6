/** The rules that a pod is planned by: the configured policies and what the quotas of its namespace leave. */
import type { PodRequest } from '../model/request.ts';
import type { PlanRules, PolicyDefaults } from '../placement/planner.ts';
import type { DeviceState } from '../state/device-state.ts';

export interface RuleSources {
  readonly state: DeviceState;
  readonly policies: PolicyDefaults;
}

/** Holds for one synchronous step: the quota is the one of this moment. */
export function rulesFor({ namespace }: PodRequest, { state, policies }: RuleSources): PlanRules {
  return { ...policies, quota: state.quotaOf(namespace) };
}
