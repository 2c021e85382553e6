/**
 * Bind: the one place where an allocation comes about. On arrival, and in one synchronous step, the pod is planned
 * again on the chosen node and committed in the ledger; only then does the bind queue at the node's gate and write to
 * the cluster. Whatever fails takes the commitment back, except an outcome nobody knows: that stays charged until read.
 */
import type { Allocation } from '../model/allocation.ts';
import type { Clock } from '../model/clock.ts';
import { podName, type PodObject } from '../model/cluster-objects.ts';
import type { VendorKey } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { Refusal } from '../model/reason.ts';
import { asksForDevices, type PodRequest } from '../model/request.ts';
import { plan, type Plan } from '../placement/planner.ts';
import { locksFor } from '../vendors/lock-protocols.ts';
import { problemSentence } from '../vendors/vendor.ts';
import type { BindingArgs } from '../wire/extender.ts';
import type { Assumptions } from './assumptions.ts';
import { type BindingMetadata, bindingMetadata } from './binding-metadata.ts';
import { Callers } from './callers.ts';
import { closedNodes } from './closed-nodes.ts';
import type { BindOutcome, ClusterWriter } from './cluster-writer.ts';
import type { GateLimits, NodeGates } from './gate.ts';
import { refusalSentence, wireReason } from './refusal-text.ts';
import type { Requests } from './requests.ts';
import { rulesFor, type RuleSources } from './rules.ts';

export interface BindDeps extends RuleSources {
  readonly requests: Requests;
  readonly assumptions: Assumptions;
  readonly gates: NodeGates;
  readonly writer: ClusterWriter;
  readonly clock: Clock;
  /** Names our leadership; undefined while we do not lead. */
  readonly term: () => string | undefined;
  /** How long a bind may wait before its write begins. */
  readonly bindBudgetMs: number;
}

export type BindErrorCode =
  | 'NotSynced'
  | 'NotLeader'
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

interface Committed {
  readonly ok: true;
  readonly allocation: Allocation;
  /** The generation of the node's devices. */
  readonly plannedOn: number | undefined;
  /** How often others had come to the node by then. */
  readonly plannedBeside: number;
}

type Commit = Committed | BindRefusal;

interface Bindable {
  readonly pod: PodObject;
  readonly request: PodRequest;
}

interface DevicesBind extends Bindable {
  readonly node: string;
  readonly term: string;
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
  /** By node: how often a turn there began with pods that somebody else had bound. */
  readonly #othersCame = new Map<string, number>();
  #lastTimeNs = 0n;

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
    const term = this.#deps.term();
    if (term === undefined) return refused('NotLeader', notLeading);
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
      ? this.#bindDevices({ ...found, node: args.node, term }, limits)
      : this.#bindPlain(found.pod, args.node, limits);
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

  async #bindDevices(bind: DevicesBind, limits: GateLimits): Promise<BindAnswer> {
    const { gates, state, clock } = this.#deps;
    const { node, pod } = bind;
    const expectedMs = gates.expectedWaitMs(node);
    if (clock.nowMs() + expectedMs > limits.deadlineMs) {
      return refused(
        'GateBusy',
        `node ${node} has binds waiting for about ${Math.ceil(expectedMs / 1000)} s`,
      );
    }
    const first = this.#commit(bind);
    if (!first.ok) return first;
    const turn = await gates.run(node, limits, (waitedMs) =>
      this.#takeTurn(bind, first, { waitedMs, limits }),
    );
    if (turn.ok) return turn.value;
    state.cancel(pod.uid);
    return turn.refusal === 'aborted'
      ? refused('CallerGone', 'the caller closed the connection before the bind began')
      : refused('GateBusy', `the turn of node ${node} did not come in time`);
  }

  async #takeTurn(
    bind: DevicesBind,
    first: Committed,
    { waitedMs, limits }: { readonly waitedMs: number; readonly limits: GateLimits },
  ): Promise<BindAnswer> {
    const { state, writer } = this.#deps;
    const { pod, node, term } = bind;
    const entry = state.entry(pod.uid);
    if (entry?.state === 'bound' && entry.node === node) {
      return { ok: true, allocation: entry.allocation, waitedMs };
    }
    const lost = this.#whyLost(bind);
    if (lost !== undefined) {
      state.cancel(pod.uid);
      return lost;
    }
    const latest: { commit: Commit } = { commit: first };
    const metadata = (othersCame: boolean) => {
      const commit = this.#recommit(bind, first, othersCame);
      latest.commit = commit;
      return commit.ok ? this.#metadataOf(bind, commit.allocation) : undefined;
    };
    const locks = locksFor(state.vendors.filter(({ key }) => isOf(first.allocation, key)));
    const { deadlineMs, signal } = limits;
    const outcome = await writer.bind({ pod, node, deadlineMs, devices: { term, locks, metadata } }, signal);
    const refusal = this.#settle(pod, outcome);
    // Why it was given up is known better here than by the writer.
    const { commit } = latest;
    if (!commit.ok) return commit;
    return refusal ?? { ok: true, allocation: commit.allocation, waitedMs };
  }

  /** Why a pod whose bind has waited is not ours to bind any more; undefined while it is. */
  #whyLost({ pod, term }: DevicesBind): BindRefusal | undefined {
    const entry = this.#deps.state.entry(pod.uid);
    if (this.#deps.term() !== term) return refused('NotLeader', notLeading);
    if (entry === undefined) {
      return refused('PodUnknown', `pod ${podName(pod)} went away while its bind was waiting`);
    }
    return entry.state === 'assumed'
      ? undefined
      : refused('PodBound', `pod ${podName(pod)} was bound by somebody else while its bind was waiting`);
  }

  /** The ledger kept our place while we waited; only the devices themselves, or somebody else, can have taken it. */
  #recommit(bind: DevicesBind, first: Committed, othersCame: boolean): Commit {
    const { state } = this.#deps;
    const lost = this.#whyLost(bind);
    if (lost !== undefined) return lost;
    // Only a bound owner's devices are handed out, so a stray that came after the lock is in time up to here.
    const closed = closedNodes(bind.request, state)(bind.node);
    if (closed !== undefined) return refused('NoFit', refusalText(closed));
    if (othersCame) this.#othersCame.set(bind.node, this.#timesOthersCame(bind.node) + 1);
    if (this.#stands(bind, first)) return first;
    state.cancel(bind.pod.uid);
    return this.#commit(bind);
  }

  /** Whether nothing has come to the node that the plan could not know of; those in its queue are planned anew, too. */
  #stands({ node, pod }: DevicesBind, { plannedOn, plannedBeside }: Committed): boolean {
    const { state } = this.#deps;
    const record = state.node(node);
    if (record?.inventoryGeneration !== plannedOn) return false;
    if (this.#timesOthersCame(node) !== plannedBeside) return false;
    // The watch may have brought somebody whom nobody else was asked about.
    return record?.overCommitted(state.entry(pod.uid)?.load.usage.keys() ?? []) === undefined;
  }

  #timesOthersCame(node: string): number {
    return this.#othersCame.get(node) ?? 0;
  }

  /** Plans and commits in one synchronous step: nothing can come between reading what is free and taking it. */
  #commit({ pod, request, node }: DevicesBind): Commit {
    const { state } = this.#deps;
    const view = state.view(node);
    if (view === undefined) return refused('NoFit', `node ${node} is not known`);
    const verdict = this.#planBesideExpected(view, request);
    if (!verdict.ok) {
      return refused('NoFit', refusalText(verdict.refusal));
    }
    state.assume({ pod, request, node, allocation: verdict.allocation });
    return {
      ok: true,
      allocation: verdict.allocation,
      plannedOn: state.node(node)?.inventoryGeneration,
      plannedBeside: this.#timesOthersCame(node),
    };
  }

  /** Leaves room for the pods expected on the node if it can, and ignores them if it cannot. */
  #planBesideExpected(view: NodeView, request: PodRequest): Plan {
    const rules = rulesFor(request, this.#deps);
    const expected = this.#deps.assumptions.expected(view, request.podUid);
    const best = plan(expected, request, rules);
    return best.ok || expected === view ? best : plan(view, request, rules);
  }

  async #bindPlain(pod: PodObject, node: string, { deadlineMs, signal }: GateLimits): Promise<BindAnswer> {
    const outcome = await this.#deps.writer.bind({ pod, node, deadlineMs }, signal);
    return this.#settle(pod, outcome) ?? { ok: true, allocation: [], waitedMs: 0 };
  }

  #metadataOf({ pod, node }: DevicesBind, allocation: Allocation): BindingMetadata {
    const { state, clock } = this.#deps;
    return bindingMetadata({
      pod,
      allocation,
      node,
      nowMs: clock.nowMs(),
      vendors: state.vendors,
      layoutOf: (vendor) => state.node(node)?.inventory(vendor)?.entries ?? 'all',
      deviceOf: (vendor, id) => state.node(node)?.device(vendor, id),
      timeNs: this.#nextTimeNs(),
    });
  }

  /** Plugins without a lock take pods by these times, so each is later than the one before. */
  #nextTimeNs(): bigint {
    const nowNs = BigInt(Math.floor(this.#deps.clock.nowMs() * 1e6));
    this.#lastTimeNs = nowNs > this.#lastTimeNs ? nowNs : this.#lastTimeNs + 1n;
    return this.#lastTimeNs;
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

const notLeading = 'another replica leads and binds; kube-scheduler asks it after connecting anew';

function isOf(allocation: Allocation, vendor: VendorKey): boolean {
  return allocation.some((shares) => shares.some((share) => share.vendor === vendor));
}

function refusalText(refusal: Refusal): string {
  return `${wireReason(refusal, false)}: ${refusalSentence(refusal)}`;
}

function refused(code: BindErrorCode, message: string): BindRefusal {
  return { ok: false, code, message };
}
