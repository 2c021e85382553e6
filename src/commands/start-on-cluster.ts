/** The server of a real cluster, as a command starts it: connected, and told who and where it is. */
import type { TesseraConfig } from '../config/config.ts';
import type { Endpoints } from '../http/endpoints.ts';
import type { Parsed } from '../model/result.ts';
import type { Log } from '../telemetry/logger.ts';
import type { ClusterFlags } from './connect.ts';

export interface ClusterStart {
  readonly config: TesseraConfig;
  readonly log: Log;
  readonly cluster: ClusterFlags;
  /** Where its Secrets are; POD_NAMESPACE where left out. */
  readonly namespace?: string;
  /** Where they are if the environment names no namespace either. */
  readonly defaultNamespace: string;
  /** Whether `listen` answers plain HTTP. */
  readonly plainHttp?: boolean;
}

export async function startOnCluster(options: ClusterStart): Promise<Parsed<Endpoints>> {
  const { config, log, cluster, defaultNamespace, plainHttp } = options;
  // The Kubernetes client takes half a second to load; only this path pays for it.
  const [{ connect }, { serveCluster }] = await Promise.all([
    import('./connect.ts'),
    import('./cluster-server.ts'),
  ]);
  const client = await connect(cluster);
  if (!client.ok) return client;
  const namespace = options.namespace ?? cluster.environment['POD_NAMESPACE'] ?? defaultNamespace;
  const podName = cluster.environment['POD_NAME'];
  return serveCluster({
    config,
    client: client.value,
    namespace,
    ...(podName === undefined ? {} : { ownPod: { namespace, name: podName } }),
    ...(plainHttp === undefined ? {} : { plainHttp }),
    log,
  });
}
