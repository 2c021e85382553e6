/**
 * The product's own policy where nothing is known beforehand: the workload is learnt from the pods that come, as a server
 * learns it. Until some have come, a quarter, a half and a whole of a card are assumed.
 */
import { makeFragmentationScoring } from '../../placement/fragmentation/fragmentation-scoring.ts';
import { supplyOf } from '../../placement/fragmentation/supply.ts';
import { WorkloadMix } from '../../placement/fragmentation/workload-mix.ts';
import type { PodRequest } from '../../model/request.ts';
import type { PlanRules } from '../../placement/planner.ts';
import type { PolicyContext, SimulatedPolicy } from '../policy.ts';

/** Arrivals after which what was learnt is first put in force; then after twice as many, and so on. */
const firstLesson = 20;
/** Arrivals between two lessons at most: every one makes all verdicts stale. */
const mostBetween = 250;

/** What `makePolicy` makes of `fragmentation`, but without a look at the context's workload. */
export function makeLearningFragmentation({ views, defaults }: Omit<PolicyContext, 'mix'>): SimulatedPolicy {
  const supply = supplyOf(views);
  const mix = new WorkloadMix({ vendors: [...new Set(supply.map(({ device }) => device.vendor))] });
  const rulesNow = (): PlanRules => ({
    ...defaults,
    nodePolicy: 'fragmentation',
    scoring: makeFragmentationScoring(mix.classes(), supply, defaults.cardRules),
  });
  let rules = rulesNow();
  let nextLesson = firstLesson;
  return {
    name: 'fragmentation',
    get rules() {
      return rules;
    },
    choice: 'highest',
    learn: (request: PodRequest) => {
      mix.note(request);
      if (mix.noted < nextLesson) return;
      nextLesson += Math.min(mix.noted, mostBetween);
      rules = rulesNow();
    },
  };
}
