/**
 * The whole application over a small cluster in memory, as `tessera serve --snapshot` wires it, with the parts that
 * tests look into or replace: the writer, the clock, the log lines, the metrics.
 */
import type { Express } from 'express';
import { admissionRoute } from '../../src/http/admission-route.ts';
import { createApp } from '../../src/http/app.ts';
import { explainRoutes } from '../../src/http/explain-routes.ts';
import { extenderRoutes } from '../../src/http/extender-routes.ts';
import type { Replica } from '../../src/http/follower.ts';
import { metricsRoute, probeRoutes } from '../../src/http/probe-routes.ts';
import type { ClusterWriter } from '../../src/scheduler/cluster-writer.ts';
import { MemoryWriter } from '../../src/scheduler/memory-writer.ts';
import { makeScheduler, type Scheduler } from '../../src/scheduler/scheduler.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import type { Log } from '../../src/telemetry/logger.ts';
import { makeMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { makeNvidia } from '../../src/vendors/nvidia/nvidia.ts';
import { nodeFrom, podFrom } from '../../src/wire/kubernetes.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { NodeJson, PodJson } from '../support/kubernetes-objects.ts';
import { makeNvidiaConfig } from '../vendors/nvidia-config.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ServedAppFields {
  readonly nodes?: readonly NodeJson[];
  readonly pods?: readonly PodJson[];
  readonly synced?: boolean;
  readonly bodyLimitMiB?: number;
  readonly hamiReasonCounters?: boolean;
  /** Instead of one that binds in memory at once. */
  readonly writer?: ClusterWriter;
  /** What stands between the routes and the scheduler. */
  readonly wrapScheduler?: (scheduler: Scheduler) => Scheduler;
  readonly notReadyBecause?: () => string | undefined;
  /** Among others; it is alone where left out. */
  readonly replica?: Replica;
}

export interface ServedApp {
  readonly app: Express;
  readonly state: DeviceState;
  readonly metrics: Metrics;
  readonly lines: readonly LogLine[];
}

export function makeServedApp(fields: ServedAppFields = {}): ServedApp {
  const { nodes = [], pods = [], synced = true, bodyLimitMiB = 1, hamiReasonCounters = false } = fields;
  const clock = new ManualClock();
  const { log, lines } = makeRecordingLog();
  const metrics = makeMetrics({ processMetrics: false });
  const vendors = [makeNvidia(makeNvidiaConfig())];
  const state = new DeviceState({ vendors, trustOf: () => 'as-written' });
  for (const node of nodes) state.applyNode(nodeFrom(node));
  for (const pod of pods) state.applyPod(podFrom(pod), clock.nowMs());
  if (synced) state.markSynced();
  const policies = { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('spread') } as const;
  const { wrapScheduler = (inner) => inner } = fields;
  const scheduler = wrapScheduler(
    makeScheduler({
      state,
      writer: fields.writer ?? new MemoryWriter((pod) => state.applyPod(pod, clock.nowMs())),
      term: () => 'here/0/1',
      events: { emit: () => undefined },
      policies,
      clock,
      filterDeadlineMs: 1000,
      prioritizeDeadlineMs: 1000,
      bindBudgetMs: 25_000,
    }),
  );
  const admission = {
    state,
    policies,
    schedulerNames: ['tessera-scheduler'],
    forceOverwriteDefaultScheduler: true,
  };
  const app = createApp(
    [
      probeRoutes({ notReadyBecause: fields.notReadyBecause ?? (() => undefined) }, fields.replica?.role),
      extenderRoutes({ scheduler, metrics, log, bodyLimitMiB, hamiReasonCounters, ...fields.replica }),
      admissionRoute({ admission, metrics, log, bodyLimitMiB }),
      explainRoutes({ scheduler, state }),
      metricsRoute(metrics),
    ],
    log,
  );
  return { app, state, metrics, lines };
}

export interface RecordingLog {
  readonly log: Log;
  readonly lines: readonly LogLine[];
  /** Resolves once a line with this message has been written. */
  heard(message: string): Promise<void>;
}

/** A log that only remembers. */
export function makeRecordingLog(): RecordingLog {
  const lines: LogLine[] = [];
  const waiting: { readonly message: string; readonly resolve: () => void }[] = [];
  const write = (level: string) => (fields: LogLine['fields'], message: string) => {
    lines.push({ level, message, fields });
    for (const waiter of waiting) if (waiter.message === message) waiter.resolve();
  };
  const log: Log = {
    fatal: write('fatal'),
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    trace: write('trace'),
    isLevelEnabled: () => true,
    child: () => log,
  };
  const heard = (message: string) =>
    new Promise<void>((resolve) => {
      if (lines.some((line) => line.message === message)) resolve();
      else waiting.push({ message, resolve });
    });
  return { log, lines, heard };
}

/** The value of a series on the metrics page, e.g. `tessera_binds_total{result="bound"}`; undefined where absent. */
export async function metricValue(metrics: Metrics, series: string): Promise<number | undefined> {
  const line = (await metrics.render()).split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
