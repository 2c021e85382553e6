/** The fast planner against the slow one, on ten thousand random nodes, pods and quotas. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodeView } from '../../src/model/node-view.ts';
import { cardReasons, nodeReasons } from '../../src/model/reason.ts';
import type { PodRequest } from '../../src/model/request.ts';
import { type Plan, plan, type PlanRules } from '../../src/placement/planner.ts';
import { arbitraryRequest, arbitraryRules, arbitraryView } from '../support/arbitrary-clusters.ts';
import { referencePlan } from './reference-planner.ts';

const fits = [
  'cards',
  'one instance',
  'several instances',
  'linked cards',
  'one NUMA node',
  'within a quota',
] as const;

/** What kind of answer it is: of a fit what it took, of a refusal every reason in it. */
function kindsOf(answer: Plan, view: NodeView, request: PodRequest, rules: PlanRules): readonly string[] {
  if (!answer.ok) {
    const { refusal } = answer;
    return refusal.code === 'AllocatedCardsInsufficientRequest'
      ? [refusal.code, ...Object.keys(refusal.refused)]
      : [refusal.code];
  }
  const { topologyAware } = request.devicePolicy ?? rules.devicePolicy;
  const cut = answer.allocation.map((shares) =>
    shares.flatMap(({ deviceId, mig }) => (mig ? [deviceId] : [])),
  );
  const severalOf = (vendor: string) =>
    answer.allocation.some((shares) => shares.filter((share) => share.vendor === vendor).length > 1);
  const happened: Readonly<Record<(typeof fits)[number], boolean>> = {
    cards: answer.allocation.some((shares) => shares.length > 0),
    'one instance': cut.some((ids) => ids.length > 0),
    'several instances': cut.some((ids) => new Set(ids).size < ids.length),
    'linked cards':
      topologyAware &&
      severalOf('NVIDIA') &&
      view.devices.some(({ device }) => device.linkScores !== undefined),
    'one NUMA node': [...request.selectors].some(([vendor, { numaBound }]) => numaBound && severalOf(vendor)),
    'within a quota': answer.allocation.flat().some(({ vendor }) => rules.quota?.has(vendor)),
  };
  return fits.filter((kind) => happened[kind]);
}

describe('the planner', () => {
  it('answers as the reference planner does, card by card and reason by reason', () => {
    const outcomes = new Map<string, number>();
    fc.assert(
      fc.property(arbitraryView, arbitraryRequest(), arbitraryRules, (view, request, rules) => {
        const answer = plan(view, request, rules);
        const want = referencePlan(view, request, rules);
        for (const kind of kindsOf(answer, view, request, rules)) {
          outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
        }
        if (answer.ok && want.ok) {
          expect(answer.allocation).toEqual(want.allocation);
          expect(Math.abs(answer.score - want.score)).toBeLessThan(1e-9);
        } else expect(answer).toEqual(want);
      }),
      { numRuns: 10_000 },
    );
    // The comparison is worth something only if every kind of answer came up, and often.
    const unplanned: readonly string[] = ['NodeClosed', 'NodeBusy', 'RequestInvalid'];
    // Given by the rules of single families alone, which are not compared here.
    const ofFamilies: readonly string[] = [
      'CardAppClassMismatch',
      'CardQosPolicyMismatch',
      'CardTopologyMismatch',
    ];
    const planned = nodeReasons.filter((code) => !unplanned.includes(code));
    const common = cardReasons.filter((reason) => !ofFamilies.includes(reason));
    const rare = [...fits, ...planned, ...common].filter((kind) => (outcomes.get(kind) ?? 0) < 40);
    expect(rare).toEqual([]);
    expect(outcomes.get('cards')).toBeGreaterThan(2000);
  });
});
