/**
 * Reading a run's curve at round percents of arrived demand. Between two events nothing changes, so where no event
 * rounds to a percent, the figure is that of the last event before it. Beyond the last arrival there is no figure.
 */
import type { CurvePoint } from '../../simulator/replay-curve.ts';
import type { RunReport, SimulationReport } from './run-report.ts';

const step = 10;

/** Every tenth percent up to the end of the longest run, and the end itself. */
export function readPercents(report: SimulationReport): readonly number[] {
  const end = endPercent(report);
  const percents: number[] = [];
  for (let percent = step; percent <= end; percent += step) percents.push(percent);
  if (end > 0 && end % step !== 0) percents.push(end);
  return percents;
}

/** Where runs end: the wanted load, else as far as the longest of them came. */
export function endPercent({ arrivals, runs }: SimulationReport): number {
  return arrivals.kind === 'load'
    ? arrivals.percent
    : Math.max(0, ...runs.map(({ reachedPercent }) => reachedPercent));
}

/** The share of the cluster as the document names it: `0.5`, `1.0`, `1.25`. */
export function shareKey(percent: number): string {
  return (percent / 100).toFixed(percent % step === 0 ? 1 : 2);
}

/** Undefined where the run's demand did not come that far, or nothing came before. */
export function curveAt({ curve, reachedPercent }: RunReport, percent: number): CurvePoint | undefined {
  return percent > reachedPercent
    ? undefined
    : curve.findLast(({ arrivedPercent }) => arrivedPercent <= percent);
}
