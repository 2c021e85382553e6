/** A connection to the API server for as long as a command asks it something. */
import { processEnvironment } from '../config/environment.ts';
import type { RestClient } from '../kubernetes/rest-client.ts';
import type { Parsed } from '../model/result.ts';

export interface ClusterFlags {
  /** Absent: the cluster that the process runs in. */
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Refuses a cluster that cannot be connected to; else what `use` answers. */
export async function withCluster<T>(
  { kubeconfig, context }: ClusterFlags,
  use: (client: RestClient) => Promise<Parsed<T>>,
): Promise<Parsed<T>> {
  // The Kubernetes client takes half a second to load; help and wrong flags do not wait for it.
  const { connect } = await import('./connect.ts');
  const client = await connect({
    environment: processEnvironment(),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
  });
  if (!client.ok) return client;
  try {
    return await use(client.value);
  } finally {
    client.value.close();
  }
}
