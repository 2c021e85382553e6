/**
 * Everything of a server that follows a cluster, wired together and handed its surroundings: the API, time, chance,
 * identifiers and leadership come from outside, so that a test plays the very wiring that `serve` runs. What is reached
 * from outside (listeners, certificates, the lease) is wired around it.
 */
import type { TesseraConfig } from '../config/config.ts';
import { makeBindingSide } from '../kubernetes/binding-side.ts';
import { EventRecorder } from '../kubernetes/event-recorder.ts';
import { startFeeds, type Feeds } from '../kubernetes/feeds.ts';
import { LedgerAuditor } from '../kubernetes/ledger-auditor.ts';
import { nudgeNode } from '../kubernetes/node-nudge.ts';
import type { Election } from '../kubernetes/leadership.ts';
import type { RestClient } from '../kubernetes/rest-client.ts';
import { failureText } from '../kubernetes/rest-result.ts';
import { Sealer } from '../kubernetes/seal.ts';
import { WorkloadKeeper } from '../kubernetes/workload-keeper.ts';
import type { Clock } from '../model/clock.ts';
import { policiesFrom } from '../placement/policy-defaults.ts';
import type { FragmentationPolicy } from '../scheduler/fragmentation-policy.ts';
import { makeScheduler, type Scheduler } from '../scheduler/scheduler.ts';
import { WakeUp } from '../scheduler/wake-up.ts';
import { DeviceState, type DeviceStateOptions } from '../state/device-state.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { makeVendors } from '../vendors/vendors.ts';
import { type AuditReported, auditReports } from './audit-reports.ts';
import { bindBudgetMs } from './bind-budget.ts';
import { keepFresh, keepsWorkload, makeFragmentation, workloadText } from './fragmentation-wiring.ts';
import { problemReports } from './problem-reports.ts';
import { StrayReports } from './stray-reports.ts';

export interface ClusterCoreOptions {
  readonly config: TesseraConfig;
  readonly client: RestClient;
  /** One that nobody can set. */
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Never the same twice. */
  readonly uniqueName: () => string;
  /** Of the seal. */
  readonly key: Buffer;
  readonly election: Pick<Election, 'role' | 'term'>;
  /** The server's own, where the learnt workload is kept; left out, it is not. */
  readonly namespace?: string;
  /** The workload that was kept, as text. */
  readonly keptWorkload?: string | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  /** A state of another make, for those who want to watch it. */
  readonly makeState?: (options: DeviceStateOptions) => DeviceState;
  /** Told of every audit besides the metrics. */
  readonly onAudit?: AuditReported;
}

export interface ClusterCore {
  readonly state: DeviceState;
  readonly scheduler: Scheduler;
  readonly sealer: Sealer;
  readonly fragmentation: FragmentationPolicy;
  /** Begins to follow the cluster; settles when all of it is known, or the core was stopped before. */
  start(): Feeds['synced'];
  /** Ends what it does on its own timers; it goes on following and answering. */
  rest(): Promise<void>;
  /** Ends everything. */
  stop(): Promise<void>;
}

const drainSweepMs = 1000;

export function makeClusterCore(options: ClusterCoreOptions): ClusterCore {
  const { config, client, clock, random, election, log, metrics, onAudit, namespace, keptWorkload } = options;
  const { nodeLabelSelector } = config;
  const vendors = makeVendors(config);
  const policies = policiesFrom(config, vendors);
  const sealer = new Sealer(options.key, vendors);
  const isLeader = () => election.role === 'leader';
  const binding = makeBindingSide({
    client,
    clock,
    sealer,
    vendors,
    isCharged: (podUid, node) => {
      const entry = state.entry(podUid);
      // What is only assumed is our own plan of a pod, not the allocation with which somebody may have bound it.
      return entry?.node === node && entry.state !== 'assumed';
    },
    isLeader,
    strayOn: (node) => state.strayOn(node),
    ownerlessExpiryMs: config.nodeLockExpirySeconds * 1000,
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
  const opened = (node: string) => {
    binding.nodes.wake(node);
    wakeUp.released(node);
  };
  const { policy: fragmentation, onRequested } = makeFragmentation({
    config,
    vendors,
    cardRules: policies.cardRules,
    state: () => state,
    kept: keptWorkload,
    log,
  });
  const keeper =
    namespace === undefined || !keepsWorkload(config)
      ? undefined
      : new WorkloadKeeper(
          { client, namespace, clock, isLeader, workload: () => workloadText(fragmentation), log },
          keptWorkload,
        );
  const stateOptions: DeviceStateOptions = {
    vendors,
    trustOf: (pod) => (sealer.isSealed(pod) ? 'as-written' : 'at-least-request'),
    onReleased: ({ node }) => {
      opened(node);
    },
    onEased: ({ node }) => {
      wakeUp.released(node);
    },
    onStray: (change) => {
      strays.tell(change);
      if (state.strayOn(change.stray.node) === undefined) opened(change.stray.node);
    },
    onRequested,
  };
  const state = options.makeState?.(stateOptions) ?? new DeviceState(stateOptions);
  const events = new EventRecorder({
    client,
    clock,
    component: config.schedulerNames[0] ?? 'tessera-scheduler',
    uniqueName: options.uniqueName,
    onFailure: (message) => {
      log.warn({ reason: message }, 'event not written');
    },
  });
  const entriesOf = (node: string) => state.entriesOf(node);
  const strays = new StrayReports({ metrics, log, events, locks: binding.locks, entriesOf, isLeader });
  const scheduler = makeScheduler({
    state,
    writer: binding.writer,
    term: () => election.term,
    events,
    onRefused: () => {
      wakeUp.refused();
    },
    clock,
    policies,
    scoring: () => fragmentation.scoring,
    filterDeadlineMs: config.filterDeadlineMs,
    prioritizeDeadlineMs: config.prioritizeDeadlineMs,
    bindBudgetMs: bindBudgetMs(config),
    filterAnswer: config.filterAnswer,
    preemptVerb: config.preemptVerb,
  });
  const countAudit = auditReports(metrics, () => clock.nowMs());
  const auditor = new LedgerAuditor({
    client,
    state,
    sealer,
    isLeader,
    everyMs: config.auditSeconds * 1000,
    nodeLabelSelector,
    clock,
    random,
    log,
    onReport: (report) => {
      countAudit(report);
      onAudit?.(report);
    },
  });
  const reports = problemReports({ metrics, log, events });
  const follow = () =>
    startFeeds({
      client,
      state,
      nodeLabelSelector,
      clock,
      random,
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
  let feeds: Feeds | undefined;
  let cancelSweep = (): void => undefined;
  let cancelRefresh = (): void => undefined;
  const sweepLater = () => {
    cancelSweep = clock.after(drainSweepMs, () => {
      state.expireDraining(clock.nowMs());
      sweepLater();
    });
  };
  return {
    state,
    scheduler,
    sealer,
    fragmentation,
    start: () => {
      feeds = follow();
      auditor.start();
      binding.sweep.start();
      sweepLater();
      cancelRefresh = keepFresh(fragmentation, { clock, ...config.fragmentation });
      keeper?.start();
      return feeds.synced.then((result) => {
        // Whoever asked before then saw a part of the cluster.
        fragmentation.refresh();
        return result;
      });
    },
    rest: async () => {
      // Begun at once, while this process may still lead.
      const kept = keeper?.stop();
      cancelRefresh();
      cancelSweep();
      binding.sweep.stop();
      await auditor.stop();
      await kept;
    },
    stop: async () => {
      await feeds?.stop();
      await events.flush();
    },
  };
}
