/** The result of a benchmark: rows of figures in snake case, as they are written to a file for other programs. */
import type { Latencies } from './latencies.ts';

export type RowParams = Readonly<Record<string, number | string>>;

export interface BenchRow {
  readonly name: string;
  /** What tells this row from others of its name. */
  readonly params: RowParams;
  readonly p50_ms: number;
  readonly p90_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  readonly per_second: number;
  /** Of the server's process where there is one. */
  readonly peak_rss_mib: number;
  readonly loop_delay_p99_ms: number;
  readonly floor_p50_ms?: number;
  readonly floor_p99_ms?: number;
  /** Of a bind: without the time in which the API server was being waited for. */
  readonly own_p50_ms?: number;
  readonly own_p99_ms?: number;
  /** Processor time of the server's process, in percent of one core. */
  readonly cpu_percent?: number;
  /** The part of it that the calls of this row cause. */
  readonly cpu_percent_added?: number;
  /** Of a power of the number of nodes. */
  readonly exponent?: number;
  /** Of `per_second` to that of the same run with the echo in the server's place. */
  readonly ratio?: number;
  /** From the first creation until all pods run. */
  readonly all_run_ms?: number;
  /** The part of it that the device plugin of the busiest node was at work. */
  readonly node_agent_ms?: number;
  /** Binds that were refused because their node was busy. */
  readonly busy_binds?: number;
}

/** Every number a row can have, in the order in which people read them. */
export const figures = [
  'p50_ms',
  'p90_ms',
  'p99_ms',
  'max_ms',
  'floor_p50_ms',
  'floor_p99_ms',
  'own_p50_ms',
  'own_p99_ms',
  'per_second',
  'cpu_percent',
  'cpu_percent_added',
  'exponent',
  'ratio',
  'all_run_ms',
  'node_agent_ms',
  'busy_binds',
  'peak_rss_mib',
  'loop_delay_p99_ms',
] as const;

export type Figure = (typeof figures)[number];

export interface BenchResult {
  readonly name: string;
  readonly params: Readonly<Record<string, number | string | readonly number[]>>;
  readonly rows: readonly BenchRow[];
}

export type LatencyFigures = Pick<BenchRow, 'p50_ms' | 'p90_ms' | 'p99_ms' | 'max_ms' | 'per_second'>;

export function latencyFigures(latencies: Latencies): LatencyFigures {
  return {
    p50_ms: latencies.quantile(0.5),
    p90_ms: latencies.quantile(0.9),
    p99_ms: latencies.quantile(0.99),
    max_ms: latencies.quantile(1),
    per_second: latencies.perSecond,
  };
}

export function floorFigures(floor: Latencies): Pick<BenchRow, 'floor_p50_ms' | 'floor_p99_ms'> {
  return { floor_p50_ms: floor.quantile(0.5), floor_p99_ms: floor.quantile(0.99) };
}

export interface MeasuredProcess {
  readonly peakRssMiB: number;
  readonly loopDelayP99Ms: number;
}

export function processFigures({
  peakRssMiB,
  loopDelayP99Ms,
}: MeasuredProcess): Pick<BenchRow, 'peak_rss_mib' | 'loop_delay_p99_ms'> {
  return { peak_rss_mib: peakRssMiB, loop_delay_p99_ms: loopDelayP99Ms };
}
