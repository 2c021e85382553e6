/**
 * How well a node's MetaX cards suit a pod (vendors §8.7). An online pod is best where it disturbs nobody; a pod with
 * cards of its own, where they are linked and the links that it breaks are few. Whether nodes are packed or spread does
 * not matter for either. Of any other pod there is nothing to say.
 */
import type { CardPicture, CardRating, ChosenCards } from '../card-rules.ts';
import { countClasses } from './metax-sgpu-cards.ts';
import { parseKind } from './metax-sgpu-kind.ts';
import { factsOf } from './metax-sgpu-publication.ts';

export const sgpuRating: CardRating = {
  // The reference multiplies by 10000, so that its policy only decides between nodes that are equal otherwise. Of the
  // steps of the rates below, the smallest is twice what is left, for as many cards as a machine mostly has.
  weight: 0.9995,
  rate: (chosen, cards) => {
    const isOnline = chosen.some(({ wanted }) => parseKind(wanted.kind).appClass === 'online');
    if (isOnline) return rateOnline(cardsOf(chosen, cards));
    const alone = chosen.filter(({ wanted }) => parseKind(wanted.kind).wantsLinks);
    return alone.length === 0 ? undefined : rateLinks(alone, cards);
  },
};

/** Each card that was chosen, once, as it was before the pod. */
function cardsOf(chosen: readonly ChosenCards[], cards: readonly CardPicture[]): readonly CardPicture[] {
  const ids = new Set(chosen.flatMap((choice) => choice.cards.map(({ device }) => device.id)));
  return cards.filter(({ device }) => ids.has(device.id));
}

/** Beyond what a node's slots make possible. */
const mostDisturbance = 2000;

/** 100 points off for each offline container that would be stopped; 20 for an online one beside it, 2 for one stopped already. */
function rateOnline(cards: readonly CardPicture[]): number {
  const disturbance = cards.reduce((sum, { kinds }) => {
    const { online, offline } = countClasses(kinds.map(parseKind));
    return sum + (online === 0 ? 100 * offline : 20 * online + 2 * offline);
  }, 0);
  return 1 - disturbance / mostDisturbance;
}

/** More cards than a node has; a link lost beyond that does not count. */
const mostCards = 64;

/** 10 for each link between the cards that the pod gets, 1 off for each between them and cards that would be left idle. */
function rateLinks(chosen: readonly ChosenCards[], cards: readonly CardPicture[]): number {
  const given = cardsOf(chosen, cards);
  const idle = cards.filter(({ used }) => used.slots === 0);
  const left = idle.filter((card) => !given.includes(card));
  const kept = linksAmong(given);
  const lost = linksAmong(idle) - kept - linksAmong(left);
  // By what was asked for, which is the same on every node.
  const asked = chosen.reduce((sum, { wanted }) => sum + wanted.count, 0);
  const most = (asked * (asked - 1)) / 2;
  const mostLost = asked * mostCards;
  return (10 * kept - lost + mostLost) / (10 * most + mostLost);
}

/** Pairs of cards in one zone. */
function linksAmong(cards: readonly CardPicture[]): number {
  const zones = Map.groupBy(cards, ({ device }) => Math.max(0, factsOf(device).linkZone));
  zones.delete(0);
  return [...zones.values()].reduce((sum, { length }) => sum + (length * (length - 1)) / 2, 0);
}
