/** What a comparison comes to, in a sentence: how far the best policy is ahead of the next and of the last, in cards. */
import { bestFirst, byPolicy, type PolicyRuns, rankFigure, spreadOf } from './policy-summary.ts';
import type { SimulationReport } from './run-report.ts';

const whenOf = {
  all: 'at the end',
  load: 'at the end',
  timed: 'on average over time',
  churn: 'on average',
} as const;

/** Undefined with one policy, or where the best two are alike. */
export function headline({ facts, arrivals, runs }: SimulationReport): string | undefined {
  const [best, second, ...others] = bestFirst(byPolicy(runs));
  if (best === undefined || second === undefined) return undefined;
  const mean = (own: PolicyRuns) => spreadOf(own.runs, rankFigure)?.mean ?? 0;
  const cardsAhead = (own: PolicyRuns) => Math.round(((mean(best) - mean(own)) / 100) * facts.cards);
  if (cardsAhead(second) < 1) return undefined;
  const last = others.at(-1);
  const ahead = `${cardsAhead(second)} more than ${second.policy}`;
  const farAhead = last === undefined ? '' : ` and ${cardsAhead(last)} more than ${last.policy}`;
  const when = whenOf[arrivals.kind];
  const held = Math.round((mean(best) / 100) * facts.cards);
  return `With ${best.policy}, pods hold ${held} of ${facts.cards} cards ${when}: ${ahead}${farAhead}.`;
}
