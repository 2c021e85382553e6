/**
 * A large cluster, watched: from the start of the server's process until it is ready, and how it takes a storm, which
 * is every device plugin publishing its cards anew in another order, and then pod events without end.
 */
import type { Benchmark } from '../benchmark.ts';
import { withTestBed } from '../caller/test-bed.ts';
import { Latencies } from '../report/latencies.ts';
import { latencyFigures, processFigures } from '../report/row.ts';

const defaults = { nodes: 5000, cards: 8, pods: 40_000, perSecond: 5000, seconds: 10 };
type SyncSettings = typeof defaults;

export const syncBenchmark: Benchmark<SyncSettings> = {
  name: 'sync',
  description: 'start to ready, peak memory, and the time to absorb a storm of events',
  defaults,
  run: async ({ nodes, cards, pods, perSecond, seconds }, { seed, tell, profileFile }) =>
    withTestBed({ nodes, cards, until: { pods }, seed }, async ({ cluster, server, opened, readyMs }) => {
      const started = await server.ask('end', {});
      tell(
        `${opened.pods} pods hold ${Math.round(opened.fill * 100)} %; ready after ${Math.round(readyMs)} ms`,
      );
      const params = { nodes, cards, pods };

      await server.ask('begin', { profile: profileFile !== undefined });
      const published = await cluster.ask('publishAll', 'nodes');
      const absorbedMs = (await server.ask('whenSeen', 'nodes')) - published.startedMs;
      const afterNodes = await server.ask('end', {});

      await server.ask('begin', { profile: false });
      const churned = await cluster.ask('churn', { perSecond, seconds, mark: 'pods' });
      const lags = new Latencies();
      let lastSeenMs = churned.startedMs;
      for (const { mark, sentMs } of churned.marks) {
        lastSeenMs = await server.ask('whenSeen', mark);
        lags.add(lastSeenMs - sentMs);
      }
      const afterPods = await server.ask('end', profileFile === undefined ? {} : { profileFile });

      return [
        {
          name: 'sync',
          params,
          ...latencyFigures(new Latencies([readyMs])),
          ...processFigures(started),
          cpu_percent: cpuPercent(started),
        },
        {
          name: 'storm_nodes',
          params,
          ...latencyFigures(new Latencies([absorbedMs])),
          per_second: (published.events * 1000) / absorbedMs,
          ...processFigures(afterNodes),
          cpu_percent: cpuPercent(afterNodes),
        },
        {
          name: 'storm_pods',
          params: { ...params, events_per_second: perSecond, seconds },
          ...latencyFigures(lags),
          per_second: (churned.events * 1000) / (lastSeenMs - churned.startedMs),
          ...processFigures(afterPods),
          cpu_percent: cpuPercent(afterPods),
        },
      ];
    }),
};

function cpuPercent({ cpuMs, elapsedMs }: { readonly cpuMs: number; readonly elapsedMs: number }): number {
  return (cpuMs * 100) / elapsedMs;
}
