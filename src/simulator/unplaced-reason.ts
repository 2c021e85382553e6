/**
 * Why a pod fits nowhere, in one word, so that many pods can be counted by it: the reason that most nodes give; of the
 * nodes whose cards would do, where there are any, because those came closest.
 */
import { compareText } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';
import type { VerdictTable } from '../placement/verdicts.ts';
import { isHostReason, type SimulatedRefusal } from './node-choice.ts';
import { countRefusals } from './what-if-refusals.ts';

export const noNodes = 'NoNodes';

export function mainReason(views: readonly NodeView[], request: PodRequest, verdicts: VerdictTable): string {
  const counts = new Map<string, number>();
  const refusals = countRefusals(views, request, verdicts);
  const ofHosts = refusals.filter(({ refusal }) => isHostReason(refusal.code));
  for (const { refusal, nodes } of ofHosts.length > 0 ? ofHosts : refusals) {
    const word = refusalWord(refusal);
    counts.set(word, (counts.get(word) ?? 0) + nodes);
  }
  const [first] = [...counts].sort(([a, m], [b, n]) => n - m || compareText(a, b));
  return first?.[0] ?? noNodes;
}

/** A refusal in one word: of cards that are refused for several reasons, the most frequent one. */
export function refusalWord(refusal: SimulatedRefusal): string {
  if (refusal.code !== 'AllocatedCardsInsufficientRequest') return refusal.code;
  const [first] = Object.entries(refusal.refused).sort(([a, m], [b, n]) => n - m || compareText(a, b));
  return first?.[0] ?? refusal.code;
}
