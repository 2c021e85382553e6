/**
 * The stage for the scenarios that the embedded cluster plays, too (`test/integration/scenarios`), on real Kubernetes:
 * machines of their own for each, and the same judges afterwards.
 */
import { readFile } from 'node:fs/promises';
import { expect } from '@jest/globals';
import { parse } from 'yaml';
import type { NodeAgent } from '../../../src/emulator/node-agent/node-agent.ts';
import type { Explanation } from '../../../src/scheduler/explain.ts';
import type { Scenario, Stage } from '../../integration/scenarios/scenario.ts';
import { ScenarioCluster } from '../../integration/scenarios/scenario-cluster.ts';
import type { Cluster } from './cluster.ts';
import { findMisgiven } from './gift-judgement.ts';
import { findHalfBound } from './judgements.ts';
import { History } from './history.ts';
import { findLockBreaks } from './lock-judgement.ts';
import { startMachines } from './machines.ts';
import { ask, untilNodesFree, untilNodesKnown } from './questions.ts';
import type { Tessera } from './tessera.ts';

export interface RealStage extends Stage {
  /** Plays the machines. */
  readonly agent: NodeAgent;
}

/** Any scenario, and those that only real Kubernetes can play. */
export interface RealScenario extends Omit<Scenario, 'play'> {
  readonly play: (stage: RealStage) => Promise<void>;
}

/**
 * Plays one scenario to its end; what it leaves behind is the cluster as it was before, without nodes. The scenario's
 * settings must be the server's already: those of vendors belong to an installation.
 */
export async function playOn(
  cluster: Cluster,
  tessera: Tessera,
  { nodes, settings = {}, play }: RealScenario,
): Promise<void> {
  expect(parse(await readFile(tessera.config, 'utf8'))).toMatchObject(settings);
  const names = nodes.map(({ name }) => name);
  const agent = await startMachines(cluster, nodes);
  const followed = await ScenarioCluster.follow(cluster.client());
  const history = await History.start(cluster);
  try {
    await untilNodesKnown(cluster, tessera, names);
    await play({
      cluster: followed,
      agent,
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
    expect(findMisgiven(changes, agent.book.records)).toEqual([]);
    // Nothing is left in the server's memory of pods that are gone.
    for (const state of ['assumed', 'bound', 'draining']) {
      const left = await tessera.metric(`tessera_ledger_entries{state="${state}"}`);
      expect({ state, left }).toEqual({ state, left: 0 });
    }
    await untilNodesFree(cluster, tessera);
    const held = names.flatMap((name) => [...agent.book.usageOf(name).values()]);
    expect(held.filter(({ slots }) => slots > 0)).toEqual([]);
  } finally {
    await followed.stop();
    await agent.stop();
    await cluster.kubectl(['delete', 'pods,resourcequotas', '--all', '--force', '--grace-period=0']);
    await cluster.kubectl(['delete', 'nodes', ...names]);
  }
}
