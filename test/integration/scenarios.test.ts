/**
 * The end-to-end scenarios on the embedded cluster: everything but kube-scheduler, kubelet and the API server is the
 * code that runs in production, and talks over the same HTTP.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { eventually } from '../e2e/harness/eventually.ts';
import { EmbeddedCluster } from './embedded-cluster.ts';
import { ScenarioCluster } from './scenarios/scenario-cluster.ts';
import { scenarios } from './scenarios/scenarios.ts';

jest.setTimeout(60_000);

const ledgerStates = ['assumed', 'bound', 'draining'].map(
  (state) => `tessera_ledger_entries{state="${state}"}`,
);

describe('on the embedded cluster', () => {
  it.each(scenarios)('$name', async ({ nodes, settings = {}, play }) => {
    const embedded = await EmbeddedCluster.start(nodes, { settings });
    const cluster = await ScenarioCluster.follow(embedded.client);
    try {
      await play({
        cluster,
        restartServer: () => embedded.restartServer(),
        explain: (pod) => embedded.explain(pod),
      });
      await cluster.clear();
      // What everyone saw: the annotations on the pods, and the devices that the nodes handed out.
      expect(cluster.judge.faults).toEqual([]);
      expect(embedded.agent.book.faults).toEqual([]);
      // Nothing is left in the server's memory of pods that are gone, as soon as its own watch has told so, too.
      await eventually('an empty ledger', async () => {
        const metrics = await embedded.metrics();
        const left = ledgerStates.map((name) => `${name} ${metrics.get(name) ?? 'unknown'}`);
        return left.every((line) => line.endsWith(' 0')) ? { done: true } : { not: left.join(', ') };
      });
    } finally {
      await cluster.stop();
      await embedded.stop();
    }
  });
});
