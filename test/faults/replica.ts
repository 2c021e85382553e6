/**
 * A server of the simulated cluster: the core that `serve` runs, with time, chance, API and leadership handed in, and with
 * its extender routes called in place of listened to. The key of the seal outlives it, as a Secret does; everything else
 * ends with its process.
 */
import type { Express } from 'express';
import { makeClusterCore } from '../../src/commands/cluster-core.ts';
import type { TesseraConfig } from '../../src/config/config.ts';
import { makeIdentifiers } from '../../src/emulator/api/identifiers.ts';
import { createApp } from '../../src/http/app.ts';
import { extenderRoutes } from '../../src/http/extender-routes.ts';
import type { AuditReport } from '../../src/kubernetes/ledger-auditor.ts';
import type { Election } from '../../src/kubernetes/leadership.ts';
import type { RestRequest } from '../../src/kubernetes/rest-client.ts';
import type { Scheduler } from '../../src/scheduler/scheduler.ts';
import type { Sealer } from '../../src/kubernetes/seal.ts';
import type { DeviceState } from '../../src/state/device-state.ts';
import type { Log } from '../../src/telemetry/logger.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
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

export class Replica {
  readonly process: SimulatedProcess;
  readonly link: ApiLink;
  readonly app: Express;
  readonly state: DeviceState;
  readonly sealer: Sealer;
  readonly onPoint: ReplicaOptions['onPoint'];

  constructor(options: ReplicaOptions) {
    const { config, process, election, key, log, random, onPoint } = options;
    const { steadyClock: clock } = process;
    this.process = process;
    this.onPoint = onPoint;
    this.link = new ApiLink({ ...options, onMoment: momentsOfBinds(onPoint) });
    const { client } = this.link;
    const metrics = makeMetrics();
    const core = makeClusterCore({
      config: options.audits ? config : { ...config, auditSeconds: 0 },
      client,
      clock,
      random,
      uniqueName: () => makeIdentifiers(random).uid(),
      key,
      election,
      log,
      metrics,
      makeState: (stateOptions) => new ObservedState(stateOptions, onPoint),
      onAudit: options.onAudit,
    });
    this.state = core.state;
    this.sealer = core.sealer;
    const routes = extenderRoutes({
      scheduler: withObservedAnswers(core.scheduler, onPoint),
      metrics,
      log,
      bodyLimitMiB: config.bodyLimitMiB,
      hamiReasonCounters: config.hamiReasonCounters,
      role: () => election.role,
    });
    this.app = createApp([routes], log);
    // Resolves with the world's own waiting for it.
    void core.start();
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
