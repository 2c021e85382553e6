/** How the cost of a filter call and of a decision grows with the cluster when the number of names stays the same. */
import { makeCluster } from '../workload/cluster.ts';
import type { Benchmark } from '../benchmark.ts';
import { fittedExponent } from '../report/exponent.ts';
import type { BenchRow } from '../report/row.ts';
import { filterBenchmark } from './filter.ts';
import { measureDecisions } from './planner.ts';

const defaults = {
  nodes: [250, 1000, 5000, 20_000],
  cards: 8,
  fill: 0.7,
  names: 500,
  calls: 500,
  warmup: 100,
  fragmentation: 0,
};
type ScalingSettings = typeof defaults;

export const scalingBenchmark: Benchmark<ScalingSettings> = {
  name: 'scaling',
  description: 'filter and planner over the number of nodes, with the fitted exponent',
  defaults,
  run: async (settings, context) => {
    const { cards, fill, names, calls } = settings;
    const filter = (await filterBenchmark.run({ ...settings, names: [names] }, context)).filter(
      ({ name }) => name === 'filter',
    );
    const planner: BenchRow[] = [];
    for (const nodes of settings.nodes) {
      const cluster = makeCluster({ nodes, cards, until: { fill }, seed: context.seed });
      planner.push(await measureDecisions(cluster, { nodes, cards, decisions: calls * 10 }, context.seed));
    }
    return [
      ...filter,
      ...planner,
      exponentRow('filter_p50', filter, 'p50_ms'),
      exponentRow('filter_p99', filter, 'p99_ms'),
      exponentRow('planner_p50', planner, 'p50_ms'),
    ];
  },
};

/** The figures are those of the largest cluster. */
function exponentRow(of: string, rows: readonly BenchRow[], figure: 'p50_ms' | 'p99_ms'): BenchRow {
  const largest = rows.at(-1);
  if (largest === undefined) throw new RangeError('there are no sizes to compare');
  // A cluster with fewer nodes than names gets calls with fewer names, which are no like calls.
  const alike = rows.filter(({ params }) => params['names'] === largest.params['names']);
  const points = alike.map((row) => ({ size: Number(row.params['nodes']), cost: row[figure] }));
  return {
    ...largest,
    name: 'scaling',
    params: { of, sizes: points.length },
    exponent: fittedExponent(points),
  };
}
