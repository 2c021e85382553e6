/**
 * The server over the embedded cluster: `serveCluster`, the very code that serves a real one, with a certificate of its
 * own making whose authority it tells the webhook's configuration. Here it is also waited for.
 */
import { loadConfig } from '../../config/load.ts';
import type { TesseraConfig } from '../../config/config.ts';
import type { Endpoints } from '../../http/endpoints.ts';
import { systemClock } from '../../http/system-clock.ts';
import { pause } from '../../kubernetes/backoff.ts';
import { type RestClient } from '../../kubernetes/rest-client.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { Mapping } from '../../wire/mapping.ts';
import type { Log } from '../../telemetry/logger.ts';
import { serveCluster } from '../cluster-server.ts';
import { clientOf, serverNamespace, serviceName, webhookName } from './control-plane.ts';

export interface ServerAddresses {
  readonly listen: string;
  readonly listenExtender: string;
  readonly listenMetrics: string;
}

export interface EmbeddedServerOptions {
  readonly config: TesseraConfig;
  /** Of the embedded API. */
  readonly client: RestClient;
  readonly log: Log;
}

const readyPollMs = 20;
const readyTimeoutMs = 10_000;

/**
 * The configuration of a server at these addresses of this machine.
 *
 * @param settings further ones; keys as in the configuration file
 */
export function embeddedServerConfig(
  { listen, listenExtender, listenMetrics }: ServerAddresses,
  settings: Mapping = {},
): Parsed<TesseraConfig> {
  const loaded = loadConfig({
    environment: {},
    assumed: settings,
    flags: {
      listen,
      listenExtender,
      listenMetrics,
      // A demo is left quickly; calls under way are its own.
      shutdownGraceSeconds: 1,
      tls: { names: [serviceName], secret: 'tessera-certificate', webhookConfigurations: [webhookName] },
    },
  });
  return loaded.ok ? parsed(loaded.value.config) : loaded;
}

/** Resolves when the server knows the whole cluster; refuses when an address cannot be had or it takes too long. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<Parsed<Endpoints>> {
  const endpoints = await serveCluster({ ...options, namespace: serverNamespace });
  if (!endpoints.ok) return endpoints;
  const probes = clientOf(endpoints.value.urls['extender'] ?? '');
  const deadlineMs = systemClock.nowMs() + readyTimeoutMs;
  try {
    while (systemClock.nowMs() < deadlineMs) {
      const answer = await probes.request({ method: 'GET', path: '/readyz', timeoutMs: readyTimeoutMs });
      if (answer.kind === 'ok') return endpoints;
      await pause(systemClock, readyPollMs);
    }
    await endpoints.value.close();
    return unparsable(`the server was not ready within ${readyTimeoutMs / 1000} s`);
  } finally {
    probes.close();
  }
}
