/**
 * Pods from creation until they run, through the real kube-scheduler and API server, with the server under test as its
 * extender; beside it the same with an echo in its place, and with no extender at all. Then more pods at once than a few
 * nodes can serve side by side: there each node's device plugin sets the pace, and no bind may be refused for it.
 */
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import type { Benchmark, BenchContext } from '../benchmark.ts';
import { type ExtenderFigures, type ExtenderKind, startExtender } from '../caller/extender.ts';
import { type RealCluster, withRealCluster } from '../caller/real-cluster.ts';
import { VerbTimes } from '../caller/verb-times.ts';
import type { PodRun, WishedPods } from '../processes/node-agents-process.ts';
import { Latencies } from '../report/latencies.ts';
import { type BenchRow, latencyFigures, processFigures } from '../report/row.ts';
import { largeMachines, machines } from '../workload/machines.ts';

const defaults = {
  nodes: [1000, 5000],
  cards: 8,
  pods: 1000,
  percentageOfNodesToScore: 100,
  warmup: 100,
  burstNodes: 10,
  burstPods: 500,
};
type ThroughputSettings = typeof defaults;

export const throughputBenchmark: Benchmark<ThroughputSettings> = {
  name: 'throughput',
  description: 'pods per second through the real kube-scheduler, and many pods at once on few nodes',
  defaults,
  run: async (settings, context) => {
    const rows: BenchRow[] = [];
    for (const nodes of settings.nodes) rows.push(...(await measureThroughput(nodes, settings, context)));
    if (settings.burstPods > 0) rows.push(await measureBurst(settings, context));
    return rows;
  },
};

/** In an order in which a machine that slows down, or a server that fills up, is as bad for one as for the other. */
const order: readonly ExtenderKind[] = ['echo', 'server', 'server', 'echo'];

async function measureThroughput(
  nodes: number,
  { cards, pods, percentageOfNodesToScore, warmup }: ThroughputSettings,
  context: BenchContext,
): Promise<readonly BenchRow[]> {
  const descriptions = machines({ nodes, cards, mig: false }, seededRandom(context.seed));
  const params = { nodes, cards, pods, percentage_of_nodes_to_score: percentageOfNodesToScore };
  const settings = { warmup, percentageOfNodesToScore };
  return withCluster(descriptions, context, async (cluster) => {
    const parts: Measured[] = [];
    for (const [index, kind] of order.entries()) {
      const share = index < order.length / 2 ? Math.ceil(pods / 2) : Math.floor(pods / 2);
      parts.push(await measure(cluster, { ...settings, kind, wishes: 'mixed', pods: share }, context));
    }
    const of = (kind: ExtenderKind) => parts.filter((part) => part.kind === kind);
    const plain = await measure(
      cluster,
      { ...settings, kind: 'none', wishes: 'without-cards', pods },
      context,
    );
    return [
      {
        ...throughputRow('throughput', params, of('server')),
        ratio: podsPerSecond(of('server')) / podsPerSecond(of('echo')),
        busy_binds: sumOf(of('server'), ({ extender }) => extender?.busyBinds ?? 0),
      },
      throughputRow('echo', params, of('echo')),
      throughputRow('plain', params, [plain]),
    ];
  });
}

async function measureBurst(
  { burstNodes: nodes, burstPods: pods, cards, percentageOfNodesToScore }: ThroughputSettings,
  context: BenchContext,
): Promise<BenchRow> {
  return withCluster(largeMachines({ nodes, cards }), context, async (cluster) => {
    const options = { kind: 'server', wishes: 'small', pods, warmup: 2 * nodes } as const;
    const burst = await measure(cluster, { ...options, percentageOfNodesToScore }, context);
    return {
      name: 'burst',
      params: { nodes, cards, pods, percentage_of_nodes_to_score: percentageOfNodesToScore },
      ...latencyFigures(new Latencies(burst.run.untilRunningMs)),
      ...processRow([burst]),
      per_second: podsPerSecond([burst]),
      all_run_ms: burst.run.elapsedMs,
      node_agent_ms: burst.run.longestWorkMs,
      busy_binds: burst.extender?.busyBinds ?? 0,
    };
  });
}

function withCluster<T>(
  descriptions: readonly NodeDescription[],
  { seed, tell }: BenchContext,
  use: (cluster: RealCluster) => Promise<T>,
): Promise<T> {
  tell(`starting a control plane with ${descriptions.length} nodes`);
  return withRealCluster(descriptions, seed, use);
}

interface Measurement {
  readonly kind: ExtenderKind;
  readonly wishes: WishedPods;
  readonly pods: number;
  readonly warmup: number;
  readonly percentageOfNodesToScore: number;
}

interface Measured {
  readonly kind: ExtenderKind;
  readonly run: PodRun;
  readonly extender: ExtenderFigures | undefined;
}

/** Throws when a node saw a fault of the server's. */
async function measure(
  { machines: agents, login, startScheduler, stopScheduler }: RealCluster,
  { kind, wishes, pods, warmup, percentageOfNodesToScore }: Measurement,
  { tell, profileFile }: BenchContext,
): Promise<Measured> {
  const extender = await startExtender(kind, login);
  try {
    await startScheduler({ extenderUrl: extender.url, percentageOfNodesToScore });
    if (warmup > 0) await agents.ask('runPods', { pods: warmup, wishes });
    const times = await VerbTimes.begin(extender.metricsUrl);
    await extender.begin(profileFile !== undefined);
    const run = await agents.ask('runPods', { pods, wishes });
    const measured = { kind, run, extender: await extender.end(profileFile) };
    const means = await times?.end();
    tell(
      `${kind}: ${podsPerSecond([measured]).toFixed(1)} pods/s${means === undefined ? '' : `; means: ${means}`}`,
    );
    const [fault] = run.faults;
    // The echo makes its cards up.
    if (kind === 'server' && fault !== undefined) throw new Error(`the nodes saw a fault: ${fault}`);
    return measured;
  } finally {
    await stopScheduler();
    await extender.stop();
    await agents.ask('clear', undefined);
  }
}

function throughputRow(name: string, params: BenchRow['params'], parts: readonly Measured[]): BenchRow {
  return {
    name,
    params,
    ...latencyFigures(new Latencies(parts.flatMap(({ run }) => run.untilBoundMs))),
    ...processRow(parts),
    per_second: podsPerSecond(parts),
  };
}

/** Of the extender's process; of the node agents' where there is none. */
function processRow(parts: readonly Measured[]) {
  const processes = parts.map(({ extender, run }) => extender ?? run.self);
  return {
    ...processFigures({
      peakRssMiB: Math.max(...processes.map(({ peakRssMiB }) => peakRssMiB)),
      loopDelayP99Ms: Math.max(...processes.map(({ loopDelayP99Ms }) => loopDelayP99Ms)),
    }),
    cpu_percent:
      (sumOf(processes, ({ cpuMs }) => cpuMs) * 100) / sumOf(processes, ({ elapsedMs }) => elapsedMs),
  };
}

function podsPerSecond(parts: readonly Measured[]): number {
  return (
    (sumOf(parts, ({ run }) => run.untilRunningMs.length) * 1000) / sumOf(parts, ({ run }) => run.elapsedMs)
  );
}

function sumOf<T>(items: readonly T[], amountOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + amountOf(item), 0);
}
