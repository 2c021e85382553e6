/**
 * The server of a real cluster: the state follows the API server's watches, binds are written to it, and the seal's key
 * lives in a Secret. Everything is wired here and nowhere else; it is ready once both watches have brought their lists.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { TesseraConfig } from '../config/config.ts';
import { type Endpoints, openSeparate } from '../http/endpoints.ts';
import { madeForNames } from '../http/serving-tls.ts';
import { steadyClock, systemClock } from '../http/system-clock.ts';
import { pause } from '../kubernetes/backoff.ts';
import { makeBindingSide } from '../kubernetes/binding-side.ts';
import { EventRecorder } from '../kubernetes/event-recorder.ts';
import { startFeeds } from '../kubernetes/feeds.ts';
import { LedgerAuditor } from '../kubernetes/ledger-auditor.ts';
import { nudgeNode } from '../kubernetes/node-nudge.ts';
import type { RestClient } from '../kubernetes/rest-client.ts';
import { failureText } from '../kubernetes/rest-result.ts';
import { Sealer } from '../kubernetes/seal.ts';
import { loadSealKey, sealKeyBytes } from '../kubernetes/seal-key.ts';
import { ServingCertificate } from '../kubernetes/serving-certificate.ts';
import type { Clock } from '../model/clock.ts';
import type { NamespacedName } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { policiesFrom } from '../placement/policy-defaults.ts';
import { makeScheduler } from '../scheduler/scheduler.ts';
import { WakeUp } from '../scheduler/wake-up.ts';
import { DeviceState } from '../state/device-state.ts';
import type { Log } from '../telemetry/logger.ts';
import { makeMetrics } from '../telemetry/metrics.ts';
import { makeVendors } from '../vendors/vendors.ts';
import { auditReports } from './audit-reports.ts';
import { bindBudgetMs } from './bind-budget.ts';
import { serveHamiMetrics } from './hami-metrics.ts';
import { ownRole } from './own-role.ts';
import { problemReports } from './problem-reports.ts';
import { mirrorState } from './state-metrics.ts';
import { StrayReports } from './stray-reports.ts';

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

  const vendors = makeVendors(config);
  const sealer = new Sealer(key.value, vendors);
  const isCharged = (podUid: string, node: string) => {
    const entry = state.entry(podUid);
    // What is only assumed is our own plan of a pod, not the allocation with which somebody may have bound it.
    return entry?.node === node && entry.state !== 'assumed';
  };
  const ownerlessExpiryMs = config.nodeLockExpirySeconds * 1000;
  const isLeader = () => role.role === 'leader';
  const binding = makeBindingSide({
    client,
    clock,
    sealer,
    isCharged,
    isLeader,
    strayOn: (node) => state.strayOn(node),
    ownerlessExpiryMs,
  });
  const wakeUp = new WakeUp({
    clock,
    nudge: async (node) => {
      const result = await nudgeNode(client, clock, node);
      if (result.kind !== 'ok') log.warn({ node, reason: failureText(result) }, 'wake-up failed');
      // That a node is gone wakes everybody by itself.
      return result.kind === 'ok' || (result.kind === 'status' && result.status === 404);
    },
  });
  const state = new DeviceState({
    vendors,
    trustOf: (pod) => (sealer.isSealed(pod) ? 'as-written' : 'at-least-request'),
    onReleased: ({ node }) => {
      binding.nodes.wake(node);
      wakeUp.released(node);
    },
    onEased: ({ node }) => {
      wakeUp.released(node);
    },
    onStray: (change) => {
      strays.tell(change);
      const { node } = change.stray;
      if (state.strayOn(node) !== undefined) return;
      binding.nodes.wake(node);
      wakeUp.released(node);
    },
  });
  const events = new EventRecorder({
    client,
    clock,
    component: config.schedulerNames[0] ?? 'tessera-scheduler',
    uniqueName: randomUUID,
    onFailure: (message) => {
      log.warn({ reason: message }, 'event not written');
    },
  });
  const strays = new StrayReports({
    metrics,
    log,
    events,
    nodes: binding.nodes,
    entriesOf: (node) => state.entriesOf(node),
    isLeader,
  });
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
  const scheduler = makeScheduler({
    state,
    writer: binding.writer,
    term: () => role.term,
    events,
    onRefused: () => {
      wakeUp.refused();
    },
    clock,
    policies: policiesFrom(config),
    filterDeadlineMs: config.filterDeadlineMs,
    prioritizeDeadlineMs: config.prioritizeDeadlineMs,
    bindBudgetMs: bindBudgetMs(config),
    filterAnswer: config.filterAnswer,
    preemptVerb: config.preemptVerb,
  });
  mirrorState(state, metrics);
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

  const reports = problemReports({ metrics, log, events });
  const feeds = startFeeds({
    client,
    state,
    nodeLabelSelector: config.nodeLabelSelector,
    clock,
    random: Math.random,
    log,
    onNode: (node) => {
      binding.nodes.see(node);
      strays.seeNode(node.name);
    },
    onOfferChanged: (node) => {
      // kube-scheduler may have seen the change before we did, and asked in between.
      wakeUp.released(node);
    },
    onNodeGone: (node) => {
      binding.nodes.forget(node);
    },
    onPod: (pod) => {
      // Resolves when the label is written or cannot be; the pod runs either way.
      void binding.labels.see(pod);
      binding.pods.see(pod);
      binding.sweep.see(pod);
    },
    onPodGone: (uid) => {
      const node = binding.pods.gone(uid);
      if (node !== undefined) binding.sweep.podGone(node);
      binding.labels.forget(uid);
      scheduler.forget(uid);
    },
    onQuotaRaised: (namespace) => {
      const [node] = state.nodeNames();
      const waits = [...state.pendingPods()].some(({ pod }) => pod.namespace === namespace);
      if (waits && node !== undefined) wakeUp.nudgeSoon(node);
    },
    ...reports,
    onSignal: (feed, signal) => {
      reports.onSignal(feed, signal);
      if (signal !== 'listed') wakeUp.interrupted();
    },
  });
  const auditor = new LedgerAuditor({
    client,
    state,
    sealer,
    isLeader,
    everyMs: config.auditSeconds * 1000,
    nodeLabelSelector: config.nodeLabelSelector,
    clock,
    random: Math.random,
    log,
    onReport: auditReports(metrics, () => clock.nowMs()),
  });
  auditor.start();
  binding.sweep.start();
  const sweep = setInterval(() => state.expireDraining(clock.nowMs()), drainSweepMs);
  const isCandidate = config.leaderElection.mode === 'campaign';
  void feeds.synced.then((result) => {
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
      clearInterval(sweep);
      binding.sweep.stop();
      // The next leader need not wait for calls in flight: what they commit is fenced by the term.
      const released = role.stop();
      await auditor.stop();
      await pause(clock, config.shutdownDelaySeconds * 1000);
      await Promise.all([endpoints.value.close(), released]);
      await certificate?.value.stop();
      await feeds.stop();
      await events.flush();
    },
  });
}

const drainSweepMs = 1000;

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
