/**
 * What a run tells: plain data, so that it can come from a worker thread. Everything that is printed, drawn or written
 * to a file is made of these.
 */
import type { PolicyName } from '../../simulator/policy.ts';
import type { CurvePoint } from '../../simulator/replay-curve.ts';

/** One policy with one arrival order. */
export interface RunRequest {
  readonly policy: PolicyName;
  readonly seed: number;
}

export interface RunReport extends RunRequest {
  /** Pods that came. */
  readonly arrived: number;
  readonly placed: number;
  /** Pods that did not fit, by main reason. */
  readonly unplaced: Readonly<Record<string, number>>;
  /** All that was asked for and what pods held at the end, in percent of the cluster's cards. */
  readonly arrivedPercent: number;
  readonly allocatedPercent: number;
  readonly curve: readonly CurvePoint[];
  /** How far the curve can be read: the last point of it, or the wanted load where the next pod would go beyond that. */
  readonly reachedPercent: number;
  /** Of a run in which pods leave by their times. */
  readonly timed?: TimedFigures;
  /** Of a run in which pods leave by chance. */
  readonly churn?: ChurnFigures;
  /** The replay alone, without reading files. */
  readonly seconds: number;
}

/** Allocation over the trace's own time, in percent of the cluster's cards. */
export interface TimedFigures {
  readonly peakPercent: number;
  /** Weighted by time, from the first arrival to the last. */
  readonly meanPercent: number;
  /** The mean of equal spans of time, from the first arrival to the last. */
  readonly spans: readonly TimedSpan[];
}

export interface TimedSpan {
  /** The end of the span, seconds since the first arrival. */
  readonly atSeconds: number;
  readonly allocatedPercent: number;
}

/** Means over all demand that came after the warm-up; percent of the cluster's cards where nothing else is said. */
export interface ChurnFigures {
  readonly meanPercent: number;
  /** Of the pods that came, how many were placed. */
  readonly placedPercent: number;
  readonly fragmentedPercent: number;
  /** Percent of the idle cards. */
  readonly fragmentationRate: number;
}

/** In what a comparison departs from the published experiment, pods that leave apart. */
export interface RunConditions {
  /** The policy `fragmentation` learns the workload from the pods that come. */
  readonly learn?: true | undefined;
  /** Memory asked for is out of proportion to compute. */
  readonly skewMemory?: true | undefined;
  /** Of equally good nodes one is drawn. */
  readonly randomTies?: true | undefined;
  /** Only so great a part of the feasible nodes, drawn for every pod, is compared. */
  readonly sample?: number | undefined;
}

/** What was simulated, as it heads every output. */
export interface ScenarioFacts {
  readonly nodes: number;
  readonly cards: number;
  /** Different pods of the workload. */
  readonly pods: number;
  /** The files, as they were named. */
  readonly sources: readonly string[];
}

export interface SimulationReport {
  readonly facts: ScenarioFacts;
  /**
   * How pods come: until they ask for so many percent of the cluster's cards; leaving again, so that they ask for so many
   * at any time; all in their order; or by their times.
   */
  readonly arrivals:
    { readonly kind: 'load' | 'churn'; readonly percent: number } | { readonly kind: 'all' | 'timed' };
  readonly conditions?: RunConditions;
  /** In the order they were asked for: policy by policy, seed by seed. */
  readonly runs: readonly RunReport[];
}

export function unplacedOf({ arrived, placed }: RunReport): number {
  return arrived - placed;
}

export function decisionsPerSecond({ arrived, seconds }: RunReport): number {
  return seconds > 0 ? arrived / seconds : 0;
}
