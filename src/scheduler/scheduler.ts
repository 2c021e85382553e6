/** The scheduler's use cases, wired to one state: what `http/` serves and everything else calls. */
import type { FilterAnswerForm } from '../config/config.ts';
import type { Clock } from '../model/clock.ts';
import { type NamespacedName, podName } from '../model/cluster-objects.ts';
import { type BindingArgs, type ExtenderArgs, maxExtenderPriority } from '../wire/extender.ts';
import type { PreemptionArgs } from '../wire/preemption.ts';
import { Assumptions } from './assumptions.ts';
import { type BindAnswer, Binder } from './bind.ts';
import type { ClusterWriter } from './cluster-writer.ts';
import { explain, type Explanation } from './explain.ts';
import { filter, type FilterAnswer } from './filter.ts';
import { NodeGates } from './gate.ts';
import { type PodEvents, refusedEvent } from './pod-events.ts';
import { preempt, type PreemptAnswer } from './preempt.ts';
import { prioritize, type PrioritizeAnswer } from './prioritize.ts';
import { Requests } from './requests.ts';
import type { RuleSources } from './rules.ts';
import { Verdicts } from '../placement/verdicts.ts';

export interface SchedulerOptions extends RuleSources {
  readonly writer: ClusterWriter;
  readonly events: PodEvents;
  /** Told of every pod that fits no node. */
  readonly onRefused?: () => void;
  readonly clock: Clock;
  /** Names our leadership, undefined while we do not lead: then nothing is bound. */
  readonly term: () => string | undefined;
  readonly filterDeadlineMs: number;
  readonly prioritizeDeadlineMs: number;
  readonly bindBudgetMs: number;
  /** `best`: filter answers the best node alone, for configurations that do not call prioritize. Default: all. */
  readonly filterAnswer?: FilterAnswerForm;
  /** Whether kube-scheduler asks about evictions: filter then says which refusals they could mend. Default: no. */
  readonly preemptVerb?: boolean;
}

export interface Scheduler {
  filter(args: ExtenderArgs): FilterAnswer;
  prioritize(args: ExtenderArgs): PrioritizeAnswer;
  preempt(args: PreemptionArgs): PreemptAnswer;
  bind(args: BindingArgs, signal: AbortSignal): Promise<BindAnswer>;
  explain(pod: NamespacedName): Explanation | undefined;
  /** A pod is gone: what was remembered of it outside the ledger goes, too. */
  forget(podUid: string): void;
}

/** Of a bind's time that filter lets a queue take: it grows until the bind comes, and turns differ. */
const mostOfBudget = 0.7;

export function makeScheduler(options: SchedulerOptions): Scheduler {
  const { state, clock, events, bindBudgetMs } = options;
  const requests = new Requests(state.vendors);
  const assumptions = new Assumptions(clock);
  const gates = new NodeGates(clock);
  const binder = new Binder({ ...options, requests, assumptions, gates });
  const expectedWaitMs = (node: string) => gates.expectedWaitMs(node);
  const mostWaitMs = bindBudgetMs * mostOfBudget;
  const filterDeps = {
    ...options,
    requests,
    assumptions,
    verdicts: new Verdicts(),
    expectedWaitMs,
    mostWaitMs,
  };
  const rank = (args: ExtenderArgs) => prioritize(args, filterDeps);
  /** Where nobody calls prioritize, its winner is the one node to answer (Q19). */
  const onlyBest = (args: ExtenderArgs, answer: FilterAnswer): FilterAnswer => {
    const { candidates } = args;
    if (options.filterAnswer !== 'best' || candidates.form !== 'names' || answer.kind !== 'answered')
      return answer;
    if (answer.feasible.length < 2) return answer;
    const { priorities } = rank({ ...args, candidates: { ...candidates, names: answer.feasible } });
    const best = priorities.find(({ Score }) => Score === maxExtenderPriority);
    return best === undefined ? answer : { ...answer, feasible: [best.Host] };
  };
  return {
    filter: (args) => {
      state.expireDraining(clock.nowMs());
      const answer = onlyBest(args, filter(args, filterDeps));
      if (answer.kind === 'answered' && answer.feasible.length === 0 && answer.refused.size > 0) {
        options.onRefused?.();
        events.emit(refusedEvent(args.pod, answer.refused));
      }
      return answer;
    },
    prioritize: rank,
    preempt: (args) => {
      state.expireDraining(clock.nowMs());
      return preempt(args, filterDeps);
    },
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
