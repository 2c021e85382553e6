/**
 * One run of the published experiment: a variant's pods come in the order of a seed to the empty cluster and stay. The
 * figures are those of the publication's result files.
 */
import type { NodeView } from '../../src/model/node-view.ts';
import { makeFragmentationMeasure } from '../../src/placement/fragmentation/fragmentation-measure.ts';
import { makePolicy } from '../../src/simulator/policies/policies.ts';
import { targetWorkload } from '../../src/simulator/policies/target-workload.ts';
import type { PolicyName } from '../../src/simulator/policy.ts';
import { replay } from '../../src/simulator/replay.ts';
import { seededRandom } from '../../src/simulator/seeded-random.ts';
import { requestMix } from '../../src/simulator/simulated-pod.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { readCluster, readWorkload, type Variant, type Workload } from './openb-data.ts';

export interface Run {
  readonly variant: Variant;
  readonly policy: PolicyName;
  readonly seed: number;
}

export interface RunFigures extends Run {
  /** By column of the published results, e.g. `alloc_100`. */
  readonly figures: Readonly<Record<string, number>>;
  /** Per arrival the row of the node, -1 where it was dropped. */
  readonly placements: Int16Array;
  readonly unplaced: number;
  readonly milliseconds: number;
}

/** Percents of arrived demand at which figures are compared. */
export const comparedPercents = [100, 130];

/** Runs on one data folder; what was read and is needed again is kept. */
export class Experiment {
  readonly #folder: string;
  #views: readonly NodeView[] | undefined;
  #workload: { readonly variant: Variant; readonly read: Workload } | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  run({ variant, policy, seed }: Run): RunFigures {
    const views = (this.#views ??= readCluster(this.#folder));
    const { pods, orders } = this.#read(variant, views.length);
    const order = orders.get(seed);
    if (order === undefined) throw new Error(`no order of ${variant} has seed ${seed}`);
    const mix = requestMix(pods);
    const random = seededRandom(seed);
    const defaults = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('binpack') } as const;
    const measure = makeFragmentationMeasure(targetWorkload(mix));
    const begun = performance.now();
    const { curve, placements, unplaced } = replay({
      views,
      pods,
      arrivals: order.arrivals.map((pod, atSeconds) => ({ pod, atSeconds })),
      policy: makePolicy(policy, { views, mix, defaults, random }),
      rank: order.nodeRank,
      random,
      fragmentedMilli: (view) => measure.fragmentedMilli(view),
    });
    const milliseconds = performance.now() - begun;
    const figures: Record<string, number> = {};
    for (const { arrivedPercent, ...point } of curve) {
      if (!comparedPercents.includes(arrivedPercent)) continue;
      figures[`alloc_${arrivedPercent}`] = point.allocatedPercent;
      figures[`frag_pct_${arrivedPercent}`] = point.fragmentedPercent;
      figures[`frag_rate_${arrivedPercent}`] = point.fragmentationRate;
    }
    return {
      variant,
      policy,
      seed,
      figures,
      placements: Int16Array.from(placements, (placement) => (placement.ok ? placement.node : -1)),
      unplaced: Object.values(unplaced).reduce((sum, count) => sum + count, 0),
      milliseconds,
    };
  }

  #read(variant: Variant, nodes: number): Workload {
    if (this.#workload?.variant !== variant) {
      this.#workload = { variant, read: readWorkload(this.#folder, variant, nodes) };
    }
    return this.#workload.read;
  }
}
