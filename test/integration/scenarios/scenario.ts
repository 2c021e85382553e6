/** What a scenario is: machines, and a story played on them whose assertions hold on any cluster, embedded or real. */
import type { NodeDescription } from '../../../src/emulator/node-agent/node-description.ts';
import type { Explanation } from '../../../src/scheduler/explain.ts';
import type { ScenarioCluster } from './scenario-cluster.ts';

export interface Scenario {
  /** A sentence about behaviour. */
  readonly name: string;
  /** All that the cluster has while the story is played. */
  readonly nodes: readonly NodeDescription[];
  /** Of the server, beside its own; keys as in the configuration file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Throws where something is not as it should be. */
  readonly play: (stage: Stage) => Promise<void>;
}

export interface Stage {
  readonly cluster: ScenarioCluster;
  /** Ends the server without grace and starts another in its place. */
  readonly restartServer: () => Promise<void>;
  /** What the server says of a pod in the namespace of the scenario. */
  readonly explain: (pod: string) => Promise<Explanation>;
}

/** A machine with so many cards of one kind. */
export function machine(
  name: string,
  cards: number,
  fields: { readonly memoryMiB?: number; readonly labels?: Readonly<Record<string, string>> } = {},
): NodeDescription {
  const { memoryMiB = 81_920, labels = {} } = fields;
  return {
    name,
    cpu: '64',
    memory: '512Gi',
    labels,
    gpus: Array.from({ length: cards }, () => ({ type: 'NVIDIA A100-SXM4-80GB', memoryMiB })),
  };
}
