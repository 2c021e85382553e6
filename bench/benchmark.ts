/**
 * What a benchmark is: a name, settings with their defaults, and a function from settings to rows. Settings are numbers
 * or lists of numbers, so that the command line, the report and the tests can treat all benchmarks alike.
 */
import type { BenchRow } from './report/row.ts';

export type Settings = Readonly<Record<string, number | readonly number[]>>;

export interface BenchContext {
  /** Everything random is drawn from it. */
  readonly seed: number;
  /** Where the server's CPU profile of the measured calls is written; absent for none. */
  readonly profileFile?: string;
  /** Tells a person who waits what goes on. */
  readonly tell: (line: string) => void;
}

export interface Benchmark<S extends Settings = Settings> {
  readonly name: string;
  readonly description: string;
  readonly defaults: S;
  readonly run: (settings: S, context: BenchContext) => Promise<readonly BenchRow[]>;
}

/** A benchmark for a list of several: its settings are checked by whoever reads them from outside. */
export function listed<S extends Settings>({ run, ...rest }: Benchmark<S>): Benchmark {
  return { ...rest, run: (settings, context) => run(settings as S, context) };
}
