/** The nodes of a run: the node agent, connected to the cluster with all rights. */
import { NodeAgent, type NodeAgentOptions } from '../../../src/emulator/node-agent/node-agent.ts';
import type { GpuDescription, NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import { systemClock } from '../../../src/http/system-clock.ts';
import { makeLogger } from '../../../src/telemetry/logger.ts';
import type { Cluster } from './cluster.ts';

/** Starts an agent and adds the nodes; it stops with the cluster. */
export async function startMachines(
  cluster: Cluster,
  nodes: readonly NodeDescription[],
  options: Partial<NodeAgentOptions> = {},
): Promise<NodeAgent> {
  const agent = new NodeAgent({
    client: cluster.client(),
    clock: systemClock,
    random: Math.random,
    log: makeLogger({ level: 'silent' }),
    ...options,
  });
  cluster.onStop(() => agent.stop());
  await agent.start();
  for (const node of nodes) await agent.addNode(node);
  return agent;
}

/** A node with like cards of 16 GiB, large enough in everything else. */
export function makeMachine(
  name: string,
  cards: number,
  card: Partial<GpuDescription> = {},
): NodeDescription {
  return {
    name,
    cpu: '64',
    memory: '256Gi',
    gpus: Array.from({ length: cards }, () => ({ type: 'Tesla T4', memoryMiB: 16384, ...card })),
  };
}
