/** The objects of a cluster, from files or from its API server; nothing is written to it. */
import type { RawCluster } from '../migration/cluster-picture.ts';
import { type Parsed, unparsable } from '../model/result.ts';
import { collectSnapshot } from './migrate-snapshot.ts';
import { type ClusterFlags, withCluster } from './with-cluster.ts';

export interface CollectFlags extends ClusterFlags {
  readonly snapshot?: readonly string[];
}

export async function collect({ snapshot, ...flags }: CollectFlags): Promise<Parsed<RawCluster>> {
  if (snapshot !== undefined) {
    return flags.kubeconfig === undefined
      ? collectSnapshot(snapshot)
      : unparsable('--snapshot and --kubeconfig name two clusters; give one');
  }
  return withCluster(flags, async (client) => {
    const { collectCluster } = await import('./migrate-cluster.ts');
    return collectCluster(client);
  });
}
