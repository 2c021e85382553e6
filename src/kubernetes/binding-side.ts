/** Everything that binds take part in on the cluster, wired together: the watches' words go in, binds come out. */
import type { Clock } from '../model/clock.ts';
import type { NamespacedName } from '../model/cluster-objects.ts';
import { LockProtocols } from '../vendors/lock-protocols.ts';
import type { Vendor } from '../vendors/vendor.ts';
import { LabelKeeper } from './label-keeper.ts';
import { LockOwners } from './lock-owner.ts';
import { LockSweep } from './lock-sweep.ts';
import { NodeLocks } from './node-locks.ts';
import { NodePods } from './node-pods.ts';
import { NodeWatch } from './node-watch.ts';
import { PodWatch } from './pod-watch.ts';
import type { RestClient } from './rest-client.ts';
import type { Sealer } from './seal.ts';
import { KubernetesWriter } from './writer.ts';

export interface BindingSideOptions {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly sealer: Sealer;
  /** Those whose devices are given out. */
  readonly vendors: readonly Vendor[];
  /** Whether the ledger has the pod as bound to that node. */
  readonly isCharged: (podUid: string, node: string) => boolean;
  readonly isLeader: () => boolean;
  /** Stands in for looking at all pods of a node; they are listed where it is left out. */
  readonly nodePods?: Pick<NodePods, 'catchUp'>;
  /** The pod that closes a node's lock to others; none ever does where left out. */
  readonly strayOn?: (node: string) => NamespacedName | undefined;
  /** Age from which a lock that names nobody is left over, unless its protocol says so; HAMi's default where left out. */
  readonly ownerlessExpiryMs?: number;
}

export interface BindingSide {
  readonly nodes: NodeWatch;
  readonly pods: PodWatch;
  readonly labels: LabelKeeper;
  readonly locks: NodeLocks;
  readonly sweep: LockSweep;
  readonly writer: KubernetesWriter;
}

export function makeBindingSide({
  sealer,
  vendors,
  isCharged,
  isLeader,
  ...options
}: BindingSideOptions): BindingSide {
  const { client, clock } = options;
  const lockProtocols = new LockProtocols(vendors);
  const protocols = lockProtocols.all;
  const nodes = new NodeWatch(protocols);
  const pods = new PodWatch({
    protocols: lockProtocols,
    onChange: (node) => {
      nodes.wake(node);
    },
  });
  const reservations = vendors.flatMap(({ annotations }) => annotations.migReservations ?? []);
  const labels = new LabelKeeper(client, reservations);
  const owners = new LockOwners({ ...options, pods, protocols: lockProtocols });
  const locks = new NodeLocks({ ...options, watch: nodes, owners, pods, protocols });
  const sweep = new LockSweep({ nodes, locks, clock, isLeader });
  const { nodePods = new NodePods({ client, pods, isCharged }) } = options;
  const writer = new KubernetesWriter({ client, locks, nodePods, pods, labels, sealer, clock });
  return { nodes, pods, labels, locks, sweep, writer };
}
