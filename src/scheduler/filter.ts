/**
 * Filter: which of the named nodes could take the pod now. It returns every one of them and changes nothing but the
 * soft assumption (a single feasible node is where the pod will go, since prioritize is then not called).
 */
import type { Clock } from '../model/clock.ts';
import type { NodeView } from '../model/node-view.ts';
import type { Refusal } from '../model/reason.ts';
import { asksForDevices, type PodRequest } from '../model/request.ts';
import { plan, type PlanRules } from '../placement/planner.ts';
import { problemSentence } from '../vendors/vendor.ts';
import type { ExtenderArgs } from '../wire/extender.ts';
import type { Assumptions } from './assumptions.ts';
import { candidateNames, eachCandidate } from './candidate-views.ts';
import { closedNodes } from './closed-nodes.ts';
import { canEvictionsMend, mayGiveWay } from './mendable.ts';
import { RefusedNodes } from './refused-nodes.ts';
import type { KnownPod, Requests } from './requests.ts';
import { rulesFor, type RuleSources } from './rules.ts';
import type { Verdict, Verdicts, VerdictTable } from '../placement/verdicts.ts';

export interface FilterDeps extends RuleSources {
  readonly requests: Requests;
  readonly assumptions: Assumptions;
  readonly verdicts: Verdicts;
  readonly clock: Clock;
  /** Milliseconds after which the answer is an error rather than a late list. */
  readonly filterDeadlineMs: number;
  /** How long a bind to the node would wait for its turn. */
  readonly expectedWaitMs: (node: string) => number;
  /** A node where it would be longer is left out. */
  readonly mostWaitMs: number;
  /** Whether kube-scheduler asks us about evictions; else none can help a pod that we refuse. */
  readonly preemptVerb?: boolean;
}

export type FilterAnswer =
  | {
      readonly kind: 'answered';
      readonly feasible: readonly string[];
      readonly refused: RefusedNodes;
      /** The refused nodes on which evictions could make room; nobody asks while there is a feasible one. */
      readonly resolvable: ReadonlySet<string>;
    }
  /** Nothing can be said now; kube-scheduler tries again. */
  | { readonly kind: 'error'; readonly code: FilterErrorCode; readonly message: string };

export type FilterErrorCode = 'NotSynced' | 'DeadlineExceeded' | 'OutsideSample' | 'NodesBusy';

/** Below this many names kube-scheduler has not sampled: it looks for at least 100 feasible nodes. */
const smallestSample = 100;
const mostRetries = 3;
const nodesPerDeadlineCheck = 64;

export function filter(args: ExtenderArgs, deps: FilterDeps): FilterAnswer {
  const { state, requests, assumptions, clock } = deps;
  if (!state.synced)
    return { kind: 'error', code: 'NotSynced', message: 'the device state is not complete yet' };

  const known = requests.read(args.pod);
  const { request, problems } = known.reading;
  assumptions.end(request.podUid);
  if (problems.length > 0) return refuseAll(args, problems.map(problemSentence));
  if (!asksForDevices(request)) {
    const feasible = candidateNames(args.candidates);
    return { kind: 'answered', feasible, refused: new RefusedNodes(), resolvable: none };
  }

  const deadlineMs = clock.nowMs() + deps.filterDeadlineMs;
  const rules = rulesFor(request, deps);
  const verdicts = deps.verdicts.of(
    request,
    known.shape,
    canIgnoreScoring(request, rules) ? unscored(rules) : rules,
  );
  const closed = closedNodes(request, state);
  const feasible: string[] = [];
  const refused = new RefusedNodes();
  let lastFit: NodeView | undefined;
  let seen = 0;
  let busy = 0;
  const inTime = eachCandidate(args.candidates, { state, inOrder: true }, (name, view) => {
    seen += 1;
    if (seen % nodesPerDeadlineCheck === 0 && clock.nowMs() > deadlineMs) return false;
    const verdict = view === undefined ? unknownNode : verdicts.judge(view);
    const refusal = verdict.ok ? closed(name) : verdict.refusal;
    const waitMs = refusal === undefined ? deps.expectedWaitMs(name) : 0;
    if (refusal !== undefined) refused.add(name, refusal);
    else if (waitMs > deps.mostWaitMs) {
      refused.add(name, { code: 'NodeBusy', expectedWaitMs: waitMs });
      busy += 1;
    } else {
      feasible.push(name);
      lastFit = view;
    }
    return true;
  });
  if (!inTime) return tooLate(deps, seen);
  // Nothing in the cluster will change when its turn comes, so the pod must come back by itself.
  if (feasible.length === 0 && busy > 0) {
    const message = `it fits ${busy} of the nodes, but too many binds wait there for their turn; retrying`;
    return { kind: 'error', code: 'NodesBusy', message };
  }
  if (feasible.length === 1 && lastFit !== undefined) {
    // The pod will go there, since prioritize is not called for one node.
    const planned = plan(lastFit, request, rules);
    if (planned.ok) assumptions.expect(request, lastFit.name, planned.allocation);
  }
  if (feasible.length === 0 && mustRetry(args, known, { deps, verdicts, closed, deadlineMs })) {
    return { kind: 'error', code: 'OutsideSample', message: 'fits outside the sample, retrying' };
  }
  const resolvable = feasible.length === 0 ? resolvableOf(refused, request, deps) : none;
  return { kind: 'answered', feasible, refused, resolvable };
}

/**
 * Whether a pod fits is the same whichever cards are rated highest where it makes one request alone and no quota counts
 * what it gets; filter then leaves the rating, which costs several times as much, to prioritize.
 */
function canIgnoreScoring({ containers }: PodRequest, { quota }: PlanRules): boolean {
  return containers.reduce((sum, { devices }) => sum + devices.length, 0) === 1 && (quota?.size ?? 0) === 0;
}

function unscored(rules: PlanRules): PlanRules {
  const { scoring, ...rest } = rules;
  return scoring === undefined ? rules : rest;
}

const none: ReadonlySet<string> = new Set();
const unknownNode: Verdict = {
  ok: false,
  refusal: { code: 'NodeUnregistered', detail: 'the cache knows no such node' },
};

/** Reads the ledger's entries of those nodes alone that lack nothing but room. */
function resolvableOf(
  refused: RefusedNodes,
  request: PodRequest,
  { state, preemptVerb = false }: FilterDeps,
): ReadonlySet<string> {
  if (!preemptVerb) return none;
  const resolvable = new Set<string>();
  for (const [node, refusal] of refused) {
    // What drains counts, too: a pod that waits for its end must not be told to look elsewhere.
    const canLeave = (whose: 'anyone' | 'own-namespace') =>
      state
        .entriesOf(node)
        .some(
          (entry) =>
            (whose === 'anyone' || entry.namespace === request.namespace) && mayGiveWay(entry, request),
        );
    if (canEvictionsMend(refusal, canLeave)) resolvable.add(node);
  }
  return resolvable;
}

function refuseAll(args: ExtenderArgs, problems: readonly string[]): FilterAnswer {
  const refusal: Refusal = { code: 'RequestInvalid', problems };
  const refused = new RefusedNodes();
  for (const name of candidateNames(args.candidates)) refused.add(name, refusal);
  return { kind: 'answered', feasible: [], refused, resolvable: none };
}

function tooLate({ filterDeadlineMs }: FilterDeps, seen: number): FilterAnswer {
  return {
    kind: 'error',
    code: 'DeadlineExceeded',
    message: `no answer within ${filterDeadlineMs} ms (${seen} nodes looked at)`,
  };
}

interface Elsewhere {
  readonly deps: FilterDeps;
  readonly verdicts: VerdictTable;
  readonly closed: (node: string) => Refusal | undefined;
  readonly deadlineMs: number;
}

/** kube-scheduler names a sample of a large cluster; a pod that fits only elsewhere should get another sample. */
function mustRetry({ candidates }: ExtenderArgs, known: KnownPod, elsewhere: Elsewhere): boolean {
  if (candidates.form !== 'names' || candidates.names.length < smallestSample) return false;
  if (known.retries >= mostRetries) return false;
  if (!fitsSomewhere(elsewhere)) return false;
  known.retries += 1;
  return true;
}

/**
 * Looks at all nodes for as long as there is time; those that were named are known to refuse. A pod that fitted nowhere
 * a moment ago fits at most where something has changed since.
 */
function fitsSomewhere({ deps, verdicts, closed, deadlineMs }: Elsewhere): boolean {
  const { state, clock } = deps;
  const position = state.changePosition;
  const changed = verdicts.nowhereAt === undefined ? undefined : state.changedSince(verdicts.nowhereAt);
  let seen = 0;
  let opensLater = false;
  for (const name of changed ?? state.nodeNames()) {
    seen += 1;
    if (seen % nodesPerDeadlineCheck === 0 && clock.nowMs() > deadlineMs) return false;
    const view = state.view(name);
    if (view === undefined || !verdicts.judge(view).ok) continue;
    if (closed(name) === undefined) return true;
    opensLater = true;
  }
  if (!opensLater) verdicts.nowhereAt = position;
  return false;
}
