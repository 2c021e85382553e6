/**
 * The figures of a churn: means over all demand that comes once the cluster's past is that of the policy and no longer
 * that of an empty cluster.
 */
import { churnWarmUpRounds } from '../../simulator/arrivals-churn.ts';
import type { CurvePoint } from '../../simulator/replay-curve.ts';
import type { Arrival, ReplayResult } from '../../simulator/replay.ts';
import type { ChurnFigures } from './run-report.ts';

/**
 * All zero where nothing comes after the warm-up.
 *
 * @param loadPercent what is asked for at any time, in percent of the cluster's cards
 */
export function churnFigures(
  loadPercent: number,
  arrivals: readonly Arrival[],
  { capacityMilli, placements, curve }: ReplayResult,
): ChurnFigures {
  // A point stands for as much demand as every other.
  const points = curve.filter(({ arrivedPercent }) => arrivedPercent >= churnWarmUpRounds * loadPercent);
  const meanOf = (figure: keyof CurvePoint) =>
    points.reduce((sum, point) => sum + point[figure], 0) / Math.max(1, points.length);
  // Time begins when the first of the rounds is over.
  const fromSeconds = ((churnWarmUpRounds - 1) * loadPercent * capacityMilli) / 100;
  const counted = placements.filter((_, index) => (arrivals[index]?.atSeconds ?? 0) >= fromSeconds);
  const placed = counted.filter(({ ok }) => ok).length;
  return {
    meanPercent: meanOf('allocatedPercent'),
    placedPercent: (placed / Math.max(1, counted.length)) * 100,
    fragmentedPercent: meanOf('fragmentedPercent'),
    fragmentationRate: meanOf('fragmentationRate'),
  };
}
