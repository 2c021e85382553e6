/**
 * A defragmentation plan: the shortest list of moves after which a pod fits that fits nowhere now. It is a proposal on
 * paper; nothing is evicted, and what was handed in stays as it was.
 *
 * A move takes a bound pod off its node and places it anew on another one. It is made for the pod that wants its room, or
 * for another that moves into it. Every move is planned by the planner on the cluster as the moves before it have left
 * it, so the list can be carried out from the front; the pod itself is planned at the end. No pod moves twice.
 */
import type { Allocation } from '../model/allocation.ts';
import type { NamespacedName, TextMap } from '../model/cluster-objects.ts';
import { compareText } from '../model/device.ts';
import type { NamespaceQuota } from '../model/quota.ts';
import type { PolicyDefaults } from '../placement/planner.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { LedgerEntry } from '../state/ledger-entry.ts';
import { DefragmentSearch, type FoundMoves } from './defragment-search.ts';
import type { SimulatedRefusal } from './node-choice.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import { refusalOf } from './what-if-refusals.ts';

export interface DefragmentQuestion {
  readonly state: DeviceState;
  readonly target: SimulatedPod;
  readonly policies: PolicyDefaults;
  /** Of the target's namespace; absent: not judged. A pod that moves holds about as much of its own as before. */
  readonly quota?: NamespaceQuota;
  /** Of the pods that are bound and hold devices: which may move. */
  readonly mayMove: (entry: LedgerEntry) => boolean;
  /** Longer lists are not looked for. */
  readonly mostMoves: number;
  /** Sets of pods and places for them that are tried at most; each takes some ten microseconds. */
  readonly mostTries: number;
}

export interface PodMove extends NamespacedName {
  readonly podUid: string;
  readonly from: string;
  readonly to: string;
  /** What it holds where it is. */
  readonly held: Allocation;
  /** What it would hold there. */
  readonly allocation: Allocation;
}

export type DefragmentPlan =
  /** Nobody understands what the pod asks for. */
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  /** Every node would refuse it, with nothing on it and all cards in health; absent: there are no nodes. */
  | { readonly kind: 'never'; readonly refusal?: SimulatedRefusal }
  | { readonly kind: 'fits'; readonly node: string; readonly allocation: Allocation }
  | {
      readonly kind: 'moves';
      /** In the order in which they are possible. */
      readonly moves: readonly PodMove[];
      readonly node: string;
      readonly allocation: Allocation;
      /** True when every shorter list was ruled out; else it is the best that was found. */
      readonly isShortest: boolean;
    }
  | {
      readonly kind: 'none';
      readonly mostMoves: number;
      /** Up to so many moves there is certainly no list; beyond, none was found. */
      readonly ruledOut: number;
    };

/** The value `never` on a pod keeps it where it is. */
export const defragmentAnnotation = 'tessera.io/defragment';

/** Whether a pod may move, by where it lives and what it says of itself. */
export function allowsDefragmentation({
  namespace,
  annotations,
}: {
  readonly namespace: string;
  readonly annotations: TextMap;
}): boolean {
  return namespace !== 'kube-system' && annotations[defragmentAnnotation] !== 'never';
}

/**
 * Beyond so many moves not every order is tried of pods that do not wait for each other, and in which order they come to
 * a node may decide which cards the planner gives them.
 */
const mostRuledOut = 2;

export function planDefragmentation(question: DefragmentQuestion): DefragmentPlan {
  const { target, mostTries } = question;
  if (target.problems.length > 0) return { kind: 'invalid', problems: target.problems };
  const never = refusedForever(question);
  if (never !== undefined) return never;
  const search = new DefragmentSearch(question);
  const now = search.asItIs();
  if (now !== undefined) {
    return { kind: 'fits', node: search.nodeName(now.node), allocation: now.allocation };
  }
  search.allow(Math.ceil(mostTries / 2));
  const direct = shortestDirect(search, question.mostMoves);
  search.allow(Math.floor(mostTries / 2));
  return throughChains(search, direct, question);
}

/** The refusal that most empty nodes give, where all of them refuse. */
function refusedForever({ state, target, policies, quota }: DefragmentQuestion): DefragmentPlan | undefined {
  const rules = quota === undefined ? policies : { ...policies, quota };
  const refusals = new Map<string, { readonly refusal: SimulatedRefusal; nodes: number }>();
  for (const name of state.nodeNames()) {
    const view = state.idleView(name);
    if (view === undefined) continue;
    const refusal = refusalOf(view, target.request, rules);
    if (refusal === undefined) return undefined;
    const known = refusals.get(refusal.code);
    if (known === undefined) refusals.set(refusal.code, { refusal, nodes: 1 });
    else known.nodes += 1;
  }
  const [first] = [...refusals.values()].sort(
    (a, b) => b.nodes - a.nodes || compareText(a.refusal.code, b.refusal.code),
  );
  return first === undefined ? { kind: 'never' } : { kind: 'never', refusal: first.refusal };
}

interface Direct {
  readonly found?: FoundMoves;
  /** Up to so many moves there is no list without chains. */
  readonly ruledOut: number;
}

function shortestDirect(search: DefragmentSearch, mostMoves: number): Direct {
  for (let moves = 1; moves <= mostMoves; moves += 1) {
    const found = search.byLeaving(moves);
    if (found !== undefined) return { found, ruledOut: moves - 1 };
    if (search.isExhausted) return { ruledOut: moves - 1 };
  }
  return { ruledOut: mostMoves };
}

/** Looks for a shorter list than the one without chains, or for any. */
function throughChains(
  search: DefragmentSearch,
  { found, ruledOut }: Direct,
  { mostMoves }: DefragmentQuestion,
): DefragmentPlan {
  const longest = found === undefined ? mostMoves : found.moves.length - 1;
  // The shortest chain has two.
  let withoutChains = 1;
  for (let moves = 2; moves <= longest; moves += 1) {
    const chain = search.byChains(moves);
    const certain = Math.min(ruledOut, withoutChains, mostRuledOut);
    if (chain !== undefined) return asPlan(search, chain, certain);
    if (search.isExhausted) break;
    withoutChains = moves;
  }
  const certain = Math.min(ruledOut, withoutChains, mostRuledOut, mostMoves);
  return found === undefined
    ? { kind: 'none', mostMoves, ruledOut: certain }
    : asPlan(search, found, certain);
}

/** @param ruledOut up to so many moves there is no list */
function asPlan(
  search: DefragmentSearch,
  { moves, node, allocation }: FoundMoves,
  ruledOut: number,
): DefragmentPlan {
  return {
    kind: 'moves',
    moves: moves.map(({ mover: { entry, node: from }, to, allocation: planned }) => ({
      namespace: entry.namespace,
      name: entry.name,
      podUid: entry.podUid,
      from: search.nodeName(from),
      to: search.nodeName(to),
      held: entry.allocation,
      allocation: planned,
    })),
    node: search.nodeName(node),
    allocation,
    isShortest: ruledOut >= moves.length - 1,
  };
}
