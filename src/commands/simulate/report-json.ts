/** The report as one JSON document. Its shape stays; a change that breaks readers raises `version`. */
import type { CurvePoint } from '../../simulator/replay-curve.ts';
import { curveAt, readPercents, shareKey } from './curve-reading.ts';
import { decisionsPerSecond, type RunReport, type SimulationReport, unplacedOf } from './run-report.ts';

/** Figures are percent, with four digits; `null` where nothing had come yet. */
export function reportJson(report: SimulationReport): string {
  const { facts, arrivals, conditions = {}, runs } = report;
  const percents = readPercents(report);
  const document = {
    version: 1,
    cluster: { nodes: facts.nodes, cards: facts.cards },
    workload: { pods: facts.pods },
    ...('percent' in arrivals ? { load: arrivals.percent / 100 } : {}),
    ...(Object.keys(conditions).length === 0 ? {} : { conditions }),
    runs: runs.map((run) => runDocument(run, percents)),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function runDocument(run: RunReport, percents: readonly number[]): object {
  const { policy, seed, arrived, placed, unplaced, timed, churn, seconds } = run;
  const read = (figure: keyof CurvePoint) =>
    Object.fromEntries(
      percents.map((percent) => [shareKey(percent), rounded(curveAt(run, percent)?.[figure])]),
    );
  return {
    policy,
    seed,
    allocation: read('allocatedPercent'),
    fragmentation: read('fragmentedPercent'),
    fragmentationRate: read('fragmentationRate'),
    arrived,
    placed,
    unplaced: { all: unplacedOf(run), byReason: unplaced },
    arrivedPercent: rounded(run.arrivedPercent),
    allocatedPercent: rounded(run.allocatedPercent),
    ...(timed === undefined
      ? {}
      : {
          timed: {
            peak: rounded(timed.peakPercent),
            mean: rounded(timed.meanPercent),
            placedShare: rounded(arrived === 0 ? 0 : (placed / arrived) * 100),
          },
        }),
    ...(churn === undefined
      ? {}
      : {
          churn: {
            mean: rounded(churn.meanPercent),
            placedShare: rounded(churn.placedPercent),
            fragmentation: rounded(churn.fragmentedPercent),
            fragmentationRate: rounded(churn.fragmentationRate),
          },
        }),
    seconds: rounded(seconds),
    decisionsPerSecond: Math.round(decisionsPerSecond(run)),
  };
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 1e4) / 1e4;
}
