/** One replay of a scenario: a policy, an order of arrivals, and what came of it as plain data. */
import { makeFragmentationMeasure } from '../../placement/fragmentation/fragmentation-measure.ts';
import { type Parsed, parsed } from '../../model/result.ts';
import { makeLearningFragmentation } from '../../simulator/policies/learning-fragmentation.ts';
import { makePolicy } from '../../simulator/policies/policies.ts';
import { targetWorkload } from '../../simulator/policies/target-workload.ts';
import { replay } from '../../simulator/replay.ts';
import { seededRandom } from '../../simulator/seeded-random.ts';
import { requestMix } from '../../simulator/simulated-pod.ts';
import { churnFigures } from './churn-figures.ts';
import type { RunReport, RunRequest } from './run-report.ts';
import type { Scenario } from './scenario.ts';
import { timedFigures } from './timed-allocation.ts';

export interface RunTools {
  /** Any clock that only goes forward, in milliseconds. */
  readonly nowMs: () => number;
  /** Told now and then how much of the run is done, 0 to 1. */
  readonly onProgress?: (part: number) => void;
}

/** Refuses a seed that there is no order for. The same scenario and request give the same figures. */
export function makeRun(
  scenario: Scenario,
  { policy: name, seed }: RunRequest,
  { nowMs, onProgress }: RunTools,
): Parsed<RunReport> {
  const { inputs, conditions, arrivals: how } = scenario;
  const { views, policies: defaults } = inputs;
  const order = inputs.arrivalsOf(seed);
  if (!order.ok) return order;
  const { arrivals, rank } = order.value;
  const pods = inputs.podsOf(seed);
  const mix = conditions.skewMemory === true ? requestMix(pods) : scenario.mix;
  // Orders are drawn from the first stream of the seed, so that no policy repeats their chance.
  const random = seededRandom(seed, 1);
  const measure = makeFragmentationMeasure(targetWorkload(mix), defaults.cardRules);
  const context = { views, mix, defaults, random };
  const learns = conditions.learn === true && name === 'fragmentation';
  const startedMs = nowMs();
  const result = replay({
    views,
    pods,
    arrivals,
    policy: learns ? makeLearningFragmentation(context) : makePolicy(name, context),
    rank,
    random,
    habits: { randomTies: conditions.randomTies === true, samplePart: conditions.sample ?? 1 },
    fragmentedMilli: (view) => measure.fragmentedMilli(view),
    idleMilli: (view) => measure.idleMilli(view),
    onProgress: (done) => onProgress?.(arrivals.length === 0 ? 1 : done / arrivals.length),
  });
  const seconds = (nowMs() - startedMs) / 1000;
  const { capacityMilli, arrivedMilli, allocatedMilli, placements, unplaced, curve } = result;
  const ofCluster = (milli: number) => (capacityMilli === 0 ? 0 : (milli / capacityMilli) * 100);
  const lastPercent = curve.at(-1)?.arrivedPercent ?? 0;
  return parsed({
    policy: name,
    seed,
    arrived: arrivals.length,
    placed: placements.filter(({ ok }) => ok).length,
    unplaced,
    arrivedPercent: ofCluster(arrivedMilli),
    allocatedPercent: ofCluster(allocatedMilli),
    curve,
    reachedPercent: how.kind === 'load' ? Math.max(how.percent, lastPercent) : lastPercent,
    ...(how.kind === 'timed' ? { timed: timedFigures(views, arrivals, result) } : {}),
    ...(how.kind === 'churn' ? { churn: churnFigures(how.percent, arrivals, result) } : {}),
    seconds,
  });
}
