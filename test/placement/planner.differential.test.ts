/** The fast planner against the slow one, on ten thousand random nodes and pods. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cardReasons, nodeReasons } from '../../src/model/reason.ts';
import { plan } from '../../src/placement/planner.ts';
import { arbitraryPolicies, arbitraryRequest, arbitraryView } from '../support/arbitrary-clusters.ts';
import { referencePlan } from './reference-planner.ts';

describe('the planner', () => {
  it('answers as the reference planner does, card by card and reason by reason', () => {
    const outcomes = new Map<string, number>();
    const note = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryPolicies, (view, request, defaults) => {
        const answer = plan(view, request, defaults);
        const want = referencePlan(view, request, defaults);
        if (answer.ok && want.ok) {
          note(answer.allocation.some((shares) => shares.length > 0) ? 'cards' : 'no cards asked');
          expect(answer.allocation).toEqual(want.allocation);
          expect(Math.abs(answer.score - want.score)).toBeLessThan(1e-9);
          return;
        }
        expect(answer).toEqual(want);
        if (!answer.ok) {
          note(answer.refusal.code);
          if (answer.refusal.code === 'AllocatedCardsInsufficientRequest') {
            Object.keys(answer.refusal.refused).forEach(note);
          }
        }
      }),
      { numRuns: 10_000 },
    );
    // The comparison is worth something only if every kind of answer came up, and often.
    const planned = nodeReasons.filter((code) => code !== 'RequestInvalid');
    const rare = ['cards', ...planned, ...cardReasons].filter((outcome) => (outcomes.get(outcome) ?? 0) < 50);
    expect(rare).toEqual([]);
    expect(outcomes.get('cards')).toBeGreaterThan(2000);
  });
});
