/** A client of the cluster that the flags name: a kubeconfig file's, else the one this process runs in. */
import type { Environment } from '../config/environment.ts';
import { systemClock } from '../http/system-clock.ts';
import { loadCredentials } from '../kubernetes/credentials.ts';
import { RestClient } from '../kubernetes/rest-client.ts';
import { type Parsed, parsed } from '../model/result.ts';
import { version } from './version.ts';

export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly environment: Environment;
}

export async function connect(flags: ClusterFlags): Promise<Parsed<RestClient>> {
  const { kubeconfig, context, environment } = flags;
  const access = await loadCredentials(
    kubeconfig === undefined
      ? { kind: 'in-cluster', environment }
      : { kind: 'kubeconfig', path: kubeconfig, ...(context === undefined ? {} : { context }) },
  );
  return access.ok ? parsed(new RestClient({ access: access.value, clock: systemClock, version })) : access;
}
