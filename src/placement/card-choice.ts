/**
 * The cards of one vendor for one container: all of them in the order of the device policy, asked one after the other
 * until there are enough, so that the counted reasons are those of HAMi's walk (spec §5.5, §5.6). Cards in MIG mode may
 * give several instances to one container, any other card gives one share.
 */
import type { Share } from '../model/allocation.ts';
import { isCut, migMode } from '../model/mig.ts';
import type { CardReason, Refusal } from '../model/reason.ts';
import type { CardOrderKey } from '../model/request.ts';
import type { CardPicture, CardRules } from '../vendors/card-rules.ts';
import { type Candidate, cardScore, compareCandidates } from './card-order.ts';
import { type Card, type CardChoiceInputs, cardsOf, type Pick, pickOf, questionOf } from './card-pick.ts';
import { Tally } from './card-tally.ts';
import { withShare } from './draft.ts';
import { coresNeeded, refuseCard, refuseOutright } from './fit-card.ts';
import { scoredPicks } from './scored-picks.ts';
import { chooseLinked, linkSum } from './topology.ts';

export type CardChoice =
  | {
      readonly ok: true;
      readonly shares: readonly Share[];
      /** The cards that were chosen, as they were before; only for a family that rates them. */
      readonly chosen?: readonly CardPicture[];
    }
  | { readonly ok: false; readonly refusal: Refusal };

/** Chooses and takes: what it answers is in the draft and the room already. A refusal leaves both as they were. */
export function chooseCards(inputs: CardChoiceInputs): CardChoice {
  const { wanted, selector, policy, draft, room, rules } = inputs;
  if (wanted.count <= 0) return { ok: true, shares: [] };
  // With these, what is picked of one card changes what another says, or which are compared at all.
  const isPlain =
    room === undefined &&
    !policy.topologyAware &&
    selector?.numaBound !== true &&
    inputs.scoring === undefined &&
    rules?.choose === undefined &&
    rules?.rating === undefined;
  const plain = isPlain ? choosePlain(inputs) : undefined;
  if (plain !== undefined) return plain;
  const cards = countCards(inputs);
  const tally = new Tally(inputs, cards);
  if (wanted.count > cards && !mayRepeat(inputs)) return { ok: false, refusal: tally.tooFewCards() };
  const picks = picksOf(inputs, tally);
  if (picks === undefined) return { ok: false, refusal: tally.refusal() };
  for (const { index, share } of picks) {
    draft.take(index, share);
    room?.take(share.memoryMiB, share.askedPercent ?? share.corePercent);
  }
  const shares = picks.map(({ share }) => share);
  return rules?.rating === undefined
    ? { ok: true, shares }
    : { ok: true, shares, chosen: picks.map(({ picture }) => picture) };
}

function picksOf(inputs: CardChoiceInputs, tally: Tally): readonly Pick[] | undefined {
  const { rules, policy, scoring, selector } = inputs;
  const scored =
    scoring === undefined || selector?.numaBound === true
      ? undefined
      : () => scoredPicks({ ...inputs, scoring }, tally);
  if (scored !== undefined && rules?.choose === undefined && !policy.topologyAware) return scored();
  const cards = cardsOf(inputs);
  cards.sort(compareCandidates(selector?.numaBound === true ? policy.numaBoundOrder : policy.order));
  if (rules?.choose !== undefined) return jointPicks(inputs, cards, tally, rules.choose);
  const linked = policy.topologyAware ? linkedPicks(inputs, cards) : undefined;
  if (linked !== undefined) return linked;
  return scored === undefined ? firstPicks(inputs, cards, tally) : scored();
}

/**
 * The first of the cards in order, where asking one changes no other's answer: only those that fit are put in order,
 * and a single one is found without. Undefined where a card could be picked twice.
 */
function choosePlain(inputs: CardChoiceInputs): CardChoice | undefined {
  const { view, draft, wanted, weights, policy, rules } = inputs;
  const question = questionOf(inputs, 1);
  const compare = compareCandidates(policy.order);
  const fitting: Candidate[] = [];
  const refused: CardReason[] = [];
  for (let index = 0; index < view.devices.length; index += 1) {
    const card = view.devices[index];
    if (card?.device.vendor !== wanted.vendor) continue;
    if (wanted.count > 1 && isCut(card.device)) return undefined;
    const { device } = card;
    const state = draft.at(index);
    const reason = refuseCard(card, state, question);
    if (reason !== undefined) {
      refused.push(reason);
      continue;
    }
    const { used } = state;
    const score = cardScore(device, used, wanted, weights, coresNeeded(wanted, device, rules));
    if (
      wanted.count === 1 &&
      fitting[0] !== undefined &&
      isBehind(score, fitting[0].score, policy.order[0])
    ) {
      continue;
    }
    const candidate = { index, device, used, score };
    if (wanted.count > 1 || fitting[0] === undefined) fitting.push(candidate);
    else if (compare(candidate, fitting[0]) < 0) fitting[0] = candidate;
  }
  if (fitting.length < wanted.count) {
    return { ok: false, refusal: refusalOf(inputs, refused, fitting.length) };
  }
  const chosen = wanted.count > 1 ? fitting.sort(compare).slice(0, wanted.count) : fitting;
  const shares = chosen.map((card) => {
    const { index, share } = pickOf(card, draft.at(card.index), inputs);
    draft.take(index, share);
    return share;
  });
  return { ok: true, shares };
}

/** True when the score alone tells that a card comes after another. */
function isBehind(score: number, other: number, firstKey: CardOrderKey | undefined): boolean {
  return firstKey === 'emptiest' ? score > other : firstKey === 'fullest' && score < other;
}

/** Of a container that gets too few cards: `fitting` would do, the others are refused for these reasons. */
function refusalOf(inputs: CardChoiceInputs, reasons: readonly CardReason[], fitting = 0): Refusal {
  const cards = reasons.length + fitting;
  const tally = new Tally(inputs, cards);
  if (cards === 0 || inputs.wanted.count > cards) return tally.tooFewCards();
  for (const reason of reasons) tally.refuse(reason);
  return tally.refusal(fitting);
}

function countCards({ view, wanted }: CardChoiceInputs): number {
  let cards = 0;
  for (const { device } of view.devices) if (device.vendor === wanted.vendor) cards += 1;
  return cards;
}

/** True when one card may stand for several of those wanted. */
function mayRepeat({ view, wanted, selector }: CardChoiceInputs): boolean {
  return (
    (selector?.modes === undefined || selector.modes.includes(migMode)) &&
    view.devices.some(
      ({ device }) => device.vendor === wanted.vendor && isCut(device) && device.migProfiles !== undefined,
    )
  );
}

/**
 * The best linked of the cards that fit, of one NUMA node where the pod is bound to one (Q28); undefined when there are
 * too few to choose from. They are chosen together, so each must be affordable as often as there will be cards.
 */
function linkedPicks(inputs: CardChoiceInputs, cards: readonly Card[]): readonly Pick[] | undefined {
  const { draft, wanted, selector } = inputs;
  const question = questionOf(inputs, wanted.count);
  const fitting = cards.filter((card) => refuseCard(card.view, draft.at(card.index), question) === undefined);
  let best: { readonly chosen: readonly Card[]; readonly links: number } | undefined;
  for (const group of selector?.numaBound === true ? byNuma(fitting) : [fitting]) {
    if (group.length < wanted.count) continue;
    const chosen = chooseLinked(group, wanted.count);
    const links = linkSum(chosen);
    if (best === undefined || links > best.links) best = { chosen, links };
  }
  return best?.chosen.map((card) => pickOf(card, draft.at(card.index), inputs));
}

/** As many of the cards that fit as the family wants to give together. */
function jointPicks(
  inputs: CardChoiceInputs,
  cards: readonly Card[],
  tally: Tally,
  choose: NonNullable<CardRules['choose']>,
): readonly Pick[] | undefined {
  const { draft, wanted } = inputs;
  const question = questionOf(inputs, wanted.count, tally);
  const fitting: Card[] = [];
  for (const card of cards) {
    const reason = refuseCard(card.view, draft.at(card.index), question);
    if (reason === undefined) fitting.push(card);
    else tally.refuse(reason);
  }
  const chosen = fitting.length < wanted.count ? fitting : choose(fitting, wanted);
  const picks = chosen.map((card) => pickOf(card, draft.at(card.index), inputs));
  if (picks.length >= wanted.count) return picks;
  for (const { share } of picks) tally.accept(share);
  tally.refuse('CardTopologyMismatch', fitting.length - picks.length);
  return undefined;
}

/** In an order whose first key is the NUMA node, one group per node, first come first. */
function byNuma(cards: readonly Card[]): readonly (readonly Card[])[] {
  return [...Map.groupBy(cards, ({ device }) => device.numa).values()];
}

/**
 * Takes one card after the other, a MIG card as often as it has room, until there are enough. With NUMA binding the
 * picks start anew on each NUMA node; what one gave that has not enough is counted as `NumaNotFit`.
 */
function firstPicks(
  inputs: CardChoiceInputs,
  cards: readonly Card[],
  tally: Tally,
): readonly Pick[] | undefined {
  const { draft, wanted, selector } = inputs;
  const question = questionOf(inputs, 1, tally);
  let picks: Pick[] = [];
  let numa: number | undefined;
  for (const card of cards) {
    const isNext = selector?.numaBound === true && card.device.numa !== numa;
    if (isNext && refuseOutright(card.view, selector) === undefined) {
      numa = card.device.numa;
      tally.leaveGroup();
      picks = [];
    }
    let state = draft.at(card.index);
    do {
      const reason = refuseCard(card.view, state, question);
      if (reason !== undefined) {
        tally.refuse(reason);
        break;
      }
      const pick = pickOf(card, state, inputs);
      picks.push(pick);
      tally.accept(pick.share);
      if (picks.length === wanted.count) return picks;
      state = withShare(state, pick.share);
    } while (isCut(card.device));
  }
  return undefined;
}
