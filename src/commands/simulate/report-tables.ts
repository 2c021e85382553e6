/** The tables of a report: every run, the policies beside each other, and why pods did not fit. */
import { curveAt, endPercent, readPercents } from './curve-reading.ts';
import {
  bestFirst,
  byPolicy,
  type CurveFigure,
  type PolicyRuns,
  type Spread,
  spreadOf,
} from './policy-summary.ts';
import { decisionsPerSecond, type RunReport, type SimulationReport, unplacedOf } from './run-report.ts';
import { figureColumn, missing, type Table, wordColumn } from './table.ts';

/** A figure of a run as a column of a table. */
interface Figure {
  readonly name: string;
  readonly digits: number;
  readonly of: (run: RunReport) => number | undefined;
}

/** A row per policy and seed. */
export function runsTable(report: SimulationReport): Table {
  const figures = headFigures(report);
  return {
    caption: `Runs (${unitOf(report)})`,
    columns: [
      wordColumn('policy'),
      figureColumn('seed'),
      ...figures.map(({ name }) => figureColumn(name)),
      figureColumn('arrived'),
    ],
    rows: report.runs.map((run) => [
      run.policy,
      String(run.seed),
      ...figures.map(({ of, digits }) => fixed(of(run), digits)),
      String(run.arrived),
    ]),
  };
}

/** A row per policy, the best first. */
export function comparisonTable(report: SimulationReport): Table {
  const figures = headFigures(report);
  const seeds = new Set(report.runs.map(({ seed }) => seed)).size;
  return {
    caption: `Policies, the best first (${seeds === 1 ? 'one seed' : `mean ± deviation of ${seeds} seeds`})`,
    columns: [wordColumn('policy'), ...figures.map(({ name }) => figureColumn(name))],
    rows: bestFirst(byPolicy(report.runs)).map(({ policy, runs }) => [
      policy,
      ...figures.map(({ of, digits }) => spreadText(spreadOf(runs, of), digits)),
    ]),
  };
}

/** A row per reason, the most frequent first; a column per policy. */
export function unplacedTable({ runs }: Pick<SimulationReport, 'runs'>): Table {
  const policies = bestFirst(byPolicy(runs));
  return {
    caption: 'Unplaced pods by reason (mean of the seeds)',
    columns: [wordColumn('reason'), ...policies.map(({ policy }) => figureColumn(policy))],
    rows: [
      ...reasonsOf(runs).map((reason) => [
        reason,
        ...policies.map((own) => countText(meanUnplaced(own, reason))),
      ]),
      ['all', ...policies.map((own) => countText(spreadOf(own.runs, unplacedOf)?.mean ?? 0))],
    ],
  };
}

/** A figure of the curve, a row per round percent of arrived demand and a column per policy. */
export function curveTable(report: SimulationReport, figure: CurveFigure, caption: string): Table {
  const policies = bestFirst(byPolicy(report.runs));
  return {
    caption,
    columns: [figureColumn('arrived %'), ...policies.map(({ policy }) => figureColumn(policy))],
    rows: readPercents(report).map((percent) => [
      String(percent),
      ...policies.map(({ runs }) => fixed(spreadOf(runs, (run) => curveAt(run, percent)?.[figure])?.mean, 2)),
    ]),
  };
}

/** Of all runs, the most frequent first. */
export function reasonsOf(runs: readonly RunReport[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { unplaced } of runs) {
    for (const [reason, count] of Object.entries(unplaced))
      counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([reason]) => reason);
}

export function meanUnplaced({ runs }: PolicyRuns, reason: string): number {
  return spreadOf(runs, ({ unplaced }) => unplaced[reason] ?? 0)?.mean ?? 0;
}

/** Whole pods, or a tenth of one where a mean is not whole. */
export function countText(count: number): string {
  return Number.isInteger(count) ? String(count) : count.toFixed(1);
}

function headFigures(report: SimulationReport): readonly Figure[] {
  const end = endPercent(report);
  const atEnd = (figure: CurveFigure) => (run: RunReport) => curveAt(run, end)?.[figure];
  const percents = [...new Set([50, 100, end])].filter((percent) => percent <= end);
  const { kind } = report.arrivals;
  if (kind === 'churn') return [...churnFigures, ...commonFigures];
  return [
    ...(kind === 'timed' ? timedFigures : []),
    ...(kind === 'timed' ? [] : percents).map((percent) => ({
      name: `at ${percent} %`,
      digits: 2,
      of: (run: RunReport) => curveAt(run, percent)?.allocatedPercent,
    })),
    { name: 'fragmented', digits: 2, of: atEnd('fragmentedPercent') },
    { name: 'of idle', digits: 2, of: atEnd('fragmentationRate') },
    ...commonFigures,
  ];
}

const commonFigures: readonly Figure[] = [
  { name: 'unplaced', digits: 0, of: unplacedOf },
  { name: 'decisions/s', digits: 0, of: decisionsPerSecond },
];

const churnFigures: readonly Figure[] = [
  { name: 'mean', digits: 2, of: ({ churn }) => churn?.meanPercent },
  { name: 'placed %', digits: 2, of: ({ churn }) => churn?.placedPercent },
  { name: 'fragmented', digits: 2, of: ({ churn }) => churn?.fragmentedPercent },
  { name: 'of idle', digits: 2, of: ({ churn }) => churn?.fragmentationRate },
];

const timedFigures: readonly Figure[] = [
  { name: 'mean', digits: 2, of: ({ timed }) => timed?.meanPercent },
  { name: 'peak', digits: 2, of: ({ timed }) => timed?.peakPercent },
  {
    name: 'placed %',
    digits: 2,
    of: ({ arrived, placed }) => (arrived === 0 ? undefined : (placed / arrived) * 100),
  },
];

function unitOf({ arrivals }: SimulationReport): string {
  if (arrivals.kind === 'churn')
    return 'allocated and fragmented on average after the warm-up, in percent of the cluster’s cards';
  return arrivals.kind === 'timed'
    ? 'allocated over time, and fragmented at the end, in percent of the cluster’s cards'
    : 'allocated when so much has been asked for, and fragmented at the end, in percent of the cluster’s cards';
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? missing : value.toFixed(digits);
}

function spreadText(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return missing;
  const { mean, deviation } = spread;
  return deviation === undefined
    ? mean.toFixed(digits)
    : `${mean.toFixed(digits)} ±${deviation.toFixed(digits)}`;
}
