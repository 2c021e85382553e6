/** The simulation of the command line: runs on worker threads, then what was asked for on stdout and in files. */
import { availableParallelism } from 'node:os';
import { processEnvironment } from '../../config/environment.ts';
import { type Parsed, parsed } from '../../model/result.ts';
import type { PolicyName } from '../../simulator/policy.ts';
import { ProgressBar } from './progress-bar.ts';
import { checkReportFiles, type ReportFiles, writeReportFiles } from './report-files.ts';
import { reportJson } from './report-json.ts';
import { reportText } from './report-text.ts';
import type { SimulationReport } from './run-report.ts';
import { arrivalsOf, conditionsOf, type ScenarioOptions } from './scenario.ts';
import { answerWhatIf, type WhatIfWish } from './what-if.ts';
import { whatIfJson, whatIfText } from './what-if-text.ts';
import { runOnWorkers } from './worker-pool.ts';

export interface ComparisonFlags extends ReportFiles {
  /** None: those that a server can be configured with. */
  readonly policy?: readonly PolicyName[];
  readonly seeds: readonly number[];
  readonly workers?: number;
  readonly json?: boolean;
}

const serverPolicies: readonly PolicyName[] = ['fragmentation', 'binpack', 'spread'];
const entry = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);

/** Refuses inputs that cannot be read and files that cannot be written. */
export async function runComparison(
  options: ScenarioOptions,
  flags: ComparisonFlags,
): Promise<Parsed<undefined>> {
  const { policy = serverPolicies, seeds, workers = availableParallelism(), json } = flags;
  const places = checkReportFiles(flags);
  if (!places.ok) return places;
  const requests = policy.flatMap((name) => seeds.map((seed) => ({ policy: name, seed })));
  const bar = progressBar(json === true);
  const result = await runOnWorkers({
    entry,
    inputs: options,
    requests,
    workers,
    onProgress: (part, runsDone) => bar?.show({ part, runsDone, runs: requests.length }),
  });
  bar?.clear();
  if (!result.ok) return result;
  const { facts, warnings, runs } = result.value;
  warn(warnings);
  const report: SimulationReport = {
    facts,
    arrivals: arrivalsOf(options),
    conditions: conditionsOf(options),
    runs,
  };
  // The figures first: they are not lost when a file cannot be written.
  process.stdout.write(json === true ? reportJson(report) : reportText(report));
  return writeReportFiles(report, flags);
}

export function runWhatIf(wish: WhatIfWish & { readonly isJson: boolean }): Parsed<undefined> {
  const report = answerWhatIf(wish);
  if (!report.ok) return report;
  warn(report.value.warnings);
  process.stdout.write(wish.isJson ? whatIfJson(report.value) : whatIfText(report.value));
  return parsed(undefined);
}

function warn(warnings: readonly string[]): void {
  for (const warning of warnings) console.error(`tessera: ${warning}`);
}

/** None where nobody would see it, or where a program reads along. */
function progressBar(isJson: boolean): ProgressBar | undefined {
  const { stderr, stdout } = process;
  if (!stderr.isTTY || (isJson && !stdout.isTTY)) return undefined;
  return new ProgressBar(stderr, processEnvironment()['NO_COLOR'] === undefined, () => performance.now());
}
