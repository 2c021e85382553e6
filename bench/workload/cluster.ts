/** A whole cluster from a few numbers and a seed: machines, their Node objects, and the pods that run on them. */
import type { ApiObject } from '../../src/emulator/api/api-object.ts';
import { seededRandom } from '../../src/emulator/demo-cluster-random.ts';
import type { NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import { Sealer } from '../../src/kubernetes/seal.ts';
import { sealKeyBytes } from '../../src/kubernetes/seal-key.ts';
import { policiesFrom } from '../../src/placement/policy-defaults.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import { parseNode } from '../../src/wire/kubernetes.ts';
import { loadServerConfig } from '../processes/server-config.ts';
import { required } from '../required.ts';
import { fillMachines, type FillOptions } from './fill.ts';
import { machines, type MachineCount } from './machines.ts';
import { nodeObject } from './node-object.ts';

export interface ClusterSize extends MachineCount {
  readonly until: FillOptions['until'];
  readonly seed: number;
}

export interface MadeCluster {
  readonly descriptions: readonly NodeDescription[];
  readonly nodes: readonly ApiObject[];
  readonly pods: readonly ApiObject[];
  /** How much of the memory of all cards the pods hold, 0 to 1. */
  readonly fill: number;
  /** What the server will know once it has seen all that. */
  readonly state: DeviceState;
}

/** Throws when the pods do not fit. */
export function makeCluster({ nodes: count, cards, until, seed }: ClusterSize): MadeCluster {
  const random = seededRandom(seed);
  const config = loadServerConfig();
  const vendors = makeVendors(config);
  const state = new DeviceState({ vendors, trustOf: () => 'as-written' });
  const descriptions = machines({ nodes: count, cards }, random);
  const nodes = descriptions.map((description, index) => nodeObject(description, index, random));
  for (const node of nodes) state.applyNode(required(parseNode(node)));
  const sealer = new Sealer(sealKeyOf(seed), vendors);
  const { pods, fill } = fillMachines({
    state,
    sealer,
    policies: policiesFrom(config, vendors),
    random,
    until,
  });
  return { descriptions, nodes, pods, fill, state };
}

/** The key that the cluster's Secret holds: nothing to keep secret. */
export function sealKeyOf(seed: number): Buffer {
  const random = seededRandom(seed);
  return Buffer.from(Array.from({ length: sealKeyBytes }, () => Math.floor(random() * 256)));
}
