/**
 * The life of pods through the extender: filter, prioritize and bind of the whole server over HTTP, one pod at a time,
 * on a cluster in which pods end as others begin.
 */
import type { Benchmark, BenchContext } from '../benchmark.ts';
import { Scheduling } from '../caller/scheduling.ts';
import { type TestBed, withTestBed } from '../caller/test-bed.ts';
import { Latencies } from '../report/latencies.ts';
import { type BenchRow, floorFigures, latencyFigures, processFigures } from '../report/row.ts';

const defaults = {
  nodes: [5000],
  cards: 8,
  fill: 0.7,
  names: [500, 5000],
  calls: 500,
  warmup: 100,
  fragmentation: 0,
};
export type FilterSettings = typeof defaults;

export const filterBenchmark: Benchmark<FilterSettings> = {
  name: 'filter',
  description: 'filter, prioritize and bind over HTTP, beside the floor',
  defaults,
  run: async (settings, context) => {
    const rows: BenchRow[] = [];
    for (const nodes of settings.nodes) {
      const { cards, fill, fragmentation } = settings;
      const policy = fragmentation === 0 ? {} : ({ nodePolicy: 'fragmentation' } as const);
      const size = { nodes, cards, until: { fill }, seed: context.seed, ...policy };
      rows.push(
        ...(await withTestBed(size, (bed) => measureVerbs(bed, { ...settings, nodes: [nodes] }, context))),
      );
    }
    return rows;
  },
};

/** Rows for each number of names on a cluster that stands. */
export async function measureVerbs(
  bed: TestBed,
  { nodes: [nodes = 0], cards, fill, names, calls, warmup, fragmentation }: FilterSettings,
  { tell, profileFile }: BenchContext,
): Promise<readonly BenchRow[]> {
  const { opened, readyMs, server } = bed;
  tell(
    `${nodes} nodes, ${opened.pods} pods hold ${Math.round(opened.fill * 100)} %; the server was ready after ${Math.round(readyMs)} ms`,
  );
  const rows: BenchRow[] = [];
  for (const sample of names.filter((count, index) => index === 0 || count <= nodes)) {
    const scheduling = new Scheduling(bed, sample);
    try {
      for (let pod = 0; pod < warmup; pod += 1) await scheduling.schedulePod();
      scheduling.beginFigures();
      await server.ask('begin', { profile: profileFile !== undefined });
      for (let pod = 0; pod < calls; pod += 1) await scheduling.schedulePod();
      const figures = scheduling.figures;
      const measured = await server.ask('end', profileFile === undefined ? {} : { profileFile });
      const params = { nodes, cards, fill, fragmentation, names: Math.min(sample, nodes) };
      tell(
        `${sample} names: ${figures.bound} bound, ${figures.refused} refused, ${figures.failed} failed${figures.firstFailure === '' ? '' : ` (${figures.firstFailure})`}`,
      );
      const own = new Latencies(measured.bindOwnMs);
      for (const name of ['filter', 'prioritize', 'bind'] as const) {
        const { ours, floor } = figures[name];
        rows.push({
          name,
          params,
          ...latencyFigures(ours),
          ...floorFigures(floor),
          ...(name === 'bind' ? { own_p50_ms: own.quantile(0.5), own_p99_ms: own.quantile(0.99) } : {}),
          ...processFigures(measured),
        });
      }
    } finally {
      scheduling.close();
    }
  }
  return rows;
}
