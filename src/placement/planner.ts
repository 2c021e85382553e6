/**
 * The planner: the one pure function that decides. `plan(node view, pod request, rules)` answers with the cards for
 * every container and how well they suit the policy, or with the reason why there are none. It has no I/O, no clock
 * and no chance in it; filter, prioritize, bind, preempt, explain and the simulator all call it.
 *
 * Init containers run one after another, so each is placed as if alone beside the sidecars started before it; sidecars
 * and app containers add up. What a pod holds of a card at its worst moment therefore fits, too.
 */
import type { Allocation, Share } from '../model/allocation.ts';
import type { VendorKey } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { NamespaceQuota } from '../model/quota.ts';
import type { Refusal } from '../model/reason.ts';
import { type DevicePolicy, equalWeights, type NodePolicy, type PodRequest } from '../model/request.ts';
import { type CardRulesByVendor, type ChosenCards, noCardRules } from '../vendors/card-rules.ts';
import { chooseCards } from './card-choice.ts';
import { Draft } from './draft.ts';
import { nodeScore } from './node-score.ts';
import { QuotaRoom } from './quota-room.ts';
import type { Scoring } from './scoring.ts';

/** The policies in force where a pod names none. */
export interface PolicyDefaults {
  readonly nodePolicy: NodePolicy;
  /** What judges where the node policy is `fragmentation`; without one that is `binpack`. */
  readonly scoring?: Scoring;
  readonly devicePolicy: DevicePolicy;
  /** What families do differently; none does anything where left out. */
  readonly cardRules?: CardRulesByVendor;
}

export interface PlanRules extends PolicyDefaults {
  /** The limits of the pod's namespace; absent where they are not asked about. */
  readonly quota?: NamespaceQuota;
}

export type Plan =
  | {
      readonly ok: true;
      readonly allocation: Allocation;
      /** 0..100, higher is better under the node policy. */
      readonly score: number;
    }
  | { readonly ok: false; readonly refusal: Refusal };

/** Plans a pod onto a node. Same inputs, same answer. Throws nothing. */
export function plan(view: NodeView, request: PodRequest, rules: PlanRules): Plan {
  const policy = request.devicePolicy ?? rules.devicePolicy;
  const weights = request.weights ?? equalWeights;
  const scoring = scoringOf(request, rules);
  // A pod that says how its cards are to be chosen is taken at its word.
  const cardScoring = request.devicePolicy === undefined ? scoring : undefined;
  const draft = new Draft(view);
  const rooms = quotaRooms(rules.quota);
  const { cardRules = noCardRules } = rules;
  let chosen: Map<VendorKey, readonly ChosenCards[]> | undefined;
  const allocation: (readonly Share[])[] = [];
  for (const container of request.containers) {
    const shares: Share[] = [];
    draft.begin(container.role);
    for (const room of rooms.values()) room.begin(container.role);
    for (const wanted of container.devices) {
      const selector = request.selectors.get(wanted.vendor);
      const room = rooms.get(wanted.vendor);
      const choice = chooseCards({
        view,
        draft,
        request,
        container,
        wanted,
        selector,
        policy,
        weights,
        scoring: cardScoring,
        room,
        rules: cardRules.get(wanted.vendor),
      });
      if (!choice.ok) return choice;
      if (choice.chosen !== undefined)
        (chosen ??= new Map()).set(wanted.vendor, [
          ...(chosen.get(wanted.vendor) ?? []),
          { wanted, cards: choice.chosen },
        ]);
      shares.push(...choice.shares);
    }
    for (const room of rooms.values()) room.end();
    draft.end();
    allocation.push(shares);
  }
  const refusal = refuseCounts(view, request);
  if (refusal !== undefined) return { ok: false, refusal };
  const nodePolicy = wordOf(request.nodePolicy ?? rules.nodePolicy);
  const score =
    scoring?.rateNode({ view, draft, request }) ?? nodeScore(view.capacity, draft.used(), nodePolicy);
  return {
    ok: true,
    allocation,
    score: chosen === undefined ? score : rated(score, chosen, view, { nodePolicy, cardRules }),
  };
}

/** What judges placements of the pod beside the policies' words, if anything does. */
export function scoringOf(
  { nodePolicy }: Pick<PodRequest, 'nodePolicy'>,
  rules: Pick<PolicyDefaults, 'nodePolicy' | 'scoring'>,
): Scoring | undefined {
  return (nodePolicy ?? rules.nodePolicy) === 'fragmentation' ? rules.scoring : undefined;
}

function wordOf(policy: NodePolicy): 'binpack' | 'spread' {
  return policy === 'spread' ? 'spread' : 'binpack';
}

/** The score with what the families say of the cards that were chosen. */
function rated(
  score: number,
  chosen: ReadonlyMap<VendorKey, readonly ChosenCards[]>,
  { devices }: NodeView,
  {
    nodePolicy,
    cardRules,
  }: { readonly nodePolicy: 'binpack' | 'spread'; readonly cardRules: CardRulesByVendor },
): number {
  // Each weighs against the policy as if it were alone, whatever others there are.
  let sum = score;
  let weights = 1;
  for (const [vendor, choices] of chosen) {
    const rating = cardRules.get(vendor)?.rating;
    if (rating === undefined) continue;
    const cards = devices.filter(({ device }) => device.vendor === vendor);
    const rate = rating.rate(choices, cards, nodePolicy);
    if (rate === undefined) continue;
    const weight = rating.weight / (1 - rating.weight);
    sum += weight * 100 * Math.min(1, Math.max(0, rate));
    weights += weight;
  }
  return sum / weights;
}

const noRooms: ReadonlyMap<VendorKey, QuotaRoom> = new Map();

function quotaRooms(quota: NamespaceQuota | undefined): ReadonlyMap<VendorKey, QuotaRoom> {
  if (quota === undefined || quota.size === 0) return noRooms;
  return new Map([...quota].map(([vendor, limits]) => [vendor, new QuotaRoom(limits)]));
}

/** The count resource is what kubelet enforces; all pods' counts together must stay within it. */
function refuseCounts(view: NodeView, request: PodRequest): Refusal | undefined {
  for (const [resource, wanted] of request.counts) {
    const free = view.countFree.get(resource) ?? 0;
    if (wanted > free) return { code: 'NodeCountExhausted', resource, wanted, free };
  }
  return undefined;
}
