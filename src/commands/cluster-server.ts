/**
 * The server of a real cluster: what follows and binds (`cluster-core.ts`) with its listeners, its certificate, its role
 * among replicas and the Secret with the key of the seal. It is ready once the watches have brought their lists.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { TesseraConfig } from '../config/config.ts';
import { type Endpoints, openSeparate } from '../http/endpoints.ts';
import { madeForNames } from '../http/serving-tls.ts';
import { steadyClock, systemClock } from '../http/system-clock.ts';
import { pause } from '../kubernetes/backoff.ts';
import type { RestClient } from '../kubernetes/rest-client.ts';
import { loadSealKey, sealKeyBytes } from '../kubernetes/seal-key.ts';
import { ServingCertificate } from '../kubernetes/serving-certificate.ts';
import type { Clock } from '../model/clock.ts';
import type { NamespacedName } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { Log } from '../telemetry/logger.ts';
import { makeMetrics } from '../telemetry/metrics.ts';
import { makeClusterCore } from './cluster-core.ts';
import { mirrorFragmentation } from './fragmentation-metrics.ts';
import { readKeptWorkload } from './fragmentation-wiring.ts';
import { serveHamiMetrics } from './hami-metrics.ts';
import { ownRole } from './own-role.ts';
import { mirrorState } from './state-metrics.ts';

export interface ClusterServerOptions {
  readonly config: TesseraConfig;
  readonly client: RestClient;
  /** Where the seal's Secret lives. */
  readonly namespace: string;
  /** Our own pod, where there is one, to be labelled with its role. */
  readonly ownPod?: NamespacedName;
  /** Whether `listen` answers plain HTTP, as HAMi's scheduler does without a certificate. */
  readonly plainHttp?: boolean;
  readonly log: Log;
}

/** Serves until closed; resolves as soon as it listens, which is before it is ready. */
export async function serveCluster(options: ClusterServerOptions): Promise<Parsed<Endpoints>> {
  const { config, client, namespace, log } = options;
  // What lasts must last as long as it says, whatever is done to the machine's clock; certificates go by the calendar.
  const clock = steadyClock;
  const metrics = makeMetrics();
  const key = await sealKey(options);
  if (!key.ok) return key;
  const certificate = await keepCertificate({ config, client, namespace, clock: systemClock, log });
  if (certificate?.ok === false) return certificate;

  const role = ownRole({
    ...(options.ownPod === undefined ? {} : { ownPod: options.ownPod }),
    config,
    client,
    namespace,
    // As kube-scheduler in the same pod has it: a pod's name is not always its hostname.
    hostname: hostname(),
    clock,
    random: Math.random,
    newTermId: () => randomBytes(8).toString('hex'),
    log,
    onSignal: (signal) => {
      metrics.watchSignals.inc({ feed: 'leases', signal });
    },
  });
  metrics.onRender(() => {
    metrics.leader.set(role.role === 'leader' ? 1 : 0);
  });
  const keptWorkload = await readKeptWorkload(options);
  const core = makeClusterCore({
    config,
    client,
    namespace,
    keptWorkload,
    clock,
    random: Math.random,
    uniqueName: randomUUID,
    key: key.value,
    election: role,
    log,
    metrics,
  });
  const { state, scheduler, fragmentation } = core;
  mirrorState(state, metrics);
  mirrorFragmentation(fragmentation, metrics);
  serveHamiMetrics(state, metrics, config.hamiMetrics);

  let closing = false;
  const readiness = {
    notReadyBecause: () =>
      closing ? 'shutting down' : state.synced ? undefined : 'the device state is not complete yet',
  };
  const endpoints = await openSeparate({
    config,
    state,
    scheduler,
    scoring: () => fragmentation.scoring,
    readiness,
    role: () => role.role,
    leader: () => role.leader,
    metrics,
    log,
    clock: systemClock,
    ...(certificate === undefined ? {} : { certificate: certificate.value }),
    ...(options.plainHttp === undefined ? {} : { plainHttp: options.plainHttp }),
  });
  if (!endpoints.ok) {
    await certificate?.value.stop();
    return endpoints;
  }

  const isCandidate = config.leaderElection.mode === 'campaign';
  void core.start().then((result) => {
    if (result !== 'synced') return;
    log.info({ urls: endpoints.value.urls }, 'ready');
    // Nobody who knows nothing yet takes the lease from those who do.
    if (isCandidate) role.start();
  });
  if (!isCandidate) role.start();
  return parsed({
    urls: endpoints.value.urls,
    close: async () => {
      closing = true;
      const rested = core.rest();
      // The next leader need not wait for calls in flight: what they commit is fenced by the term.
      const released = role.stop();
      await rested;
      await pause(clock, config.shutdownDelaySeconds * 1000);
      await Promise.all([endpoints.value.close(), released]);
      await certificate?.value.stop();
      await core.stop();
    },
  });
}

/** The key in the Secret; where its use is forbidden and the configuration allows it, one that ends with this process. */
async function sealKey({ config, client, namespace, log }: ClusterServerOptions): Promise<Parsed<Buffer>> {
  const stored = await loadSealKey({ client, namespace, randomBytes });
  if (stored.kind === 'found') return parsed(stored.key);
  if (stored.kind === 'forbidden' && config.seal === 'process') {
    log.warn(
      { reason: stored.problem },
      'the key of the seal ends with this process: after a restart, pods bound before are charged the larger of annotation and own request',
    );
    return parsed(randomBytes(sealKeyBytes));
  }
  return unparsable(stored.problem);
}

/** Undefined where the configuration names no Secret to keep it in. */
async function keepCertificate(
  parts: Pick<ClusterServerOptions, 'config' | 'client' | 'namespace' | 'log'> & { readonly clock: Clock },
): Promise<Parsed<ServingCertificate> | undefined> {
  const { secret, webhookConfigurations } = parts.config.tls;
  if (secret === '') return undefined;
  const { config, ...rest } = parts;
  return ServingCertificate.open({
    ...rest,
    secretName: secret,
    webhookConfigurations,
    names: madeForNames(config),
  });
}
