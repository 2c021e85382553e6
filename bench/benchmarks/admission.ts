/** The webhook: reviews of pods with and without cards, one at a time and several at once, beside the floor. */
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import type { Benchmark } from '../benchmark.ts';
import { Connection } from '../caller/connection.ts';
import { withTestBed } from '../caller/test-bed.ts';
import { Latencies } from '../report/latencies.ts';
import { type BenchRow, floorFigures, latencyFigures, processFigures } from '../report/row.ts';
import { drawPod } from '../workload/pod-mix.ts';
import { reviewOf } from '../workload/review.ts';

const defaults = { nodes: 250, cards: 8, fill: 0.7, calls: 2000, warmup: 500, connections: [1, 8] };
type AdmissionSettings = typeof defaults;

export const admissionBenchmark: Benchmark<AdmissionSettings> = {
  name: 'admission',
  description: 'calls of the webhook, for pods with and without cards',
  defaults,
  run: async ({ nodes, cards, fill, calls, warmup, connections }, { seed }) =>
    withTestBed({ nodes, cards, until: { fill }, seed }, async ({ urls, floorUrl, server }) => {
      const random = seededRandom(seed);
      const bodies = {
        gpu: Array.from({ length: distinctPods }, (_, number) =>
          JSON.stringify(reviewOf(number, drawPod(random))),
        ),
        other: Array.from({ length: distinctPods }, (_, number) =>
          JSON.stringify(reviewOf(number, undefined)),
        ),
      };
      const rows: BenchRow[] = [];
      for (const pods of ['gpu', 'other'] as const) {
        for (const atOnce of connections) {
          const load = { bodies: bodies[pods], atOnce };
          await callAll(floorUrl, { ...load, calls: warmup });
          await callAll(urls['main'] ?? '', { ...load, calls: warmup });
          const floor = await callAll(floorUrl, { ...load, calls });
          await server.ask('begin', { profile: false });
          const ours = await callAll(urls['main'] ?? '', { ...load, calls });
          const measured = await server.ask('end', {});
          rows.push({
            name: 'admission',
            params: { pods, connections: atOnce },
            ...latencyFigures(ours.latencies),
            per_second: ours.perSecond,
            ...floorFigures(floor.latencies),
            ...processFigures(measured),
          });
        }
      }
      return rows;
    }),
};

const distinctPods = 499;

interface Load {
  readonly bodies: readonly string[];
  readonly atOnce: number;
  readonly calls: number;
}

async function callAll(
  url: string,
  { bodies, atOnce, calls }: Load,
): Promise<{ readonly latencies: Latencies; readonly perSecond: number }> {
  const latencies = new Latencies();
  const startedMs = performance.now();
  let begun = 0;
  const callOnOne = async () => {
    const connection = new Connection(url);
    while (begun < calls) {
      begun += 1;
      const { tookMs } = await connection.post('/webhook', bodies[begun % bodies.length] ?? '');
      latencies.add(tookMs);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: atOnce }, callOnOne));
  return { latencies, perSecond: (calls * 1000) / (performance.now() - startedMs) };
}
