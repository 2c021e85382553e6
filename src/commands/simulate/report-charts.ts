/** Which charts a report has: what they show, over which ranges, and with which table of figures beneath. */
import { type BarChart, barChart } from './charts/bar-chart.ts';
import { type LineChart, lineChart, type LinePoint, type LineSeries } from './charts/line-chart.ts';
import { type Range, roundedOut } from './charts/scale.ts';
import {
  bestFirst,
  byPolicy,
  type CurveFigure,
  linePoint,
  meanCurve,
  type PolicyRuns,
} from './policy-summary.ts';
import { countText, curveTable, meanUnplaced, reasonsOf, unplacedTable } from './report-tables.ts';
import type { SimulationReport } from './run-report.ts';
import type { Table } from './table.ts';

export interface ReportChart {
  /** Names the chart's file, too. */
  readonly id: string;
  readonly title: string;
  /** A sentence on how to read it. */
  readonly caption: string;
  readonly draw: (place: 'page' | 'alone') => string;
  readonly table?: Table;
}

/** From about here on policies differ; before, nearly every pod finds a place with any of them. */
const fullFromPercent = 90;
const secondsPerDay = 86_400;
const axisTicks = 8;

const fillUpCaption =
  'What pods hold when so much has been asked for; a perfect scheduler would follow the diagonal up to 100 %.';
const churnCaption = 'What pods hold when so much has been asked for in all, of which most has left again.';

export function reportCharts(report: SimulationReport): readonly ReportChart[] {
  const policies = bestFirst(byPolicy(report.runs));
  return [
    ...(report.arrivals.kind === 'timed' ? overTime(policies) : []),
    ...allocation(report, policies),
    fragmentation(report, policies),
    ...unplaced(report, policies),
  ];
}

function allocation(report: SimulationReport, policies: readonly PolicyRuns[]): readonly ReportChart[] {
  if (report.arrivals.kind === 'timed') return [];
  const series = curveSeries(policies, 'allocatedPercent');
  const table = curveTable(
    report,
    'allocatedPercent',
    'Allocated, percent of the cluster’s cards (mean of the seeds)',
  );
  const end = endOf(series);
  const whole = curveChart('allocation', 'Allocation against arrived demand', series, {
    y: 'allocated, % of the cluster’s cards',
    range: [0, 100],
  });
  const chart = {
    ...whole,
    caption: `${report.arrivals.kind === 'churn' ? churnCaption : fillUpCaption} Lines are the mean of the seeds, bands reach from the lowest to the highest.`,
    table,
  };
  const upper = series.map((line) => ({
    ...line,
    points: line.points.filter(({ x }) => x >= fullFromPercent),
  }));
  if (end <= fullFromPercent + 5 || upper.some(({ points }) => points.length < 2)) return [chart];
  const closeUp = curveChart('allocation-full', 'Allocation when the cluster is nearly full', upper, {
    y: 'allocated, % of the cluster’s cards',
    range: rangeOf(upper),
    from: fullFromPercent,
  });
  return [
    chart,
    {
      ...closeUp,
      caption: `The same from ${fullFromPercent} % of demand on, where policies part. The scale does not begin at 0.`,
    },
  ];
}

function fragmentation(report: SimulationReport, policies: readonly PolicyRuns[]): ReportChart {
  const series = curveSeries(policies, 'fragmentedPercent');
  return {
    ...curveChart('fragmentation', 'Fragmentation against arrived demand', series, {
      y: 'fragmented, % of the cluster’s cards',
      range: [0, rangeOf(series)[1]],
    }),
    caption:
      'Idle parts of cards that a pod drawn from the workload could not use, on average (Weng et al., USENIX ATC 2023). Lower is better.',
    table: curveTable(
      report,
      'fragmentedPercent',
      'Fragmented, percent of the cluster’s cards (mean of the seeds)',
    ),
  };
}

function overTime(policies: readonly PolicyRuns[]): readonly ReportChart[] {
  const series = policies.map(({ policy, runs }): LineSeries => {
    const spans = runs[0]?.timed?.spans ?? [];
    const points = spans.flatMap(({ atSeconds }, index): readonly LinePoint[] => {
      const values = runs
        .map(({ timed }) => timed?.spans[index]?.allocatedPercent)
        .filter((value) => value !== undefined);
      return values.length === 0 ? [] : [linePoint(atSeconds / secondsPerDay, values)];
    });
    const mean = points.reduce((sum, { y }) => sum + y, 0) / Math.max(1, points.length);
    return { policy, points, note: percentText(mean) };
  });
  const id = 'allocation-time';
  const title = 'Allocation over time';
  const chart: LineChart = {
    id,
    title,
    description: describe(title, series, 'On average'),
    x: { label: 'days since the first arrival', range: [0, endOf(series)] },
    y: { label: 'allocated, % of the cluster’s cards', range: [0, rangeOf(series)[1]] },
    series,
  };
  return [
    {
      id,
      title,
      caption: 'What pods hold between their coming and leaving; beside the names, the mean over time.',
      draw: (place) => lineChart(chart, place),
    },
  ];
}

function unplaced({ runs }: SimulationReport, policies: readonly PolicyRuns[]): readonly ReportChart[] {
  const reasons = reasonsOf(runs);
  if (reasons.length === 0) return [];
  const id = 'unplaced';
  const title = 'Unplaced pods by reason';
  const groups = reasons.map((reason) => ({
    name: reason,
    bars: policies.map((own) => {
      const value = meanUnplaced(own, reason);
      return { policy: own.policy, value, text: countText(value) };
    }),
  }));
  const description = `Bars of how many pods were not placed, for each reason and policy: ${groups
    .map(({ name, bars }) => `${name}: ${bars.map(({ policy, text }) => `${policy} ${text}`).join(', ')}`)
    .join('; ')}.`;
  const chart: BarChart = { id, title, description, groups };
  return [
    {
      id,
      title,
      caption: 'Pods that fit nowhere when they came, by the reason that most nodes gave; mean of the seeds.',
      draw: (place) => barChart(chart, place),
      table: unplacedTable({ runs }),
    },
  ];
}

function curveChart(
  id: string,
  title: string,
  series: readonly LineSeries[],
  { y, range, from = 0 }: { readonly y: string; readonly range: Range; readonly from?: number },
): Omit<ReportChart, 'caption'> {
  const chart: LineChart = {
    id,
    title,
    description: describe(title, series),
    x: { label: 'arrived demand, % of the cluster’s cards', range: [from, endOf(series)] },
    y: { label: y, range },
    series,
  };
  return { id, title, draw: (place) => lineChart(chart, place) };
}

function curveSeries(policies: readonly PolicyRuns[], figure: CurveFigure): readonly LineSeries[] {
  return policies.map(({ policy, runs }) => {
    const points = meanCurve(runs, figure);
    return { policy, points, note: percentText(points.at(-1)?.y ?? 0) };
  });
}

/** @param what the figures beside the names are */
function describe(title: string, series: readonly LineSeries[], what = 'At the end'): string {
  const figures = series.map(({ policy, note }) => `${policy} ${note}`).join(', ');
  return `${title}: a line for each policy, the mean of its seeds, with a band from the lowest to the highest seed. ${what}: ${figures}.`;
}

function endOf(series: readonly LineSeries[]): number {
  return Math.max(1e-9, ...series.map(({ points }) => points.at(-1)?.x ?? 0));
}

function rangeOf(series: readonly LineSeries[]): Range {
  const points = series.flatMap((line) => line.points);
  const low = Math.min(...points.map((point) => point.low));
  const high = Math.max(...points.map((point) => point.high));
  return points.length === 0 ? [0, 1] : roundedOut([low, high], axisTicks);
}

function percentText(value: number): string {
  return `${value.toFixed(2)} %`;
}
