/** The card that the published policies give where they name none of their own: the tightest that fits. */
import type { Scoring } from '../../placement/scoring.ts';
import { freeMilli } from './free-milli.ts';

/** Of equally tight ones that with the lowest index; whole cards are all equal, so they go by index alone. */
export const rateTightest: Scoring['rateShare'] = ({ view, draft }, index) => {
  const card = view.devices[index];
  return card === undefined ? 0 : -freeMilli(card, draft.at(index).used);
};
