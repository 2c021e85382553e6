import { afterEach, describe, expect } from '@jest/globals';
import type { NodeAgent } from '../../src/emulator/node-agent/node-agent.ts';
import type { HostPriorityList } from '../../src/wire/extender.ts';
import type { Cluster } from './harness/cluster.ts';
import { eventually } from './harness/eventually.ts';
import type { ExtenderCall, ExtenderTap } from './harness/extender-tap.ts';
import { History } from './harness/history.ts';
import { asksForCards, findHalfBound } from './harness/judgements.ts';
import { makeMachine, startMachines } from './harness/machines.ts';
import { clearPods, podManifest, untilAllIn, untilPhase } from './harness/pods.ts';
import { callsFor, sharedPod, startTapped } from './harness/tapped-cluster.ts';
import { useCluster } from './harness/use-cluster.ts';

/**
 * What the design takes for granted of kube-scheduler and the API server, shown on the pinned version;
 * docs/kube-scheduler.md says what follows from it.
 */
const machines = Array.from({ length: 6 }, (_, index) => makeMachine(`gpu-${index}`, 2, { slots: 20 }));

let cluster: Cluster;
let agent: NodeAgent;
let tap: ExtenderTap;
let history: History;

const scenario = useCluster(async (started) => {
  cluster = started;
  agent = await startMachines(cluster, machines);
  tap = await startTapped(cluster);
  history = await History.start(cluster);
});

afterEach(async () => {
  await clearPods(cluster);
  expect(agent.book.faults).toEqual([]);
});

function overlap(a: ExtenderCall, b: ExtenderCall): boolean {
  return a !== b && a.startMs < b.endMs && b.startMs < a.endMs;
}

describe('the API server', () => {
  scenario('writes a Binding’s annotations and labels together with the node', async () => {
    await cluster.create(Array.from({ length: 20 }, (_, index) => sharedPod(`bound-${index}`, 1000)));
    await untilAllIn(cluster, 'Running');
    const changes = await history.changes();
    const seen = changes.filter((change) => change.kind === 'pod' && asksForCards(change.pod));
    // Created, bound, served and running: four states of each pod.
    expect(seen.length).toBeGreaterThanOrEqual(80);
    expect(findHalfBound(changes)).toEqual([]);
  });
});

describe('kube-scheduler', () => {
  scenario('chooses our best node for pods without preferences', async () => {
    const names = Array.from({ length: 120 }, (_, index) => `ranked-${index}`);
    await cluster.create(names.map((name, index) => sharedPod(name, 500 + 100 * (index % 5))));
    await untilAllIn(cluster, 'Running', { timeoutMs: 60_000 });
    const ranked = names.flatMap((name) => {
      const answer = callsFor(tap, name, 'prioritize').at(-1)?.answer as HostPriorityList | undefined;
      const { Node: chosen } = callsFor(tap, name, 'bind').at(-1)?.request as { Node: string };
      const best = answer?.filter(({ Score }) => Score === 10).map(({ Host }) => Host);
      return best === undefined ? [] : [{ chosen, best }];
    });
    const obeyed = ranked.filter(({ chosen, best }) => best.length === 1 && best[0] === chosen);
    console.info(`our best node was chosen in ${obeyed.length} of ${ranked.length} ranked binds`);
    expect(ranked.length).toBeGreaterThanOrEqual(100);
    expect(obeyed.length / ranked.length).toBeGreaterThanOrEqual(0.99);
  });

  scenario('filters one pod at a time while binds are under way', async () => {
    const from = tap.calls.length;
    await cluster.create(Array.from({ length: 40 }, (_, index) => sharedPod(`quick-${index}`, 500)));
    await untilAllIn(cluster, 'Running', { timeoutMs: 30_000 });
    const calls = tap.calls.slice(from);
    const filters = calls.filter(({ verb }) => verb === 'filter');
    const binds = calls.filter(({ verb }) => verb === 'bind');
    expect(filters.filter((call) => filters.some((other) => overlap(call, other)))).toEqual([]);
    expect(binds.filter((call) => filters.some((other) => overlap(call, other)))).not.toEqual([]);
    expect(binds.filter((call) => binds.some((other) => overlap(call, other)))).not.toEqual([]);
  });

  scenario('does not ask for a ranking where one node is left', async () => {
    await cluster.create([sharedPod('pinned', 500, { nodeSelector: { 'kubernetes.io/hostname': 'gpu-3' } })]);
    await untilPhase(cluster, 'pinned', 'Running');
    expect(callsFor(tap, 'pinned', 'filter')).toMatchObject([{ answer: { NodeNames: ['gpu-3'] } }]);
    expect(callsFor(tap, 'pinned', 'prioritize')).toEqual([]);
    expect(callsFor(tap, 'pinned', 'bind')).toHaveLength(1);
  });

  scenario('does not call for a pod that asks for nothing we manage', async () => {
    await cluster.create([podManifest({ name: 'plain', schedulerName: 'tessera-scheduler' })]);
    await untilPhase(cluster, 'plain', 'Running');
    expect(tap.calls.filter(({ pod }) => pod === 'plain')).toEqual([]);
  });

  scenario(
    'closes its idle connections itself, after 90 s, so that our server’s 100 s never cut one off',
    async () => {
      await cluster.create([sharedPod('first', 1000)]);
      await untilPhase(cluster, 'first', 'Running');
      const open = tap.connections.filter(({ closedMs }) => closedMs === undefined);
      expect(open.length).toBeGreaterThan(0);
      await eventually(
        'its idle connections are closed',
        () => {
          const left = open.filter(({ closedMs }) => closedMs === undefined).length;
          return Promise.resolve(left === 0 ? { done: true } : { not: `${left} are open` });
        },
        100_000,
      );
      const idleSeconds = open.map(({ lastCallMs, closedMs = 0 }) => (closedMs - lastCallMs) / 1000);
      console.info(`idle connections were closed after ${idleSeconds.map((s) => s.toFixed(1)).join(', ')} s`);
      // One that was dialled and not needed at once may have been idle for longer than its last call tells.
      expect(Math.max(...idleSeconds)).toBeGreaterThan(85);
      expect(Math.max(...idleSeconds)).toBeLessThan(95);
      await cluster.create([sharedPod('second', 1000)]);
      await untilPhase(cluster, 'second', 'Running');
      expect(callsFor(tap, 'second', 'bind')).toMatchObject([{ answer: { Error: '' } }]);
    },
    150_000,
  );
});
