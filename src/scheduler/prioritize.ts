/**
 * Prioritize: how much each node suits the policy, as integers 0..10. kube-scheduler adds these to its own scores and
 * breaks ties by chance, so exactly one node gets 10, and every other at most 9 by its value: a node as good as the
 * winner gets 9, which leaves a user's own preferences room to decide among equals.
 */
import type { Allocation } from '../model/allocation.ts';
import { compareText } from '../model/device.ts';
import { asksForDevices, type PodRequest } from '../model/request.ts';
import { plan, type PlanRules } from '../placement/planner.ts';
import { type ExtenderArgs, type HostPriorityList, maxExtenderPriority } from '../wire/extender.ts';
import { candidateNames, candidateViews } from './candidate-views.ts';
import type { FilterDeps } from './filter.ts';
import { rulesFor } from './rules.ts';

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
  /** Absent for a node the pod does not fit. */
  readonly allocation?: Allocation;
}

const nodesPerDeadlineCheck = 64;

export function prioritize(args: ExtenderArgs, deps: PrioritizeDeps): PrioritizeAnswer {
  const names = candidateNames(args.candidates);
  const equal = names.map((Host) => ({ Host, Score: 0 }));
  if (!deps.state.synced) {
    return { kind: 'failed', priorities: equal, message: 'the device state is not complete yet' };
  }
  const { request, problems } = deps.requests.read(args.pod).reading;
  if (problems.length > 0 || !asksForDevices(request)) return { kind: 'ranked', priorities: equal };

  const deadlineMs = deps.clock.nowMs() + deps.prioritizeDeadlineMs;
  const rules = rulesFor(request, deps);
  const ranked: Ranked[] = [];
  for (const { name, view } of candidateViews(args.candidates, deps.state)) {
    if (ranked.length % nodesPerDeadlineCheck === 0 && deps.clock.nowMs() > deadlineMs) {
      return {
        kind: 'failed',
        priorities: equal,
        message: `no ranking within ${deps.prioritizeDeadlineMs} ms`,
      };
    }
    ranked.push(view === undefined ? { name, value: 0 } : rank(view, request, { ...deps, rules }));
  }
  const winner = bestOf(ranked);
  if (winner?.allocation === undefined) return { kind: 'ranked', priorities: equal };
  deps.assumptions.expect(request, winner.name, winner.allocation);
  return {
    kind: 'ranked',
    priorities: ranked.map((node) => ({ Host: node.name, Score: wireScore(node, winner) })),
  };
}

/** A node that fits only if the pods expected there do not come is the last resort: it ranks at 0. */
function rank(
  view: NonNullable<ReturnType<PrioritizeDeps['state']['view']>>,
  request: PodRequest,
  deps: PrioritizeDeps & { readonly rules: PlanRules },
): Ranked {
  const { name } = view;
  const expected = deps.assumptions.expected(view, request.podUid);
  const best = plan(expected, request, deps.rules);
  if (best.ok) return { name, value: best.score * (1 - deps.backlogOf(name)), allocation: best.allocation };
  const contested = expected === view ? best : plan(view, request, deps.rules);
  return contested.ok ? { name, value: 0, allocation: contested.allocation } : { name, value: 0 };
}

function bestOf(ranked: readonly Ranked[]): Ranked | undefined {
  let best: Ranked | undefined;
  for (const node of ranked) {
    if (node.allocation === undefined) continue;
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
  if (node.allocation === undefined) return 0;
  const share = winner.value === 0 ? 1 : node.value / winner.value;
  return Math.round((maxExtenderPriority - 1) * share);
}
