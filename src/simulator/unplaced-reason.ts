/** Why a pod fits nowhere, in one word: the reason that most nodes give, so that many pods can be counted by it. */
import { compareText } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { Refusal } from '../model/reason.ts';
import type { PodRequest } from '../model/request.ts';
import type { VerdictTable } from '../placement/verdicts.ts';
import { refuseHost } from './node-choice.ts';

export const noNodes = 'NoNodes';

export function mainReason(views: readonly NodeView[], request: PodRequest, verdicts: VerdictTable): string {
  const counts = new Map<string, number>();
  for (const view of views) {
    // A card that suits is the rarer thing, so its lack is told before that of host resources.
    const verdict = verdicts.judge(view);
    const reason = verdict.ok ? refuseHost(view, request) : wordOf(verdict.refusal);
    if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const [first] = [...counts].sort(([a, m], [b, n]) => n - m || compareText(a, b));
  return first?.[0] ?? noNodes;
}

/** Of cards that are refused for several reasons, the most frequent one. */
function wordOf(refusal: Refusal): string {
  if (refusal.code !== 'AllocatedCardsInsufficientRequest') return refusal.code;
  const [first] = Object.entries(refusal.refused).sort(([a, m], [b, n]) => n - m || compareText(a, b));
  return first?.[0] ?? refusal.code;
}
