/**
 * The command line: one command per benchmark with its settings as options, and what all of them share. The table goes
 * to standard output; what goes on meanwhile, to standard error.
 */
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import type { Benchmark, Settings } from './benchmark.ts';
import { benchmarks } from './benchmarks.ts';
import { mediansOf } from './report/medians.ts';
import type { BenchResult, BenchRow } from './report/row.ts';
import { tableText } from './report/table.ts';
import { settingDescriptions } from './settings.ts';

interface SharedFlags {
  readonly seed: number;
  readonly runs: number;
  readonly json?: string;
  readonly cpuProfile?: string;
}

export interface Output {
  /** Takes the table. */
  readonly print: (text: string) => void;
  /** Takes what goes on meanwhile. */
  readonly tell: (line: string) => void;
}

const terminal: Output = {
  print: (text) => {
    console.log(text);
  },
  tell: (line) => {
    console.error(line);
  },
};

export function makeProgram(output: Output = terminal): Command {
  const program = new Command('bench').description('Benchmarks of Tessera (docs/performance.md)');
  for (const benchmark of benchmarks) program.addCommand(commandOf(benchmark, output));
  return program;
}

function commandOf(benchmark: Benchmark, output: Output): Command {
  const command = new Command(benchmark.name).description(benchmark.description);
  for (const [setting, value] of Object.entries(benchmark.defaults)) {
    const flag = `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const description = settingDescriptions[setting] ?? setting;
    if (typeof value === 'number') {
      command.option(
        `${flag} <number>`,
        description,
        Number.isInteger(value) ? wholeNumber : fraction,
        value,
      );
    } else {
      const collect = collector();
      command.option(`${flag} <numbers...>`, description, collect, value);
    }
  }
  return command
    .option('--seed <number>', 'everything random is drawn from it', wholeNumber, 1)
    .option('--runs <number>', 'how often all of it is run; the figures are the medians', positiveNumber, 1)
    .option('--json <file>', 'write the figures there, too')
    .option(
      '--cpu-profile <file>',
      "write the server's CPU profile of the last calls that were measured there",
    )
    .action(async (flags: SharedFlags & Settings) => {
      const settings = Object.fromEntries(
        Object.entries(benchmark.defaults).map(([setting, value]) => [setting, flags[setting] ?? value]),
      );
      const result = await runBenchmark(benchmark, settings, { ...flags, tell: output.tell });
      output.print(tableText(result.rows));
      if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(result, null, 2)}\n`);
    });
}

async function runBenchmark(
  benchmark: Benchmark,
  settings: Settings,
  { seed, runs, cpuProfile, tell }: SharedFlags & Pick<Output, 'tell'>,
): Promise<BenchResult> {
  const { name } = benchmark;
  const results: (readonly BenchRow[])[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const which = runs === 1 ? name : `${name} ${run}/${runs}`;
    const profile = cpuProfile === undefined ? {} : { profileFile: cpuProfile };
    results.push(
      await benchmark.run(settings, {
        seed,
        tell: (line) => {
          tell(`${which}: ${line}`);
        },
        ...profile,
      }),
    );
  }
  return { name, params: { ...settings, seed, runs }, rows: mediansOf(results) };
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('it must be a whole number.');
  return Number(text);
}

function fraction(text: string): number {
  const number = Number(text);
  if (!/^[\d.]+$/.test(text) || Number.isNaN(number) || number > 1) {
    throw new InvalidArgumentError('it must be a number from 0 to 1.');
  }
  return number;
}

function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('it must not be 0.');
  return number;
}

/** Numbers given replace the default ones, however many they are. */
function collector(): (text: string) => readonly number[] {
  const numbers: number[] = [];
  return (text) => {
    numbers.push(wholeNumber(text));
    return numbers;
  };
}
