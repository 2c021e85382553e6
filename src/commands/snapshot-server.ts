/**
 * The whole server over a cluster that exists only in a file: the same state, planner and routes as in a cluster, with
 * binds committed to memory. For bug reports, conformance and play.
 */
import type { TesseraConfig } from '../config/config.ts';
import { hasLabels } from '../config/node-label-selector.ts';
import { type Endpoints, openAllInOne } from '../http/endpoints.ts';
import { systemClock } from '../http/system-clock.ts';
import { type Parsed, parsed } from '../model/result.ts';
import { policiesFrom } from '../placement/policy-defaults.ts';
import { MemoryWriter } from '../scheduler/memory-writer.ts';
import { makeScheduler } from '../scheduler/scheduler.ts';
import { DeviceState } from '../state/device-state.ts';
import type { Log } from '../telemetry/logger.ts';
import { makeMetrics, type Metrics } from '../telemetry/metrics.ts';
import { makeVendors } from '../vendors/vendors.ts';
import { bindBudgetMs } from './bind-budget.ts';
import { mirrorFragmentation } from './fragmentation-metrics.ts';
import { keepFresh, makeFragmentation } from './fragmentation-wiring.ts';
import { serveHamiMetrics } from './hami-metrics.ts';
import { problemReports } from './problem-reports.ts';
import type { Snapshot } from './snapshot-file.ts';
import { mirrorState } from './state-metrics.ts';

export interface SnapshotServerOptions {
  readonly config: TesseraConfig;
  readonly snapshot: Snapshot;
  readonly insecureHttp: boolean;
  readonly log: Log;
}

/** Serves until closed; refuses when the address or the certificate cannot be had. */
export async function serveSnapshot(options: SnapshotServerOptions): Promise<Parsed<Endpoints>> {
  const { config, snapshot, insecureHttp, log } = options;
  const clock = systemClock;
  const metrics = makeMetrics();
  // A file has no key to check seals with; its well-formed allocations are taken as written.
  const vendors = makeVendors(config);
  const policies = policiesFrom(config, vendors);
  const { policy: fragmentation, onRequested } = makeFragmentation({
    config,
    vendors,
    cardRules: policies.cardRules,
    state: () => state,
    log,
  });
  const state = new DeviceState({ vendors, trustOf: () => 'as-written', onRequested });
  const writer = new MemoryWriter((pod) => state.applyPod(pod, clock.nowMs()));
  const { filterDeadlineMs, prioritizeDeadlineMs } = config;
  const scheduler = makeScheduler({
    state,
    writer,
    // Nobody reads events of a file.
    events: { emit: () => undefined },
    clock,
    term: () => 'snapshot',
    policies,
    scoring: () => fragmentation.scoring,
    filterDeadlineMs,
    prioritizeDeadlineMs,
    bindBudgetMs: bindBudgetMs(config),
    filterAnswer: config.filterAnswer,
    preemptVerb: config.preemptVerb,
  });
  mirrorState(state, metrics);
  mirrorFragmentation(fragmentation, metrics);
  serveHamiMetrics(state, metrics, config.hamiMetrics);
  const managed = snapshot.nodes.filter(({ labels }) => hasLabels(labels, config.nodeLabelSelector));
  load({ ...snapshot, nodes: managed }, { state, metrics, log, nowMs: clock.nowMs() });

  let closing = false;
  const readiness = { notReadyBecause: () => (closing ? 'shutting down' : undefined) };
  const endpoints = await openAllInOne(
    { config, state, scheduler, scoring: () => fragmentation.scoring, readiness, metrics, log, clock },
    insecureHttp,
  );
  if (!endpoints.ok) return endpoints;
  const cancelRefresh = keepFresh(fragmentation, { clock, ...config.fragmentation });
  return parsed({
    urls: endpoints.value.urls,
    close: () => {
      closing = true;
      cancelRefresh();
      return endpoints.value.close();
    },
  });
}

function load(
  { nodes, pods, quotas, others }: Snapshot,
  { state, metrics, log, nowMs }: { state: DeviceState; metrics: Metrics; log: Log; nowMs: number },
): void {
  // Nobody reads events of a file.
  const reports = problemReports({ metrics, log, events: { report: () => undefined } });
  for (const node of nodes) {
    for (const problem of state.applyNode(node)) reports.onRegisterProblem(node, problem);
  }
  for (const pod of pods) {
    for (const problem of state.applyPod(pod, nowMs)) reports.onAllocationProblem(pod, problem);
  }
  for (const quota of quotas) {
    for (const problem of state.applyQuota(quota)) reports.onQuotaProblem(quota, problem);
  }
  state.markSynced();
  log.info({ nodes: nodes.length, pods: pods.length, quotas: quotas.length, others }, 'snapshot loaded');
}
