/** What `tessera simulate` makes of the figures of its runs: the document, the tables, the curves and the page. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { reportCharts } from '../../src/commands/simulate/report-charts.ts';
import { curvesCsv } from '../../src/commands/simulate/report-csv.ts';
import { checkReportFiles, writeReportFiles } from '../../src/commands/simulate/report-files.ts';
import { reportHtml } from '../../src/commands/simulate/report-html.ts';
import { reportJson } from '../../src/commands/simulate/report-json.ts';
import { reportText } from '../../src/commands/simulate/report-text.ts';
import type { RunReport, SimulationReport } from '../../src/commands/simulate/run-report.ts';
import { spreadOf } from '../../src/commands/simulate/policy-summary.ts';
import type { PolicyName } from '../../src/simulator/policy.ts';
import { expectGolden } from '../support/golden.ts';
import { expectWellFormed } from './well-formed.ts';

/** A curve that follows demand up to a height and is level from there. */
function runOf(policy: PolicyName, seed: number, height: number, points = 130): RunReport {
  const curve = Array.from({ length: points + 1 }, (_, arrivedPercent) => ({
    arrivedPercent,
    allocatedPercent: Math.min(arrivedPercent, height),
    fragmentedPercent: (100 - height) / 2,
    fragmentationRate: arrivedPercent / 2,
  }));
  return {
    policy,
    seed,
    arrived: 1000,
    placed: 1000 - (100 - height) * 10,
    unplaced: { CardInsufficientMemory: (100 - height) * 8, HostInsufficientCpu: (100 - height) * 2 },
    arrivedPercent: points,
    allocatedPercent: height,
    curve,
    reachedPercent: points,
    seconds: 0.5,
  };
}

const report: SimulationReport = {
  facts: { nodes: 2, cards: 10, pods: 7, sources: ['nodes.csv', 'a&b <c>.csv'] },
  arrivals: { kind: 'load', percent: 130 },
  runs: [runOf('spread', 42, 80), runOf('spread', 43, 82), runOf('fgd', 42, 95), runOf('fgd', 43, 95)],
};

interface Document {
  readonly load?: number;
  readonly runs: readonly {
    readonly policy: string;
    readonly seed: number;
    readonly allocation: Readonly<Record<string, number | null>>;
    readonly fragmentation: Readonly<Record<string, number | null>>;
    readonly fragmentationRate: Readonly<Record<string, number | null>>;
    readonly decisionsPerSecond: number;
    readonly timed?: unknown;
  }[];
}

const documentOf = (of: SimulationReport) => JSON.parse(reportJson(of)) as Document;

describe('the JSON document', () => {
  it('has figures at half, at all and at the load of the cluster for every run', () => {
    const { runs } = documentOf(report);
    expect(
      runs.map(({ policy, seed, allocation, fragmentation, fragmentationRate, decisionsPerSecond }) => ({
        policy,
        seed,
        allocation: [allocation['0.5'], allocation['1.0'], allocation['1.3']],
        fragmentation: [fragmentation['0.5'], fragmentation['1.0'], fragmentation['1.3']],
        rate: [fragmentationRate['0.5'], fragmentationRate['1.0'], fragmentationRate['1.3']],
        decisionsPerSecond,
      })),
    ).toEqual(
      [
        ['spread', 42, 80] as const,
        ['spread', 43, 82] as const,
        ['fgd', 42, 95] as const,
        ['fgd', 43, 95] as const,
      ].map(([policy, seed, height]) => ({
        policy,
        seed,
        allocation: [50, height, height],
        fragmentation: [(100 - height) / 2, (100 - height) / 2, (100 - height) / 2],
        rate: [25, 50, 65],
        decisionsPerSecond: 2000,
      })),
    );
  });

  it('keeps its shape', () => {
    expectGolden('simulate-json', JSON.parse(reportJson({ ...report, runs: report.runs.slice(0, 1) })));
  });

  it.each([
    { name: 'a load between tenths', percent: 125, want: ['1.2', '1.25'] },
    { name: 'a load of whole tenths', percent: 120, want: ['1.1', '1.2'] },
    { name: 'a small load', percent: 5, want: ['0.05'] },
  ])('names $name by its share of the cards', ({ percent, want }) => {
    const [run] = documentOf({ ...report, arrivals: { kind: 'load', percent } }).runs;
    expect(Object.keys(run?.allocation ?? {}).slice(-want.length)).toEqual(want);
  });

  it('reads between two events what was true since the first of them', () => {
    const run = runOf('fgd', 42, 95);
    const sparse = { ...run, curve: run.curve.filter(({ arrivedPercent }) => arrivedPercent % 30 === 0) };
    const [read] = documentOf({ ...report, runs: [sparse] }).runs;
    expect(read?.allocation).toMatchObject({ '0.2': 0, '0.3': 30, '0.5': 30, '1.3': 95 });
  });

  it('says null where a run has not come', () => {
    const short = {
      ...report,
      arrivals: { kind: 'all' } as const,
      runs: [runOf('fgd', 42, 95), runOf('fgd', 43, 95, 40)],
    };
    expect(documentOf(short).runs[1]?.allocation).toMatchObject({ '0.4': 40, '0.5': null, '1.3': null });
    expect(documentOf(short)).not.toHaveProperty('load');
  });
});

describe('the tables', () => {
  it('tell every run, the policies beside each other and why pods were not placed', () => {
    expect(reportText(report))
      .toBe(`10 cards on 2 nodes, 7 pods coming again and again until they ask for 130 % of the cards; 2 policies, 2 seeds.

Runs (allocated when so much has been asked for, and fragmented at the end, in percent of the cluster’s cards)
policy  seed  at 50 %  at 100 %  at 130 %  fragmented  of idle  unplaced  decisions/s  arrived
spread    42    50.00     80.00     80.00       10.00    65.00       200         2000     1000
spread    43    50.00     82.00     82.00        9.00    65.00       180         2000     1000
fgd       42    50.00     95.00     95.00        2.50    65.00        50         2000     1000
fgd       43    50.00     95.00     95.00        2.50    65.00        50         2000     1000

Policies, the best first (mean ± deviation of 2 seeds)
policy      at 50 %     at 100 %     at 130 %  fragmented      of idle  unplaced  decisions/s
fgd     50.00 ±0.00  95.00 ±0.00  95.00 ±0.00  2.50 ±0.00  65.00 ±0.00     50 ±0      2000 ±0
spread  50.00 ±0.00  81.00 ±1.41  81.00 ±1.41  9.50 ±0.71  65.00 ±0.00   190 ±14      2000 ±0

With fgd, pods hold 10 of 10 cards at the end: 1 more than spread.

Unplaced pods by reason (mean of the seeds)
reason                  fgd  spread
CardInsufficientMemory   40     152
HostInsufficientCpu      10      38
all                      50     190
`);
  });

  it('say so when every pod was placed, and compare nothing with one run', () => {
    const run = { ...runOf('binpack', 1, 100, 60), unplaced: {}, placed: 1000 };
    const text = reportText({ ...report, arrivals: { kind: 'all' }, runs: [run] });
    expect(text).toContain('7 pods coming one after the other; 1 policy, 1 seed.');
    expect(text).toContain('at 50 %  at 60 %');
    expect(text).toContain('Every pod was placed.');
    expect(text).not.toContain('the best first');
  });

  it.each([
    {
      name: 'several figures: a sample deviates by one less than there are',
      values: [80, 82],
      want: { mean: 81, deviation: Math.SQRT2 },
    },
    { name: 'one figure: no deviation', values: [80], want: { mean: 80 } },
    {
      name: 'a figure that is missing: no mean of what is not alike',
      values: [80, undefined],
      want: undefined,
    },
    { name: 'none', values: [], want: undefined },
  ])('sum up $name', ({ values, want }) => {
    const runs = values.map((_, seed) => runOf('fgd', seed, 90));
    expect(spreadOf(runs, ({ seed }) => values[seed])).toEqual(want);
  });
});

describe('the curves', () => {
  it('are rows of CSV, one per whole percent and run', () => {
    const lines = curvesCsv(report.runs).split('\r\n');
    expect(lines.slice(0, 3)).toEqual([
      'policy,seed,arrived,allocated,fragmented,rate',
      'spread,42,0,0.0000,10.0000,0.0000',
      'spread,42,1,1.0000,10.0000,0.5000',
    ]);
    expect(lines).toHaveLength(1 + 4 * 131 + 1);
    expect(lines.at(-1)).toBe('');
  });
});

describe('the page', () => {
  const page = reportHtml(report, '1.2.3');

  it('refers to nothing outside itself and runs nothing', () => {
    expect(page).not.toMatch(
      /<(?:script|link|img|iframe|object|embed|base|form)\b|\bon[a-z]+=|@import|javascript:/i,
    );
    expect(
      page.match(/(?:href|src|url)\s*[=(][^)>]{0,40}/gi)?.filter((found) => !found.startsWith('url(#')),
    ).toEqual([]);
    expect([...new Set(page.match(/https?:[^"' )]*/g))]).toEqual(['http://www.w3.org/2000/svg']);
  });

  it('has every chart once, with a title, a description and a table of its figures', () => {
    const ids = reportCharts(report).map(({ id }) => id);
    expect(ids).toEqual(['allocation', 'allocation-full', 'fragmentation', 'unplaced']);
    for (const id of ids) expect(page.split(`<desc id="${id}-description">`)).toHaveLength(2);
    const all = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(all).size).toBe(all.length);
    expect(page).toContain('<td class="right">95.00</td>');
  });

  it('is well-formed and names files as they are, not as markup', () => {
    expectWellFormed(page.slice(page.indexOf('<main>'), page.indexOf('</main>') + '</main>'.length));
    expect(page).toContain('<code>a&amp;b &lt;c&gt;.csv</code>');
  });

  it('says first how many cards the best policy is ahead', () => {
    expect(page).toContain('With fgd, pods hold 10 of 10 cards at the end: 1 more than spread.');
  });

  it('leaves out the close-up of a run that ends before the cluster is full', () => {
    const early = {
      ...report,
      arrivals: { kind: 'load', percent: 60 } as const,
      runs: [runOf('fgd', 42, 95, 60)],
    };
    expect(reportCharts(early).map(({ id }) => id)).toEqual(['allocation', 'fragmentation', 'unplaced']);
  });
});

describe('a report over time', () => {
  const spans = [0.5, 1, 1.5, 2].map((days) => ({ atSeconds: days * 86_400, allocatedPercent: days * 10 }));
  const timed = { peakPercent: 30, meanPercent: 12.5, spans };
  const over: SimulationReport = {
    ...report,
    arrivals: { kind: 'timed' },
    runs: [
      { ...runOf('fgd', 42, 95), timed },
      { ...runOf('spread', 42, 80), timed: { ...timed, meanPercent: 11 } },
    ],
  };

  it('ranks by the mean over time and tells mean, peak and the share that was placed', () => {
    const text = reportText(over);
    expect(text).toContain('7 pods coming and leaving by their times');
    expect(text).toMatch(/policy +mean +peak +placed % +fragmented/);
    expect(text).toMatch(/fgd +12\.50 +30\.00 +95\.00/);
    expect(documentOf(over).runs[0]?.timed).toEqual({ peak: 30, mean: 12.5, placedShare: 95 });
  });

  it('draws allocation by days', () => {
    const [chart] = reportCharts(over);
    expect(chart?.id).toBe('allocation-time');
    expect(chart?.draw('page')).toContain('days since the first arrival');
  });
});

describe('the files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tessera-simulate-'));
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('are those that were asked for: curves, a page, and a picture for each chart', () => {
    const [csv, page, svg] = [join(directory, 'c.csv'), join(directory, 'p.html'), join(directory, 'a', 'b')];
    expect(writeReportFiles(report, { csv, report: page, svg })).toEqual({ ok: true, value: undefined });
    expect(readFileSync(csv, 'utf8')).toBe(curvesCsv(report.runs));
    expect(readFileSync(page, 'utf8')).toContain('<!doctype html>');
    expect(readdirSync(svg)).toEqual([
      'allocation-full.svg',
      'allocation.svg',
      'fragmentation.svg',
      'unplaced.svg',
    ]);
    for (const name of readdirSync(svg)) expectWellFormed(readFileSync(join(svg, name), 'utf8'));
  });

  it('are refused with the name of one that cannot be written', () => {
    const csv = join(directory, 'no', 'such', 'c.csv');
    expect(checkReportFiles({ csv })).toEqual({ ok: false, problem: expect.stringContaining(csv) });
    expect(writeReportFiles(report, { csv })).toEqual({ ok: false, problem: expect.stringContaining(csv) });
  });

  it.each([
    { name: 'a page where a directory is', files: () => ({ report: directory }) },
    { name: 'charts where a file is', files: () => ({ svg: join(import.meta.filename, 'charts') }) },
  ])('are refused before anything is run: $name', ({ files }) => {
    expect(checkReportFiles(files())).toEqual({
      ok: false,
      problem: expect.stringMatching(/: cannot be written: /),
    });
  });
});
