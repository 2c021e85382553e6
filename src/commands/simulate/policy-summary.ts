/** One policy over all its seeds: mean and deviation of every figure, and the curves of the seeds as one with a band. */
import type { PolicyName } from '../../simulator/policy.ts';
import type { CurvePoint } from '../../simulator/replay-curve.ts';
import type { LinePoint } from './charts/line-chart.ts';
import { curveAt } from './curve-reading.ts';
import type { RunReport } from './run-report.ts';

export interface PolicyRuns {
  readonly policy: PolicyName;
  readonly runs: readonly RunReport[];
}

export interface Spread {
  readonly mean: number;
  /** Standard deviation of a sample; absent with one figure. */
  readonly deviation?: number;
}

/** In the order in which the policies were asked for. */
export function byPolicy(runs: readonly RunReport[]): readonly PolicyRuns[] {
  return [...Map.groupBy(runs, ({ policy }) => policy)].map(([policy, own]) => ({ policy, runs: own }));
}

/** Undefined where a run has no such figure: a mean of the others would compare what is not alike. */
export function spreadOf(
  runs: readonly RunReport[],
  figure: (run: RunReport) => number | undefined,
): Spread | undefined {
  const values = runs.map(figure).filter((value) => value !== undefined);
  if (values.length === 0 || values.length < runs.length) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

export type CurveFigure = Exclude<keyof CurvePoint, 'arrivedPercent'>;

/** Points at every whole percent that all runs reached and at which one has an event. */
export function meanCurve(runs: readonly RunReport[], figure: CurveFigure): readonly LinePoint[] {
  const percents = new Set(runs.flatMap(({ curve }) => curve.map(({ arrivedPercent }) => arrivedPercent)));
  return [...percents]
    .sort((a, b) => a - b)
    .flatMap((percent) => {
      const values = runs
        .map((run) => curveAt(run, percent)?.[figure])
        .filter((value) => value !== undefined);
      return values.length < runs.length ? [] : [linePoint(percent, values)];
    });
}

/** The highest allocation at the end first; equals in their order. */
export function bestFirst(policies: readonly PolicyRuns[]): readonly PolicyRuns[] {
  const ranked = policies.map((entry) => ({ entry, mean: spreadOf(entry.runs, rankFigure)?.mean ?? 0 }));
  return ranked.sort((a, b) => b.mean - a.mean).map(({ entry }) => entry);
}

/** What policies are ranked by: the mean over time where pods leave, else the allocation at the end. */
export function rankFigure({ timed, churn, curve, allocatedPercent }: RunReport): number {
  return timed?.meanPercent ?? churn?.meanPercent ?? curve.at(-1)?.allocatedPercent ?? allocatedPercent;
}

export function linePoint(x: number, values: readonly number[]): LinePoint {
  const y = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { x, y, low: Math.min(...values), high: Math.max(...values) };
}
