/**
 * The stage for the scenarios that the embedded cluster plays, too (`test/integration/scenarios`), on real Kubernetes:
 * machines of their own for each, and the same judges afterwards.
 */
import { expect } from '@jest/globals';
import type { Explanation } from '../../../src/scheduler/explain.ts';
import type { Scenario } from '../../integration/scenarios/scenario.ts';
import { ScenarioCluster } from '../../integration/scenarios/scenario-cluster.ts';
import type { Cluster } from './cluster.ts';
import { findHalfBound, findLockBreaks } from './judgements.ts';
import { History } from './history.ts';
import { startMachines } from './machines.ts';
import { ask, untilNodesKnown } from './questions.ts';
import type { Tessera } from './tessera.ts';

/** Plays one scenario to its end; what it leaves behind is the cluster as it was before, without nodes. */
export async function playOn(cluster: Cluster, tessera: Tessera, { nodes, play }: Scenario): Promise<void> {
  const names = nodes.map(({ name }) => name);
  const agent = await startMachines(cluster, nodes);
  const followed = await ScenarioCluster.follow(cluster.client());
  const history = await History.start(cluster);
  try {
    await untilNodesKnown(cluster, tessera, names);
    await play({
      cluster: followed,
      restartServer: async () => {
        await tessera.end('SIGKILL');
        await tessera.startAgain();
      },
      explain: async (pod) => (await ask(cluster, tessera, `/explain/default/${pod}`)) as Explanation,
    });
    await followed.clear();
    expect(followed.judge.faults).toEqual([]);
    expect(agent.book.faults).toEqual([]);
    const changes = await history.changes();
    expect(findHalfBound(changes)).toEqual([]);
    expect(findLockBreaks(changes)).toEqual([]);
    // Nothing is left in the server's memory of pods that are gone.
    for (const state of ['assumed', 'bound', 'draining']) {
      const left = await tessera.metric(`tessera_ledger_entries{state="${state}"}`);
      expect({ state, left }).toEqual({ state, left: 0 });
    }
  } finally {
    await followed.stop();
    await agent.stop();
    await cluster.kubectl(['delete', 'pods,resourcequotas', '--all', '--force', '--grace-period=0']);
    await cluster.kubectl(['delete', 'nodes', ...names]);
  }
}
