/**
 * Prioritize: how much each node suits the policy, as integers 0..10. kube-scheduler adds these to its own scores and
 * breaks ties by chance, so exactly one node gets 10, and every other at most 9 by its value: a node as good as the
 * winner gets 9, which leaves a user's own preferences room to decide among equals.
 */
import { compareText } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import { asksForDevices } from '../model/request.ts';
import { plan } from '../placement/planner.ts';
import { type ExtenderArgs, type HostPriorityList, maxExtenderPriority } from '../wire/extender.ts';
import { candidateNames, eachCandidate } from './candidate-views.ts';
import type { FilterDeps } from './filter.ts';
import { rulesFor } from './rules.ts';
import type { VerdictTable } from './verdicts.ts';

export interface PrioritizeDeps extends Omit<FilterDeps, 'filterDeadlineMs'> {
  readonly prioritizeDeadlineMs: number;
  /** How much of a bind's time a node's queue would eat, 0 (none) to 1 (all of it). */
  readonly backlogOf: (node: string) => number;
}

export type PrioritizeAnswer =
  | { readonly kind: 'ranked'; readonly priorities: HostPriorityList }
  /** The wire has no error here: all nodes are equal, and the caller counts it. */
  | { readonly kind: 'failed'; readonly priorities: HostPriorityList; readonly message: string };

interface Ranked {
  readonly name: string;
  /** 0..100, higher is better. */
  readonly value: number;
  /** The picture of the node in which the pod fits; absent where it fits in none. */
  readonly picture?: NodeView;
}

const nodesPerDeadlineCheck = 64;

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
  const inTime = eachCandidate(args.candidates, deps.state, (name, view) => {
    if (ranked.length % nodesPerDeadlineCheck === 0 && deps.clock.nowMs() > deadlineMs) return false;
    ranked.push(view === undefined ? { name, value: 0 } : rank(view, request.podUid, ranking));
    return true;
  });
  if (!inTime) return failed(`no ranking within ${deps.prioritizeDeadlineMs} ms`);
  const winner = bestOf(ranked);
  const planned = winner?.picture === undefined ? undefined : plan(winner.picture, request, rules);
  if (winner === undefined || planned?.ok !== true) return { kind: 'ranked', priorities: allEqual(args) };
  deps.assumptions.expect(request, winner.name, planned.allocation);
  return {
    kind: 'ranked',
    priorities: ranked.map((node) => ({ Host: node.name, Score: wireScore(node, winner) })),
  };
}

function allEqual({ candidates }: ExtenderArgs): HostPriorityList {
  return candidateNames(candidates).map((Host) => ({ Host, Score: 0 }));
}

/** A node that fits only if the pods expected there do not come is the last resort: it ranks at 0. */
function rank(
  view: NodeView,
  podUid: string,
  { verdicts, deps }: { verdicts: VerdictTable; deps: PrioritizeDeps },
): Ranked {
  const { name } = view;
  const expected = deps.assumptions.expected(view, podUid);
  const best = verdicts.judge(expected);
  if (best.ok) return { name, value: best.score * (1 - deps.backlogOf(name)), picture: expected };
  const contested = expected !== view && verdicts.judge(view).ok;
  return contested ? { name, value: 0, picture: view } : { name, value: 0 };
}

function bestOf(ranked: readonly Ranked[]): Ranked | undefined {
  let best: Ranked | undefined;
  for (const node of ranked) {
    if (node.picture === undefined) continue;
    if (
      best === undefined ||
      node.value > best.value ||
      (node.value === best.value && isBefore(node, best))
    ) {
      best = node;
    }
  }
  return best;
}

function isBefore(a: Ranked, b: Ranked): boolean {
  return compareText(a.name, b.name) < 0;
}

function wireScore(node: Ranked, winner: Ranked): number {
  if (node === winner) return maxExtenderPriority;
  if (node.picture === undefined) return 0;
  const share = winner.value === 0 ? 1 : node.value / winner.value;
  return Math.round((maxExtenderPriority - 1) * share);
}
