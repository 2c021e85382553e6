/**
 * Explain: what the planner says about one pod, node by node, with the numbers that the scheduler's own protocol has
 * no room for. It asks the same planner on the same state, so it cannot disagree with filter.
 */
import type { Allocation } from '../model/allocation.ts';
import { compareText } from '../model/device.ts';
import type { NamespacedName } from '../model/cluster-objects.ts';
import type { Refusal } from '../model/reason.ts';
import { plan } from '../placement/planner.ts';
import type { LedgerEntry } from '../state/ledger-entry.ts';
import { problemSentence } from '../vendors/vendor.ts';
import { closedNodes } from './closed-nodes.ts';
import { refusalSentence, wireReason } from './refusal-text.ts';
import { rulesFor, type RuleSources } from './rules.ts';
import { findScatteredRoom, type ScatteredRoom } from './scattered-room.ts';

export interface NodeExplanation {
  readonly node: string;
  readonly fits: boolean;
  /** 0..100 under the node policy; only where the pod fits. */
  readonly score?: number;
  readonly reason?: string;
  readonly sentence?: string;
  readonly refusal?: Refusal;
}

export type Explanation =
  | {
      readonly state: 'pending';
      readonly problems: readonly string[];
      /** How many nodes share each reason, most frequent first. */
      readonly reasons: readonly { readonly reason: string; readonly nodes: number }[];
      readonly nodes: readonly NodeExplanation[];
      /** Where no node fits: room that is there in sum alone. */
      readonly scattered?: ScatteredRoom;
    }
  | {
      readonly state: LedgerEntry['state'];
      readonly node: string;
      readonly containers: readonly { readonly name: string; readonly shares: Allocation[number] }[];
      readonly withheld: Readonly<Record<string, number>>;
    };

/** Explains a pod by name; undefined when neither the ledger nor the pods that wait for devices have it. */
export function explain(name: NamespacedName, sources: RuleSources): Explanation | undefined {
  const { state } = sources;
  const uid = state.uidOf(name);
  if (uid === undefined) return undefined;
  const entry = state.entry(uid);
  if (entry !== undefined) return explainEntry(entry);
  const reading = state.pending(uid)?.reading;
  if (reading === undefined) return undefined;
  if (reading.problems.length > 0) {
    return { state: 'pending', problems: reading.problems.map(problemSentence), reasons: [], nodes: [] };
  }
  const rules = rulesFor(reading.request, sources);
  const closed = closedNodes(reading.request, state);
  const views = [...state.nodeNames()].sort(compareText).flatMap((node) => state.view(node) ?? []);
  const nodes = views.map((view): NodeExplanation => {
    const { name: node } = view;
    const verdict = plan(view, reading.request, rules);
    if (!verdict.ok) return explainRefusal(node, verdict.refusal);
    const refusal = closed(node);
    return refusal === undefined ? { node, fits: true, score: verdict.score } : explainRefusal(node, refusal);
  });
  const scattered = nodes.some(({ fits }) => fits)
    ? undefined
    : findScatteredRoom(reading.request, views, rules);
  return {
    state: 'pending',
    problems: [],
    reasons: countReasons(nodes),
    ...(scattered === undefined ? {} : { scattered }),
    nodes,
  };
}

function explainEntry(entry: LedgerEntry): Explanation {
  return {
    state: entry.state,
    node: entry.node,
    containers: entry.request.containers.map(({ name }, index) => ({
      name,
      shares: entry.allocation[index] ?? [],
    })),
    withheld: Object.fromEntries(entry.load.withheld),
  };
}

function explainRefusal(node: string, refusal: Refusal): NodeExplanation {
  return {
    node,
    fits: false,
    reason: wireReason(refusal, true),
    sentence: refusalSentence(refusal),
    refusal,
  };
}

function countReasons(nodes: readonly NodeExplanation[]): readonly { reason: string; nodes: number }[] {
  const counts = new Map<string, number>();
  for (const { refusal } of nodes) {
    if (refusal === undefined) continue;
    const reason = wireReason(refusal, false);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts]
    .map(([reason, count]) => ({ reason, nodes: count }))
    .sort((a, b) => b.nodes - a.nodes || compareText(a.reason, b.reason));
}
