/**
 * The planner once more, slow and plain: the judge of the fast one. It is the protocol's procedure word for word (spec
 * §5.4 to §5.7, §6.3, §6.4, §8.3): for every container all cards of the vendor in the order of the policy, each asked
 * rule by rule, one counter per refusal, until there are enough. It keeps nothing between two questions: what a card
 * holds, which slices are taken and what the pod costs its namespace is added up afresh from the list of shares.
 *
 * Deliberate differences from HAMi, which both planners share:
 * - a card is scored with the request on it (Q20), and the order of cards is total;
 * - an init container sees the sidecars started before it; MIG instances of init containers stay for the pod's life;
 * - a MIG card whose slices are not known is not healthy; a withheld card is refused after the id rule; a MIG card
 *   without profiles is refused after that (`ModeNotFit`), and makes no request one for MIG instances;
 * - on a MIG card the quota and the card's memory are asked with what the profile has, rules 11 and 13 do not apply to a request for no compute
 *   (profiles' percentages are rounded up and may add up to more than the card), and a request for 100 percent takes
 *   the smallest profile with at least 90 percent of the card's memory (Q11);
 * - NUMA binding orders by the NUMA node first, with `mutex`, too;
 * - topology-aware compares the cards that fit, each once and each affordable as often as cards are wanted, within every
 *   NUMA node if the pod is bound to one, and the first of the best linked sets wins (Q28); where there are too few of
 *   them, cards are taken as without it;
 * - the node's score includes the pod (Q20), a dimension of which a node has nothing does not count, and count resources
 *   are checked last.
 */
import type { Share } from '../../src/model/allocation.ts';
import type { NodeView } from '../../src/model/node-view.ts';
import type { QuotaLimit } from '../../src/model/quota.ts';
import type { CardReason, Refusal } from '../../src/model/reason.ts';
import type { DeviceRequest, NodePolicy, PodRequest } from '../../src/model/request.ts';
import type { Plan, PlanRules } from '../../src/placement/planner.ts';
import { bestLinked, inOrder } from './reference-order.ts';
import {
  firstRules,
  type HeldShare,
  laterRules,
  type Limit,
  limitInTheWay,
  type Question,
  refuses,
  shareOf,
  usedWith,
} from './reference-rules.ts';

export function referencePlan(view: NodeView, pod: PodRequest, rules: PlanRules): Plan {
  const held: HeldShare[] = [];
  for (const [place, container] of pod.containers.entries()) {
    for (const wanted of container.devices) {
      const question = {
        view,
        pod,
        place,
        container,
        wanted,
        selector: pod.selectors.get(wanted.vendor),
        policy: pod.devicePolicy ?? rules.devicePolicy,
        limits: limitsOf(rules, wanted),
      };
      const answer = fit(question, held);
      if (!answer.ok) return answer;
      held.push(...answer.picks);
    }
  }
  for (const [resource, wanted] of pod.counts) {
    const free = view.countFree.get(resource) ?? 0;
    if (free < wanted) return { ok: false, refusal: { code: 'NodeCountExhausted', resource, wanted, free } };
  }
  const allocation = pod.containers.map((_, place) =>
    held.filter(({ container }) => container === place).map((share) => withoutPlace(share)),
  );
  return {
    ok: true,
    allocation,
    score: scoreOf(view, pod, held, wordOf(pod.nodePolicy ?? rules.nodePolicy)),
  };
}

/** Without a scoring `fragmentation` is `binpack`. */
function wordOf(policy: NodePolicy): 'binpack' | 'spread' {
  return policy === 'spread' ? 'spread' : 'binpack';
}

function withoutPlace({ vendor, deviceId, memoryMiB, corePercent, mig }: HeldShare): Share {
  return { vendor, deviceId, memoryMiB, corePercent, ...(mig === undefined ? {} : { mig }) };
}

/** Memory before cores. */
function limitsOf({ quota }: PlanRules, { vendor }: DeviceRequest): readonly Limit[] {
  const { memory, cores } = quota?.get(vendor) ?? {};
  return [
    ...(memory === undefined ? [] : [{ of: 'memoryMiB' as const, limit: memory }]),
    ...(cores === undefined ? [] : [{ of: 'corePercent' as const, limit: cores }]),
  ];
}

type Fit =
  | { readonly ok: true; readonly picks: readonly HeldShare[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** Spec §5.5 and §5.6. `held` is what the containers so far were given. */
function fit(question: Question, held: readonly HeldShare[]): Fit {
  const { view, container, wanted, selector, policy } = question;
  const { vendor, count } = wanted;
  if (count <= 0) return { ok: true, picks: [] };
  const cards = view.devices.filter(({ device }) => device.vendor === vendor);
  if (cards.length === 0) {
    const detail = view.unavailable.get(vendor);
    return {
      ok: false,
      refusal: { code: 'NodeUnregistered', vendor, ...(detail === undefined ? {} : { detail }) },
    };
  }
  const about = { container: container.name, vendor, wanted: count, cards: cards.length };
  const hasMig = cards.some(({ device }) => device.mode === 'mig' && device.migProfiles !== undefined);
  const isMigRequest = hasMig && (selector?.modes ?? 'mig').includes('mig');
  if (count > cards.length && !isMigRequest) {
    return { ok: false, refusal: { code: 'NodeInsufficientDevice', ...about } };
  }

  const ordered = inOrder(cards, question, held);
  if (policy.topologyAware) {
    const picks = bestLinked(ordered, question, held);
    if (picks !== undefined) return { ok: true, picks };
  }

  const refused: Partial<Record<CardReason, number>> = {};
  const countRefused = (reason: CardReason, times = 1) => {
    if (times > 0) refused[reason] = (refused[reason] ?? 0) + times;
  };
  let picks: HeldShare[] = [];
  let lastNuma: number | undefined;
  let quota: QuotaLimit | undefined;
  for (const card of ordered) {
    const outright = refuses(firstRules, { ...question, card, held, picks, times: 1 });
    if (outright !== undefined) {
      countRefused(outright);
      continue;
    }
    if (selector?.numaBound === true && card.device.numa !== lastNuma) {
      countRefused('NumaNotFit', picks.length);
      picks = [];
      lastNuma = card.device.numa;
    }
    // The same MIG card is asked again after every instance.
    for (;;) {
      const asked = { ...question, card, held, picks, times: 1 };
      const reason = refuses(laterRules, asked);
      if (reason !== undefined) {
        countRefused(reason);
        if (reason === 'ResourceQuotaNotFit') quota = limitInTheWay(asked);
        break;
      }
      picks.push(shareOf(asked));
      if (picks.length === count) return { ok: true, picks };
      if (card.device.mode !== 'mig') break;
    }
  }
  return {
    ok: false,
    refusal: {
      code: 'AllocatedCardsInsufficientRequest',
      ...about,
      accepted: picks.length,
      refused,
      ...(quota === undefined ? {} : { quota }),
    },
  };
}

const dimensions = ['slots', 'corePercent', 'memoryMiB'] as const;

/** Spec §6.1, with the pod on the node and in percent: what runs side by side in the end, none beyond the whole. */
function scoreOf(
  view: NodeView,
  pod: PodRequest,
  held: readonly HeldShare[],
  policy: 'binpack' | 'spread',
): number {
  const lasting = held.filter((share) => pod.containers[share.container]?.role !== 'init');
  const fractions = dimensions.flatMap((dimension) => {
    const whole = view.devices.reduce((sum, { device }) => sum + device[dimension], 0);
    const used = view.devices.reduce((sum, card) => sum + usedWith(card, lasting)[dimension], 0);
    return whole === 0 ? [] : [used > whole ? 1 : used / whole];
  });
  const mean =
    fractions.length === 0 ? 0 : fractions.reduce((sum, fraction) => sum + fraction, 0) / fractions.length;
  return policy === 'binpack' ? 100 * mean : 100 * (1 - mean);
}
