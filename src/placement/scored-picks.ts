/** Cards chosen by a scoring: in place of an order, what is rated highest at each moment is taken. */
import type { CardReason } from '../model/reason.ts';
import { isCut } from '../model/mig.ts';
import { type CardChoiceInputs, type Pick, questionOf, shareOf } from './card-pick.ts';
import type { Tally } from './card-tally.ts';
import { pictureOf } from './draft.ts';
import { refuseCard } from './fit-card.ts';
import type { Scoring } from './scoring.ts';

/**
 * One card after the other, each time the one that the scoring rates highest beside those that are picked already. What
 * is picked is in the draft while the next is looked for.
 */
export function scoredPicks(
  inputs: CardChoiceInputs & { readonly scoring: Scoring },
  tally: Tally,
): readonly Pick[] | undefined {
  const { view, draft, request, wanted, scoring } = inputs;
  const { devices } = view;
  const question = questionOf(inputs, 1, tally);
  const ahead = draft.fork();
  const moment = { view, draft: ahead, request };
  const picks: Pick[] = [];
  while (picks.length < wanted.count) {
    const refused: CardReason[] = [];
    let best: Pick | undefined;
    let highest = -Infinity;
    for (let index = 0; index < devices.length; index += 1) {
      const card = devices[index];
      if (card?.device.vendor !== wanted.vendor) continue;
      if (!isCut(card.device) && picks.some((pick) => pick.index === index)) continue;
      const state = ahead.at(index);
      const reason = refuseCard(card, state, question);
      if (reason !== undefined) {
        refused.push(reason);
        continue;
      }
      const share = shareOf(card.device, state.occupied, inputs);
      const rating = scoring.rateShare(moment, index, share);
      if (best !== undefined && rating <= highest) continue;
      best = { index, share, picture: pictureOf(card.device, state) };
      highest = rating;
    }
    if (best === undefined) {
      for (const reason of refused) tally.refuse(reason);
      return undefined;
    }
    ahead.take(best.index, best.share);
    tally.accept(best.share);
    picks.push(best);
  }
  return picks;
}
