/**
 * Bind: the one place where an allocation comes about. On arrival, and in one synchronous step, the pod is planned
 * again on the chosen node and committed in the ledger; only then does the bind queue at the node's gate and write to
 * the cluster. Whatever fails takes the commitment back, except an outcome nobody knows: that stays charged until read.
 */
import type { Allocation } from '../model/allocation.ts';
import type { Clock } from '../model/clock.ts';
import { podName, type PodObject } from '../model/cluster-objects.ts';
import type { NodeView } from '../model/node-view.ts';
import { asksForDevices, type PodRequest } from '../model/request.ts';
import { plan, type Plan, type PolicyDefaults } from '../placement/planner.ts';
import type { DeviceState } from '../state/device-state.ts';
import { problemSentence } from '../vendors/vendor.ts';
import type { BindingArgs } from '../wire/extender.ts';
import type { Assumptions } from './assumptions.ts';
import { bindingMetadata } from './binding-metadata.ts';
import { Callers } from './callers.ts';
import type { BindOutcome, ClusterWriter } from './cluster-writer.ts';
import type { GateLimits, NodeGates } from './gate.ts';
import { refusalSentence, wireReason } from './refusal-text.ts';
import type { Requests } from './requests.ts';
import { rulesFor } from './rules.ts';

export interface BindDeps {
  readonly state: DeviceState;
  readonly requests: Requests;
  readonly assumptions: Assumptions;
  readonly gates: NodeGates;
  readonly writer: ClusterWriter;
  readonly policies: PolicyDefaults;
  readonly clock: Clock;
  /** How long a bind may wait before its write begins. */
  readonly bindBudgetMs: number;
}

export type BindErrorCode =
  | 'NotSynced'
  | 'PodUnknown'
  | 'PodBound'
  | 'RequestInvalid'
  | 'NoFit'
  | 'GateBusy'
  | 'CallerGone'
  | 'WriteFailed'
  | 'OutcomeUnknown';

interface BindRefusal {
  readonly ok: false;
  readonly code: BindErrorCode;
  readonly message: string;
}

export type BindAnswer =
  | {
      readonly ok: true;
      readonly allocation: Allocation;
      /** How long the bind stood in the node's queue. */
      readonly waitedMs: number;
    }
  | BindRefusal;

type Commit = { readonly ok: true; readonly allocation: Allocation } | BindRefusal;

interface Bindable {
  readonly pod: PodObject;
  readonly request: PodRequest;
}

interface UnderWay {
  readonly node: string;
  readonly answer: Promise<BindAnswer>;
  readonly callers: Callers;
}

export class Binder {
  readonly #deps: BindDeps;
  /** Binds under way, so that a repeated call joins the first one instead of racing it. */
  readonly #underWay = new Map<string, UnderWay>();

  constructor(deps: BindDeps) {
    this.#deps = deps;
  }

  /** Never rejects. `signal` is aborted when the caller has hung up. */
  async bind(args: BindingArgs, signal: AbortSignal): Promise<BindAnswer> {
    const running = this.#underWay.get(args.uid);
    if (running !== undefined && running.node !== args.node) {
      return refused('PodBound', `pod ${podName(args)} is being bound to node ${running.node}`);
    }
    if (running !== undefined) {
      running.callers.join(signal);
      return running.answer;
    }
    const callers = new Callers();
    callers.join(signal);
    const answer = this.#start(args, callers.allGone).finally(() => this.#underWay.delete(args.uid));
    this.#underWay.set(args.uid, { node: args.node, answer, callers });
    return answer;
  }

  async #start(args: BindingArgs, signal: AbortSignal): Promise<BindAnswer> {
    const { state, clock, assumptions, bindBudgetMs } = this.#deps;
    assumptions.end(args.uid);
    if (!state.synced) return refused('NotSynced', 'the device state is not complete yet');
    const entry = state.entry(args.uid);
    if (entry !== undefined) {
      return entry.state === 'bound' && entry.node === args.node
        ? { ok: true, allocation: entry.allocation, waitedMs: 0 }
        : refused('PodBound', `pod ${podName(args)} is ${entry.state} on node ${entry.node} already`);
    }
    const found = this.#find(args);
    if (!found.ok) return found;
    const deadlineMs = clock.nowMs() + bindBudgetMs;
    const limits = { deadlineMs, signal };
    return asksForDevices(found.request)
      ? this.#bindDevices(found, args.node, limits)
      : this.#write(found.pod, { node: args.node, allocation: [], waitedMs: 0 }, limits);
  }

  #find(args: BindingArgs): ({ readonly ok: true } & Bindable) | BindRefusal {
    const known = this.#deps.state.pending(args.uid) ?? this.#deps.requests.find(args.uid);
    if (known?.pod.namespace !== args.namespace || known.pod.name !== args.name) {
      return refused('PodUnknown', `no pod ${podName(args)} with uid ${args.uid} is waiting`);
    }
    const { problems, request } = known.reading;
    if (problems.length > 0) return refused('RequestInvalid', problems.map(problemSentence).join('; '));
    return { ok: true, pod: known.pod, request };
  }

  async #bindDevices(found: Bindable, node: string, limits: GateLimits): Promise<BindAnswer> {
    const { gates, state, clock } = this.#deps;
    const expectedMs = gates.expectedWaitMs(node);
    if (clock.nowMs() + expectedMs > limits.deadlineMs) {
      return refused(
        'GateBusy',
        `node ${node} has binds waiting for about ${Math.ceil(expectedMs / 1000)} s`,
      );
    }
    const first = this.#commit(found, node);
    if (!first.ok) return first;
    const plannedOn = state.node(node)?.inventoryGeneration;
    const turn = await gates.run(node, limits, async (waitedMs): Promise<BindAnswer> => {
      const entry = state.entry(found.pod.uid);
      if (entry === undefined) {
        return refused('PodUnknown', `pod ${podName(found.pod)} went away while its bind was waiting`);
      }
      if (entry.state === 'bound' && entry.node === node) {
        return { ok: true, allocation: entry.allocation, waitedMs };
      }
      if (entry.state !== 'assumed') {
        return refused(
          'PodBound',
          `pod ${podName(found.pod)} was bound by somebody else while its bind was waiting`,
        );
      }
      // The ledger kept our place while we waited; only the devices themselves can have changed under us.
      const now =
        state.node(node)?.inventoryGeneration === plannedOn ? first : this.#commitAgain(found, node);
      return now.ok ? this.#write(found.pod, { node, allocation: now.allocation, waitedMs }, limits) : now;
    });
    if (turn.ok) return turn.value;
    state.cancel(found.pod.uid);
    return turn.refusal === 'aborted'
      ? refused('CallerGone', 'the caller closed the connection before the bind began')
      : refused('GateBusy', `the turn of node ${node} did not come in time`);
  }

  /** Plans and commits in one synchronous step: nothing can come between reading what is free and taking it. */
  #commit({ pod, request }: Bindable, node: string): Commit {
    const { state } = this.#deps;
    const view = state.view(node);
    if (view === undefined) return refused('NoFit', `node ${node} is not known`);
    const verdict = this.#planBesideExpected(view, request);
    if (!verdict.ok) {
      const { refusal } = verdict;
      return refused('NoFit', `${wireReason(refusal, false)}: ${refusalSentence(refusal)}`);
    }
    state.assume({ pod, request, node, allocation: verdict.allocation });
    return { ok: true, allocation: verdict.allocation };
  }

  #commitAgain(found: Bindable, node: string): Commit {
    this.#deps.state.cancel(found.pod.uid);
    return this.#commit(found, node);
  }

  /** Leaves room for the pods expected on the node if it can, and ignores them if it cannot. */
  #planBesideExpected(view: NodeView, request: PodRequest): Plan {
    const rules = rulesFor(request, this.#deps);
    const expected = this.#deps.assumptions.expected(view, request.podUid);
    const best = plan(expected, request, rules);
    return best.ok || expected === view ? best : plan(view, request, rules);
  }

  async #write(
    pod: PodObject,
    { node, allocation, waitedMs }: { node: string; allocation: Allocation; waitedMs: number },
    { deadlineMs, signal }: GateLimits,
  ): Promise<BindAnswer> {
    const { writer, clock, state } = this.#deps;
    const metadata = bindingMetadata({
      pod,
      allocation,
      node,
      nowMs: clock.nowMs(),
      vendors: state.vendors,
      layoutOf: (vendor) => state.node(node)?.inventory(vendor)?.entries ?? 'all',
    });
    const command = { pod, node, deadlineMs, ...(allocation.length > 0 ? { metadata } : {}) };
    const refusal = this.#settle(pod, await writer.bind(command, signal));
    return refusal ?? { ok: true, allocation, waitedMs };
  }

  /** Brings the ledger in line with what happened; answers the refusal, if it is one. */
  #settle(pod: PodObject, outcome: BindOutcome): BindRefusal | undefined {
    const { state } = this.#deps;
    switch (outcome.kind) {
      case 'bound':
        state.confirm(pod.uid);
        return undefined;
      case 'rejected':
        state.cancel(pod.uid);
        return refused('WriteFailed', outcome.message);
      case 'unknown':
        // The writer promises that this settles and never rejects.
        void outcome.settled.then((result) => {
          if (result === 'bound') state.confirm(pod.uid);
          else state.cancel(pod.uid);
        });
        return refused('OutcomeUnknown', outcome.message);
    }
  }
}

function refused(code: BindErrorCode, message: string): BindRefusal {
  return { ok: false, code, message };
}
