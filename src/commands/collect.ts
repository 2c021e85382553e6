/** The objects of a cluster, from files or from its API server; nothing is written to it. */
import { processEnvironment } from '../config/environment.ts';
import type { RawCluster } from '../migration/cluster-picture.ts';
import { type Parsed, unparsable } from '../model/result.ts';
import { collectSnapshot } from './migrate-snapshot.ts';

export interface CollectFlags {
  readonly snapshot?: readonly string[];
  readonly kubeconfig?: string;
  readonly context?: string;
}

export async function collect({ snapshot, kubeconfig, context }: CollectFlags): Promise<Parsed<RawCluster>> {
  if (snapshot !== undefined) {
    return kubeconfig === undefined
      ? collectSnapshot(snapshot)
      : unparsable('--snapshot and --kubeconfig name two clusters; give one');
  }
  // The Kubernetes client takes half a second to load; only this path pays for it.
  const [{ connect }, { collectCluster }] = await Promise.all([
    import('./connect.ts'),
    import('./migrate-cluster.ts'),
  ]);
  const client = await connect({
    environment: processEnvironment(),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  if (!client.ok) return client;
  try {
    return await collectCluster(client.value);
  } finally {
    client.value.close();
  }
}
