/** The benchmarks by name: a new one is a file in `benchmarks/` and a line here. */
import { type Benchmark, listed } from './benchmark.ts';
import { admissionBenchmark } from './benchmarks/admission.ts';
import { filterBenchmark } from './benchmarks/filter.ts';
import { plannerBenchmark } from './benchmarks/planner.ts';
import { refusalsBenchmark } from './benchmarks/refusals.ts';
import { scalingBenchmark } from './benchmarks/scaling.ts';
import { syncBenchmark } from './benchmarks/sync.ts';
import { throughputBenchmark } from './benchmarks/throughput.ts';

export const benchmarks: readonly Benchmark[] = [
  listed(filterBenchmark),
  listed(plannerBenchmark),
  listed(admissionBenchmark),
  listed(scalingBenchmark),
  listed(syncBenchmark),
  listed(refusalsBenchmark),
  listed(throughputBenchmark),
];
