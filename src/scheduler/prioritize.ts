/**
 * Prioritize: how much each node suits the policy, as integers 0..10. kube-scheduler adds these to its own scores and
 * breaks ties by chance, so exactly one node gets 10, and every other at most 9 by its value: a node as good as the
 * winner gets 9, which leaves a user's own preferences room to decide among equals. Where a scoring judges, values lie
 * close together, and what counts is by how much a node falls behind the best, measured by how far the worst does. A node
 * whose queue is longer than a pod should wait comes after all that are free sooner, however well it suits.
 */
import { compareText } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import { asksForDevices } from '../model/request.ts';
import { plan, scoringOf } from '../placement/planner.ts';
import { type ExtenderArgs, type HostPriorityList, maxExtenderPriority } from '../wire/extender.ts';
import { candidateNames, eachCandidate } from './candidate-views.ts';
import type { FilterDeps } from './filter.ts';
import { rulesFor } from './rules.ts';
import type { VerdictTable } from '../placement/verdicts.ts';

export interface PrioritizeDeps extends Omit<FilterDeps, 'filterDeadlineMs' | 'mostWaitMs'> {
  readonly prioritizeDeadlineMs: number;
}

export type PrioritizeAnswer =
  | { readonly kind: 'ranked'; readonly priorities: HostPriorityList }
  /** The wire has no error here: all nodes are equal, and the caller counts it. */
  | { readonly kind: 'failed'; readonly priorities: HostPriorityList; readonly message: string };

/** A node's place in the answer, and what it follows from: one object for both, since there are thousands. */
interface Ranked {
  readonly Host: string;
  Score: number;
  /** 0 for a node that is free soon, more the longer its queue; a lower one beats any value. */
  readonly tier: number;
  /** 0..100, higher is better. */
  readonly value: number;
  /** The picture of the node in which the pod fits; undefined where it fits in none. */
  readonly picture: NodeView | undefined;
}

const nodesPerDeadlineCheck = 64;
/** A pod waits this long for the node that suits the policy best, rather than begin elsewhere. */
const patienceMs = 1000;
const lastTier = Number.MAX_SAFE_INTEGER;
/** Of the 0..100 of a scoring; a smaller difference is not blown up to the whole scale. About a tenth of a card. */
const leastSpan = 2.5;

export function prioritize(args: ExtenderArgs, deps: PrioritizeDeps): PrioritizeAnswer {
  const failed = (message: string): PrioritizeAnswer => ({
    kind: 'failed',
    priorities: allEqual(args),
    message,
  });
  if (!deps.state.synced) return failed('the device state is not complete yet');
  const { reading, shape } = deps.requests.read(args.pod);
  const { request, problems } = reading;
  if (problems.length > 0 || !asksForDevices(request)) return { kind: 'ranked', priorities: allEqual(args) };

  const deadlineMs = deps.clock.nowMs() + deps.prioritizeDeadlineMs;
  const rules = rulesFor(request, deps);
  const ranking = { verdicts: deps.verdicts.of(request, shape, rules), deps };
  const ranked: Ranked[] = [];
  const inTime = eachCandidate(args.candidates, { state: deps.state, inOrder: false }, (name, view) => {
    if (ranked.length % nodesPerDeadlineCheck === 0 && deps.clock.nowMs() > deadlineMs) return false;
    ranked.push(
      view === undefined
        ? { Host: name, Score: 0, tier: lastTier, value: 0, picture: undefined }
        : rank(view, request.podUid, ranking),
    );
    return true;
  });
  if (!inTime) return failed(`no ranking within ${deps.prioritizeDeadlineMs} ms`);
  const winner = bestOf(ranked);
  const planned = winner?.picture === undefined ? undefined : plan(winner.picture, request, rules);
  if (winner === undefined || planned?.ok !== true) return { kind: 'ranked', priorities: allEqual(args) };
  deps.assumptions.expect(request, winner.Host, planned.allocation);
  const shareOf = scoringOf(request, rules) === undefined ? shareOfBest(winner) : shareOfSpan(ranked, winner);
  for (const node of ranked) node.Score = wireScore(node, winner, shareOf);
  return { kind: 'ranked', priorities: ranked };
}

function allEqual({ candidates }: ExtenderArgs): HostPriorityList {
  return candidateNames(candidates).map((Host) => ({ Host, Score: 0 }));
}

/** A node that fits only if the pods expected there do not come is the last resort. */
function rank(
  view: NodeView,
  podUid: string,
  { verdicts, deps }: { verdicts: VerdictTable; deps: PrioritizeDeps },
): Ranked {
  const { name } = view;
  const expected = deps.assumptions.expected(view, podUid);
  const best = verdicts.judge(expected);
  if (best.ok) {
    const tier = Math.floor(deps.expectedWaitMs(name) / patienceMs);
    return { Host: name, Score: 0, tier, value: best.score, picture: expected };
  }
  const contested = expected !== view && verdicts.judge(view).ok;
  return { Host: name, Score: 0, tier: lastTier, value: 0, picture: contested ? view : undefined };
}

function bestOf(ranked: readonly Ranked[]): Ranked | undefined {
  let best: Ranked | undefined;
  for (const node of ranked) {
    if (node.picture === undefined) continue;
    if (best === undefined || isBetter(node, best)) best = node;
  }
  return best;
}

function isBetter(a: Ranked, b: Ranked): boolean {
  if (a.tier !== b.tier) return a.tier < b.tier;
  return a.value === b.value ? compareText(a.Host, b.Host) < 0 : a.value > b.value;
}

function wireScore(node: Ranked, winner: Ranked, shareOf: (value: number) => number): number {
  if (node === winner) return maxExtenderPriority;
  if (node.picture === undefined || node.tier > winner.tier) return 0;
  return Math.round((maxExtenderPriority - 1) * shareOf(node.value));
}

function shareOfBest(winner: Ranked): (value: number) => number {
  return (value) => (winner.value === 0 ? 1 : value / winner.value);
}

/** 1 for what is as good as the winner, 0 for the worst that could win beside it. */
function shareOfSpan(ranked: readonly Ranked[], winner: Ranked): (value: number) => number {
  let worst = winner.value;
  for (const { picture, tier, value } of ranked) {
    if (picture !== undefined && tier === winner.tier) worst = Math.min(worst, value);
  }
  const span = Math.max(leastSpan, winner.value - worst);
  return (value) => 1 - (winner.value - value) / span;
}
