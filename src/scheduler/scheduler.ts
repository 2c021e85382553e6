/** The scheduler's use cases, wired to one state: what `http/` serves and everything else calls. */
import type { Clock } from '../model/clock.ts';
import { type NamespacedName, podName } from '../model/cluster-objects.ts';
import type { PolicyDefaults } from '../placement/planner.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { BindingArgs, ExtenderArgs } from '../wire/extender.ts';
import { Assumptions } from './assumptions.ts';
import { type BindAnswer, Binder } from './bind.ts';
import type { ClusterWriter } from './cluster-writer.ts';
import { explain, type Explanation } from './explain.ts';
import { filter, type FilterAnswer } from './filter.ts';
import { NodeGates } from './gate.ts';
import { type PodEvents, refusedMessage } from './pod-events.ts';
import { prioritize, type PrioritizeAnswer } from './prioritize.ts';
import { Requests } from './requests.ts';

export interface SchedulerOptions {
  readonly state: DeviceState;
  readonly writer: ClusterWriter;
  readonly events: PodEvents;
  /** Told of every pod that fits no node. */
  readonly onRefused?: () => void;
  readonly policies: PolicyDefaults;
  readonly clock: Clock;
  readonly filterDeadlineMs: number;
  readonly prioritizeDeadlineMs: number;
  readonly bindBudgetMs: number;
}

export interface Scheduler {
  filter(args: ExtenderArgs): FilterAnswer;
  prioritize(args: ExtenderArgs): PrioritizeAnswer;
  bind(args: BindingArgs, signal: AbortSignal): Promise<BindAnswer>;
  explain(pod: NamespacedName): Explanation | undefined;
  /** A pod is gone: what was remembered of it outside the ledger goes, too. */
  forget(podUid: string): void;
}

export function makeScheduler(options: SchedulerOptions): Scheduler {
  const { state, clock, events, bindBudgetMs } = options;
  const requests = new Requests(state.vendors);
  const assumptions = new Assumptions(clock);
  const gates = new NodeGates(clock);
  const binder = new Binder({ ...options, requests, assumptions, gates });
  const filterDeps = { ...options, requests, assumptions };
  const backlogOf = (node: string) => Math.min(1, gates.expectedWaitMs(node) / bindBudgetMs);
  return {
    filter: (args) => {
      state.expireDraining(clock.nowMs());
      const answer = filter(args, filterDeps);
      if (answer.kind === 'answered' && answer.feasible.length === 0 && answer.refused.size > 0) {
        options.onRefused?.();
        const message = refusedMessage(answer.refused);
        events.emit({ pod: args.pod, type: 'Warning', reason: 'FilteringFailed', message });
      }
      return answer;
    },
    prioritize: (args) => prioritize(args, { ...filterDeps, backlogOf }),
    bind: async (args, signal) => {
      const answer = await binder.bind(args, signal);
      const pod = { namespace: args.namespace, name: args.name, uid: args.uid };
      if (answer.ok) {
        const message = `Successfully binding node [${args.node}] to ${podName(args)}`;
        events.emit({ pod, type: 'Normal', reason: 'BindingSucceed', message });
      } else events.emit({ pod, type: 'Warning', reason: 'BindingFailed', message: answer.message });
      return answer;
    },
    explain: (pod) => explain(pod, options),
    forget: (podUid) => {
      requests.forget(podUid);
      assumptions.end(podUid);
    },
  };
}
