/**
 * The server of a real cluster: the state follows the API server's watches, binds are written to it, and the seal's key
 * lives in a Secret. Everything is wired here and nowhere else; it is ready once both watches have brought their lists.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { TesseraConfig } from '../config/config.ts';
import { type Endpoints, openSeparate } from '../http/endpoints.ts';
import { madeForNames } from '../http/serving-tls.ts';
import { systemClock } from '../http/system-clock.ts';
import { EventRecorder } from '../kubernetes/event-recorder.ts';
import { startFeeds } from '../kubernetes/feeds.ts';
import { LabelKeeper } from '../kubernetes/label-keeper.ts';
import { NodeLocks } from '../kubernetes/node-locks.ts';
import { nudgeNode } from '../kubernetes/node-nudge.ts';
import { NodeWatch } from '../kubernetes/node-watch.ts';
import type { RestClient } from '../kubernetes/rest-client.ts';
import { failureText } from '../kubernetes/rest-result.ts';
import { labelRole } from '../kubernetes/role-label.ts';
import { Sealer } from '../kubernetes/seal.ts';
import { loadSealKey } from '../kubernetes/seal-key.ts';
import { ServingCertificate } from '../kubernetes/serving-certificate.ts';
import { KubernetesWriter } from '../kubernetes/writer.ts';
import type { Clock } from '../model/clock.ts';
import type { NamespacedName, PodObject } from '../model/cluster-objects.ts';
import { podName } from '../model/cluster-objects.ts';
import { type Parsed, parsed } from '../model/result.ts';
import { policiesFrom } from '../placement/policy-defaults.ts';
import { makeScheduler } from '../scheduler/scheduler.ts';
import { WakeUp } from '../scheduler/wake-up.ts';
import { DeviceState } from '../state/device-state.ts';
import type { Log } from '../telemetry/logger.ts';
import { makeMetrics, type Metrics } from '../telemetry/metrics.ts';
import { isLockedBy } from '../vendors/node-lock.ts';
import { bindPhaseAnnotation } from '../vendors/pod-annotations.ts';
import { makeVendors } from '../vendors/vendors.ts';
import { bindBudgetMs } from './bind-budget.ts';
import { mirrorState } from './state-metrics.ts';

export interface ClusterServerOptions {
  readonly config: TesseraConfig;
  readonly client: RestClient;
  /** Where the seal's Secret lives. */
  readonly namespace: string;
  /** Our own pod, where there is one, to be labelled as the scheduler in charge. */
  readonly ownPod?: NamespacedName;
  readonly log: Log;
}

/** Serves until closed; resolves as soon as it listens, which is before it is ready. */
export async function serveCluster(options: ClusterServerOptions): Promise<Parsed<Endpoints>> {
  const { config, client, namespace, log } = options;
  const clock = systemClock;
  const metrics = makeMetrics();
  const key = await loadSealKey({ client, namespace, randomBytes });
  if (!key.ok) return key;
  const certificate = await keepCertificate({ config, client, namespace, clock, log });
  if (certificate?.ok === false) return certificate;

  const vendors = makeVendors(config);
  const sealer = new Sealer(key.value, vendors);
  const watch = new NodeWatch();
  const wakeUp = new WakeUp({
    clock,
    nudge: (node) => {
      void nudgeNode(client, clock, node).then((result) => {
        if (result.kind !== 'ok') log.warn({ node, reason: failureText(result) }, 'wake-up failed');
      });
    },
  });
  const state = new DeviceState({
    vendors,
    trustOf: (pod) => (sealer.isSealed(pod) ? 'as-written' : 'at-least-request'),
    onReleased: ({ node }) => {
      watch.wake(node);
      wakeUp.released(node);
    },
  });
  const labels = new LabelKeeper(client);
  const events = new EventRecorder({
    client,
    clock,
    component: config.schedulerNames[0] ?? 'tessera-scheduler',
    uniqueName: randomUUID,
    onFailure: (message) => {
      log.warn({ reason: message }, 'event not written');
    },
  });
  const scheduler = makeScheduler({
    state,
    writer: new KubernetesWriter({
      client,
      locks: new NodeLocks({ client, watch, clock }),
      labels,
      sealer,
      clock,
    }),
    events,
    onRefused: () => {
      wakeUp.refused();
    },
    clock,
    policies: policiesFrom(config),
    filterDeadlineMs: config.filterDeadlineMs,
    prioritizeDeadlineMs: config.prioritizeDeadlineMs,
    bindBudgetMs: bindBudgetMs(config),
  });
  mirrorState(state, metrics);

  let closing = false;
  const readiness = {
    notReadyBecause: () =>
      closing ? 'shutting down' : state.synced ? undefined : 'the device state is not complete yet',
  };
  const endpoints = await openSeparate({
    config,
    state,
    scheduler,
    readiness,
    metrics,
    log,
    clock,
    ...(certificate === undefined ? {} : { certificate: certificate.value }),
  });
  if (!endpoints.ok) {
    await certificate?.value.stop();
    return endpoints;
  }

  const feeds = startFeeds({
    client,
    state,
    clock,
    random: Math.random,
    log,
    onNode: (node) => {
      watch.see(node);
    },
    onNodeGone: (node) => {
      watch.forget(node);
    },
    onPod: (pod) => {
      // Resolves when the label is written or cannot be; the pod runs either way.
      void labels.see(pod);
      wakeIfLockIsFree(pod, watch);
    },
    onPodGone: (uid) => {
      const entry = state.entry(uid);
      if (entry !== undefined) watch.wake(entry.node);
      labels.forget(uid);
      scheduler.forget(uid);
    },
    ...problemReports(metrics, log),
  });
  const sweep = setInterval(() => state.expireDraining(clock.nowMs()), drainSweepMs);
  void feeds.synced.then((result) => {
    if (result === 'synced') log.info({ urls: endpoints.value.urls }, 'ready');
  });
  if (options.ownPod !== undefined) void takeRole(client, options.ownPod, log);
  return parsed({
    urls: endpoints.value.urls,
    close: async () => {
      closing = true;
      clearInterval(sweep);
      await endpoints.value.close();
      await certificate?.value.stop();
      await feeds.stop();
      await events.flush();
    },
  });
}

const drainSweepMs = 1000;

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

/** A lock that outlives its purpose is nobody's to release any more; whoever waits for it should look again. */
function wakeIfLockIsFree(pod: PodObject, watch: NodeWatch): void {
  const lock = pod.nodeName === undefined ? undefined : watch.find(pod.nodeName)?.lock;
  if (lock === undefined || pod.nodeName === undefined || !isLockedBy(lock, pod)) return;
  const served = pod.phase !== 'Pending';
  if (served || pod.annotations[bindPhaseAnnotation] === 'failed') watch.wake(pod.nodeName);
}

function problemReports(
  metrics: Metrics,
  log: Log,
): Pick<
  Parameters<typeof startFeeds>[0],
  'onRegisterProblem' | 'onAllocationProblem' | 'onSignal' | 'onMalformed'
> {
  return {
    onRegisterProblem: (node, { vendor, problem }) => {
      metrics.malformed.inc({ kind: 'register' });
      log.warn({ node: node.name, vendor, reason: problem }, 'devices of the node cannot be read');
    },
    onAllocationProblem: (pod, { annotation, problem }) => {
      metrics.malformed.inc({ kind: 'allocation' });
      log.warn({ pod: podName(pod), annotation, reason: problem }, 'allocation of the pod cannot be read');
    },
    onSignal: (feed, signal) => {
      metrics.watchSignals.inc({ feed, signal });
    },
    onMalformed: (kind) => {
      metrics.malformed.inc({ kind: malformedKindOf[kind] });
    },
  };
}

const malformedKindOf = { nodes: 'node', pods: 'pod', resourcequotas: 'quota' } as const;

async function takeRole(client: RestClient, pod: NamespacedName, log: Log): Promise<void> {
  const result = await labelRole(client, pod, 'leader');
  if (result.kind !== 'ok')
    log.warn({ pod: podName(pod), reason: failureText(result) }, 'own pod not labelled');
}
