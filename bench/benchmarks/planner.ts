/**
 * The planner alone, in this process: decisions per second over nodes of a filled cluster, for each kind of pod. Cold
 * is a view that nobody has looked at, as after a change of its node; warm is the same view for the second time.
 */
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import { makeNodeView, type NodeView } from '../../src/model/node-view.ts';
import type { PodRequest } from '../../src/model/request.ts';
import { plan } from '../../src/placement/planner.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import { policiesFrom } from '../../src/placement/policy-defaults.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import type { Benchmark } from '../benchmark.ts';
import { loadServerConfig } from '../processes/server-config.ts';
import { SelfMeter } from '../processes/self-meter.ts';
import { Latencies } from '../report/latencies.ts';
import { type BenchRow, latencyFigures, type MeasuredProcess, processFigures } from '../report/row.ts';
import { makeCluster, type MadeCluster } from '../workload/cluster.ts';
import { podOf } from '../workload/fill.ts';
import { drawPod, drawPodOf, podKinds, type PodWish } from '../workload/pod-mix.ts';
import { pendingPod } from '../workload/pod-object.ts';

const defaults = { nodes: 1000, cards: 8, fill: 0.7, calls: 5000, warmup: 5000 };
type PlannerSettings = typeof defaults;

export const plannerBenchmark: Benchmark<PlannerSettings> = {
  name: 'planner',
  description: 'decisions of the planner alone, per kind of pod',
  defaults,
  run: async ({ nodes, cards, fill, calls, warmup }, { seed }) => {
    const cluster = makeCluster({ nodes, cards, until: { fill }, seed });
    const random = seededRandom(seed);
    decide(viewsOf(cluster), requestsOf(cluster, warmup, drawPod, random), warmup);
    const rows: BenchRow[] = [];
    for (const kind of podKinds) {
      const requests = requestsOf(cluster, calls, () => drawPodOf(kind, random), random);
      const meter = new SelfMeter();
      const views = viewsOf(cluster);
      const cold = decide(views.map(neverSeen), requests, calls);
      decide(views, requests, calls);
      const warm = decide(views, requests, calls);
      const measured = await meter.end();
      rows.push(rowOf({ nodes, cards, kind, views: 'cold' }, cold, measured));
      rows.push(rowOf({ nodes, cards, kind, views: 'warm' }, warm, measured));
    }
    return rows;
  },
};

/** One row over the whole mix of pods and all nodes of a cluster in turn, on views that were seen once before. */
export async function measureDecisions(
  cluster: MadeCluster,
  { nodes, cards, decisions }: { readonly nodes: number; readonly cards: number; readonly decisions: number },
  seed: number,
): Promise<BenchRow> {
  const meter = new SelfMeter();
  const random = seededRandom(seed);
  const requests = requestsOf(cluster, decisions, drawPod, random);
  const views = viewsOf(cluster);
  decide(views, requests, decisions);
  const latencies = decide(views, requests, decisions);
  return rowOf({ nodes, cards, kind: 'mix', views: 'warm' }, latencies, await meter.end());
}

function decide(views: readonly NodeView[], requests: readonly PodRequest[], decisions: number): Latencies {
  const latencies = new Latencies();
  for (let call = 0; call < decisions; call += 1) {
    const view = views[call % views.length];
    const request = requests[call % requests.length];
    if (view === undefined || request === undefined) throw new RangeError('there is nothing to decide');
    const startedMs = performance.now();
    plan(view, request, policies);
    latencies.add(performance.now() - startedMs);
  }
  return latencies;
}

const config = loadServerConfig();
const policies = policiesFrom(config, makeVendors(config));

function viewsOf({ state }: MadeCluster): readonly NodeView[] {
  return [...state.nodeNames()].flatMap((name) => state.view(name) ?? []);
}

/** The same picture as another object: whatever is remembered of the first is not of this one. */
function neverSeen(view: NodeView): NodeView {
  return makeNodeView({ ...view, devices: view.devices.map((device) => ({ ...device })) });
}

/** Distinct pods, few enough that each is met again. */
const mostRequests = 499;

function requestsOf(
  { state }: MadeCluster,
  decisions: number,
  draw: (random: () => number) => PodWish,
  random: () => number,
): readonly PodRequest[] {
  return Array.from({ length: Math.min(decisions, mostRequests) }, (_, number) => {
    const pod = podOf(pendingPod({ number, wish: draw(random) }));
    return readPodRequest(pod, state.vendors).request;
  });
}

function rowOf(params: BenchRow['params'], latencies: Latencies, measured: MeasuredProcess): BenchRow {
  return { name: 'planner', params, ...latencyFigures(latencies), ...processFigures(measured) };
}
