/**
 * What every way of choosing cards starts from and ends with: the question to a card, the cards in question, and the
 * share that one of them would give.
 */
import type { Share } from '../model/allocation.ts';
import { type Device, noUsage } from '../model/device.ts';
import { isCut, type MigPlacement } from '../model/mig.ts';
import type { DeviceView, NodeView } from '../model/node-view.ts';
import {
  type ContainerRequest,
  type DevicePolicy,
  type DeviceRequest,
  type DeviceSelector,
  memoryNeedMiB,
  type PodRequest,
  type ScoringWeights,
} from '../model/request.ts';
import type { CardPicture, CardRules } from '../vendors/card-rules.ts';
import { withRequest } from '../vendors/share-request.ts';
import { type Candidate, cardScore } from './card-order.ts';
import type { Tally } from './card-tally.ts';
import { type CardState, type Draft, pictureOf } from './draft.ts';
import { type CardQuestion, coresNeeded } from './fit-card.ts';
import { selectInstance } from './mig.ts';
import type { QuotaRoom } from './quota-room.ts';
import type { Scoring } from './scoring.ts';

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

/** A card with what its place in an order follows from. */
export interface Card extends Candidate, CardPicture {
  readonly view: DeviceView;
}

/** A card that was chosen, as it was before, and what is given of it. */
export interface Pick {
  readonly index: number;
  readonly picture: CardPicture;
  readonly share: Share;
}

/** The vendor's cards, whether they fit or not, in no order. */
export function cardsOf({ view: { devices }, draft, wanted, weights, rules }: CardChoiceInputs): Card[] {
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

/** What a card is asked; the quota must allow `times` such shares beside those that are `picked` already. */
export function questionOf(
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

export function pickOf({ index, device }: Candidate, state: CardState, inputs: CardChoiceInputs): Pick {
  return { index, share: shareOf(device, state.occupied, inputs), picture: pictureOf(device, state) };
}

export function shareOf(
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
