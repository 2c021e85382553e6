/**
 * A server of the simulated cluster: the parts that `commands/cluster-server.ts` wires together, wired in the same way
 * with time, chance, API and leadership handed in, and with its extender routes called in place of listened to. The key
 * of the seal outlives it, as a Secret does; everything else ends with its process.
 */
import type { Express } from 'express';
import { bindBudgetMs } from '../../src/commands/bind-budget.ts';
import { problemReports } from '../../src/commands/problem-reports.ts';
import { StrayReports } from '../../src/commands/stray-reports.ts';
import type { TesseraConfig } from '../../src/config/config.ts';
import { makeIdentifiers } from '../../src/emulator/api/identifiers.ts';
import { createApp } from '../../src/http/app.ts';
import { extenderRoutes } from '../../src/http/extender-routes.ts';
import { type BindingSide, makeBindingSide } from '../../src/kubernetes/binding-side.ts';
import { EventRecorder } from '../../src/kubernetes/event-recorder.ts';
import { startFeeds } from '../../src/kubernetes/feeds.ts';
import { type AuditReport, LedgerAuditor } from '../../src/kubernetes/ledger-auditor.ts';
import { nudgeNode } from '../../src/kubernetes/node-nudge.ts';
import type { Election } from '../../src/kubernetes/leadership.ts';
import type { RestRequest } from '../../src/kubernetes/rest-client.ts';
import { Sealer } from '../../src/kubernetes/seal.ts';
import { policiesFrom } from '../../src/placement/policy-defaults.ts';
import { makeScheduler, type Scheduler } from '../../src/scheduler/scheduler.ts';
import { WakeUp } from '../../src/scheduler/wake-up.ts';
import type { Log } from '../../src/telemetry/logger.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { makeVendors } from '../../src/vendors/vendors.ts';
import { ApiLink, type ApiLinkOptions } from './api-link.ts';
import type { CrashPoint } from './bind-steps.ts';
import { apiStepOf } from './bind-steps.ts';
import { ObservedState } from './observed-state.ts';
import type { SimulatedProcess } from './simulated-process.ts';

export interface ReplicaOptions extends Omit<ApiLinkOptions, 'onMoment'> {
  readonly config: TesseraConfig;
  readonly election: Pick<Election, 'role' | 'term' | 'leader'>;
  /** Of the seal. */
  readonly key: Buffer;
  readonly log: Log;
  /** Hears of each moment of each step of a bind; may kill or stop the process. */
  readonly onPoint: (point: CrashPoint) => void;
  readonly audits: boolean;
  readonly onAudit: (report: AuditReport) => void;
}

const drainSweepMs = 1000;

export class Replica {
  readonly process: SimulatedProcess;
  readonly link: ApiLink;
  readonly app: Express;
  readonly state: ObservedState;
  readonly sealer: Sealer;
  readonly onPoint: ReplicaOptions['onPoint'];

  constructor(options: ReplicaOptions) {
    const { config, process, election, key, log, random, onPoint } = options;
    const { steadyClock: clock } = process;
    this.process = process;
    this.onPoint = onPoint;
    this.link = new ApiLink({ ...options, onMoment: momentsOfBinds(onPoint) });
    const { client } = this.link;
    const vendors = makeVendors(config);
    const sealer = new Sealer(key, vendors);
    this.sealer = sealer;
    const metrics = makeMetrics();
    const isLeader = () => election.role === 'leader';
    const binding: BindingSide = makeBindingSide({
      client,
      clock,
      sealer,
      isCharged: (podUid, node) => {
        const entry = state.entry(podUid);
        return entry?.node === node && entry.state !== 'assumed';
      },
      isLeader,
      strayOn: (node) => state.strayOn(node),
      ownerlessExpiryMs: config.nodeLockExpirySeconds * 1000,
    });
    const wakeUp = new WakeUp({
      clock,
      nudge: async (node) => (await nudgeNode(client, clock, node)).kind === 'ok',
    });
    const state = new ObservedState(
      {
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
      },
      onPoint,
    );
    this.state = state;
    const events = new EventRecorder({
      client,
      clock,
      component: config.schedulerNames[0] ?? '',
      uniqueName: () => makeIdentifiers(random).uid(),
      onFailure: () => undefined,
    });
    const strays = new StrayReports({
      metrics,
      log,
      events,
      nodes: binding.nodes,
      entriesOf: (node) => state.entriesOf(node),
      isLeader,
    });
    const scheduler = makeScheduler({
      state,
      writer: binding.writer,
      term: () => election.term,
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
    const routes = extenderRoutes({
      scheduler: withObservedAnswers(scheduler, onPoint),
      metrics,
      log,
      bodyLimitMiB: config.bodyLimitMiB,
      hamiReasonCounters: config.hamiReasonCounters,
      role: () => election.role,
    });
    this.app = createApp([routes], log);
    const reports = problemReports({ metrics, log, events });
    startFeeds({
      client,
      state,
      nodeLabelSelector: config.nodeLabelSelector,
      clock,
      random,
      log,
      onNode: (node) => {
        binding.nodes.see(node);
        strays.seeNode(node.name);
      },
      onOfferChanged: (node) => {
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
      ...reports,
      onSignal: (feed, signal) => {
        reports.onSignal(feed, signal);
        if (signal !== 'listed') wakeUp.interrupted();
      },
    });
    new LedgerAuditor({
      client,
      state,
      sealer,
      isLeader,
      everyMs: options.audits ? config.auditSeconds * 1000 : 0,
      nodeLabelSelector: config.nodeLabelSelector,
      clock,
      random,
      log,
      onReport: options.onAudit,
    }).start();
    binding.sweep.start();
    this.#expireLater();
  }

  #expireLater(): void {
    const { steadyClock: clock } = this.process;
    clock.after(drainSweepMs, () => {
      this.state.expireDraining(clock.nowMs());
      this.#expireLater();
    });
  }
}

function momentsOfBinds(onPoint: (point: CrashPoint) => void): NonNullable<ApiLinkOptions['onMoment']> {
  return (request: RestRequest, moment) => {
    const step = apiStepOf(request);
    if (step !== undefined) onPoint(`${step}/${moment}`);
  };
}

function withObservedAnswers(scheduler: Scheduler, onPoint: (point: CrashPoint) => void): Scheduler {
  return {
    ...scheduler,
    bind: async (args, signal) => {
      const answer = await scheduler.bind(args, signal);
      onPoint('answer/before');
      return answer;
    },
  };
}
