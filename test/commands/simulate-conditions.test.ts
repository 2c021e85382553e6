/** Comparisons that depart from the published experiment: what they are told with, and what makes no sense together. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'commander';
import { makeRun } from '../../src/commands/simulate/one-run.ts';
import { reportHtml } from '../../src/commands/simulate/report-html.ts';
import { reportJson } from '../../src/commands/simulate/report-json.ts';
import { reportText } from '../../src/commands/simulate/report-text.ts';
import type { RunRequest, SimulationReport } from '../../src/commands/simulate/run-report.ts';
import { readScenario, type ScenarioOptions } from '../../src/commands/simulate/scenario.ts';
import {
  contradictionIn,
  parseSample,
  type SimulateFlags,
} from '../../src/commands/simulate/simulate-flags.ts';
import { loadConfig } from '../../src/config/load.ts';

const loaded = loadConfig({ environment: {}, flags: {} });
if (!loaded.ok) throw new Error(loaded.problem);
const { config } = loaded.value;
const excerpt = (file: string) => fileURLToPath(new URL(`../simulator/excerpt/${file}`, import.meta.url));
const trace = { nodes: excerpt('nodes.csv'), pods: excerpt('pods.csv') };
const order = excerpt('orders.jsonl');

type Conditions = Omit<ScenarioOptions, 'config'>;

function reportOf(conditions: Conditions, ...requests: readonly RunRequest[]): SimulationReport {
  const scenario = readScenario({ config, ...trace, ...conditions });
  if (!scenario.ok) throw new Error(scenario.problem);
  const { facts, arrivals, conditions: told } = scenario.value;
  const runs = requests.map((request) => {
    let nowMs = 0;
    const run = makeRun(scenario.value, request, { nowMs: () => (nowMs += 250) });
    if (!run.ok) throw new Error(run.problem);
    return run.value;
  });
  return { facts, arrivals, conditions: told, runs };
}

const ours: RunRequest = { policy: 'fragmentation', seed: 42 };
const theirs: RunRequest = { policy: 'fgd', seed: 42 };

interface Document {
  readonly load?: number;
  readonly conditions?: unknown;
  readonly runs: readonly { readonly churn?: Readonly<Record<string, number>> }[];
}

const documentOf = (report: SimulationReport) => JSON.parse(reportJson(report)) as Document;

describe('a comparison in which pods leave by chance', () => {
  const report = reportOf({ churn: true, load: 0.8 }, ours, theirs);

  it('tells means after the warm-up, and the load they are for', () => {
    const { load, conditions, runs } = documentOf(report);
    expect({ load, conditions }).toEqual({ load: 0.8, conditions: undefined });
    for (const { churn } of runs) {
      // At 80 % of the cards nearly every pod finds a place, so what is held is what was asked for.
      expect(churn?.['placedShare']).toBeGreaterThan(90);
      expect(Math.abs((churn?.['mean'] ?? NaN) - 80)).toBeLessThan(12);
      expect(churn?.['fragmentation']).toBeGreaterThan(0);
      expect(churn?.['fragmentationRate']).toBeLessThanOrEqual(100);
    }
  });

  it('tells them in words, tables and charts', () => {
    const text = reportText(report);
    expect(text).toContain('coming and leaving by chance, asking for about 80 % of the cards at any time;');
    expect(text).toMatch(
      /^policy +seed +mean +placed % +fragmented +of idle +unplaced +decisions\/s +arrived/m,
    );
    const mean = report.runs[0]?.churn?.meanPercent.toFixed(2) ?? '';
    expect(text).toContain(` ${mean} `);
    expect(reportHtml(report, '1')).toContain('of which most has left again');
  });

  it('asks for all cards where no load is named, and repeats with its seed', () => {
    const [first, again, other] = [42, 42, 43].map((seed) => reportOf({ churn: true }, { ...ours, seed }));
    expect(first?.arrivals).toEqual({ kind: 'churn', percent: 100 });
    expect(again).toEqual(first);
    expect(other?.runs[0]?.curve).not.toEqual(first?.runs[0]?.curve);
  });
});

describe('the conditions of a comparison', () => {
  const fill = { order, load: 1.3 };
  const plain = reportOf(fill, ours, theirs);

  it.each<{ name: string; conditions: Conditions; want: object; sentence: string }>([
    {
      name: 'learning',
      conditions: { learn: true },
      want: { learn: true },
      sentence: 'The policy fragmentation learns the workload as it comes.',
    },
    {
      name: 'skewed memory',
      conditions: { skewMemory: true },
      want: { skewMemory: true },
      sentence: 'Pods ask for half, once or twice the memory that is written.',
    },
    {
      name: 'ties by chance',
      conditions: { randomTies: true },
      want: { randomTies: true },
      sentence: 'Of equally good nodes one is drawn.',
    },
    {
      name: 'a part of the nodes',
      conditions: { sample: 0.4 },
      want: { sample: 0.4 },
      sentence: 'For each pod, 40 % of the feasible nodes are compared.',
    },
  ])('are told, and change what comes out: $name', ({ conditions, want, sentence }) => {
    const report = reportOf({ ...fill, ...conditions }, ours, theirs);
    expect(documentOf(report).conditions).toEqual(want);
    expect(reportText(report)).toContain(sentence);
    expect(report.runs[0]?.curve).not.toEqual(plain.runs[0]?.curve);
    expect(reportOf({ ...fill, ...conditions }, ours, theirs)).toEqual(report);
  });

  it('leave the fragmented part of what is idle a part of it, however memory and compute go', () => {
    const { runs } = reportOf({ ...fill, skewMemory: true }, ours, theirs);
    const rates = runs.flatMap(({ curve }) => curve.map(({ fragmentationRate }) => fragmentationRate));
    expect(rates.length).toBeGreaterThan(200);
    expect(rates.filter((rate) => !(rate >= 0 && rate <= 100 + 1e-9))).toEqual([]);
  });

  it('leave a policy alone that does not learn', () => {
    expect(reportOf({ ...fill, learn: true }, theirs).runs).toEqual([plain.runs[1]]);
  });

  it('are no part of the document where there are none', () => {
    expect(documentOf(plain).conditions).toBeUndefined();
  });
});

describe('wrong uses', () => {
  const refusalOf = (options: Conditions) => {
    const read = readScenario({ config, ...trace, ...options });
    return read.ok ? '' : read.problem;
  };

  it.each([
    { options: { churn: true, times: true } as const, want: 'choose one of --timed and --churn' },
    { options: { churn: true, order } as const, want: 'an order in a file ends before a churn does' },
  ])('of inputs are refused: $want', ({ options, want }) => {
    expect(refusalOf(options)).toContain(want);
  });

  it.each<{ flags: Partial<SimulateFlags>; want: string | undefined }>([
    { flags: { learn: true, policy: ['fgd'] }, want: '--learn is about the policy fragmentation' },
    { flags: { learn: true }, want: undefined },
    { flags: { learn: true, policy: ['fgd', 'fragmentation'] }, want: undefined },
    { flags: { howMany: true, skewMemory: true }, want: '--skew-memory has no part in --how-many' },
    { flags: { addNode: 'n.yaml', randomTies: true }, want: '--random-ties has no part in --add-node' },
    { flags: { howMany: true, churn: true }, want: '--churn has no part in --how-many' },
    { flags: { howMany: true, sample: 0.4 }, want: '--sample has no part in --how-many' },
  ])('of flags are refused: $want', ({ flags, want }) => {
    const told = contradictionIn({ seeds: [42], ...flags });
    if (want === undefined) expect(told).toBeUndefined();
    else expect(told).toContain(want);
  });

  it.each(['0', '1.1', '-0.4', '40%', '', '1e-3'])('of --sample are refused: %j', (text) => {
    expect(() => parseSample(text)).toThrow(InvalidArgumentError);
  });

  it.each([
    ['0.4', 0.4],
    ['1', 1],
  ])('are not --sample %s', (text, want) => {
    expect(parseSample(text)).toBe(want);
  });
});
