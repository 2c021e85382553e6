/**
 * The cards of one vendor for one container: all of them in the order of the device policy, asked one after the other
 * until there are enough, so that the counted reasons are those of HAMi's walk (spec §5.5, §5.6). Cards in MIG mode may
 * give several instances to one container, any other card gives one share.
 */
import type { Share } from '../model/allocation.ts';
import { type Device, noUsage } from '../model/device.ts';
import { isCut, type MigPlacement, migMode } from '../model/mig.ts';
import type { DeviceView, NodeView } from '../model/node-view.ts';
import type { CardReason, Refusal } from '../model/reason.ts';
import {
  type CardOrderKey,
  type ContainerRequest,
  type DevicePolicy,
  type DeviceRequest,
  type DeviceSelector,
  memoryNeedMiB,
  type PodRequest,
  type ScoringWeights,
} from '../model/request.ts';
import type { CardPicture, CardRules } from '../vendors/card-rules.ts';
import { type Candidate, cardScore, compareCandidates } from './card-order.ts';
import { withRequest } from '../vendors/share-request.ts';
import { Tally } from './card-tally.ts';
import { type CardState, type Draft, pictureOf, withShare } from './draft.ts';
import { type CardQuestion, coresNeeded, refuseCard, refuseOutright } from './fit-card.ts';
import { selectInstance } from './mig.ts';
import type { QuotaRoom } from './quota-room.ts';
import type { Scoring } from './scoring.ts';
import { chooseLinked, linkSum } from './topology.ts';

export interface CardChoiceInputs {
  readonly view: NodeView;
  /** The choice is taken from it. */
  readonly draft: Draft;
  readonly request: PodRequest;
  readonly container: ContainerRequest;
  readonly wanted: DeviceRequest;
  readonly selector: DeviceSelector | undefined;
  readonly policy: DevicePolicy;
  readonly weights: ScoringWeights;
  /** Chooses in place of the policy's order, where it is in force. */
  readonly scoring: Scoring | undefined;
  /** What the namespace's quota leaves; the choice is taken from it, too. */
  readonly room: QuotaRoom | undefined;
  /** What the family does differently. */
  readonly rules: CardRules | undefined;
}

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

interface Card extends Candidate, CardPicture {
  readonly view: DeviceView;
}

interface Pick {
  readonly index: number;
  readonly picture: CardPicture;
  readonly share: Share;
}

/** The vendor's cards, whether they fit or not, in no order. */
function cardsOf({ view: { devices }, draft, wanted, weights, rules }: CardChoiceInputs): Card[] {
  const cards: Card[] = [];
  for (let index = 0; index < devices.length; index += 1) {
    const view = devices[index];
    if (view?.device.vendor !== wanted.vendor) continue;
    const { device } = view;
    const { used, kinds } = draft.at(index);
    const score = cardScore(device, used, wanted, weights, coresNeeded(wanted, device, rules));
    cards.push({ index, device, used, kinds, score, view });
  }
  return cards;
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

/** What a card is asked; the quota must allow `times` such shares beside those that are `picked` already. */
function questionOf(
  { room, wanted, selector, policy, rules }: CardChoiceInputs,
  times: number,
  tally?: Tally,
): CardQuestion {
  const question = { request: wanted, selector, idleOnly: policy.idleOnly, rules };
  if (room === undefined) return question;
  return {
    ...question,
    quotaAllows: (memoryMiB, corePercent) => {
      const { picked } = tally ?? { picked: noUsage };
      const inTheWay = room.allows(
        picked.memoryMiB + times * memoryMiB,
        picked.corePercent + times * corePercent,
      );
      if (tally !== undefined && inTheWay !== undefined) tally.quota = inTheWay;
      return inTheWay === undefined;
    },
  };
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

/**
 * One card after the other, each time the one that the scoring rates highest beside those that are picked already. What
 * is picked is in the draft while the next is looked for.
 */
function scoredPicks(
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

function pickOf({ index, device }: Candidate, state: CardState, inputs: CardChoiceInputs): Pick {
  return { index, share: shareOf(device, state.occupied, inputs), picture: pictureOf(device, state) };
}

function shareOf(
  device: Device,
  occupied: readonly MigPlacement[],
  { wanted, rules }: CardChoiceInputs,
): Share {
  const { vendor, id: deviceId } = device;
  const cut = isCut(device) ? selectInstance(device, occupied, wanted.memory) : undefined;
  if (cut !== undefined) {
    return { vendor, deviceId, memoryMiB: cut.memoryMiB, corePercent: cut.corePercent, mig: cut.instance };
  }
  const memoryMiB = memoryNeedMiB(wanted.memory, device);
  const share = { vendor, deviceId, memoryMiB, corePercent: coresNeeded(wanted, device, rules) };
  return wanted.kind === undefined && rules?.coresOf === undefined
    ? share
    : withRequest(share, wanted, rules);
}
