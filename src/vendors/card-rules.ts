/**
 * What a family does differently when cards are chosen. The planner asks these hooks where its own rules end; each sees
 * cards of its own family alone and decides without I/O, clock or chance. A family without any is placed by the common
 * rules, which is faster, too.
 */
import type { Device, DeviceUsage, VendorKey } from '../model/device.ts';
import type { CardReason } from '../model/reason.ts';
import type { DeviceRequest } from '../model/request.ts';

/** A card as it is at one moment of a plan. */
export interface CardPicture {
  readonly device: Device;
  readonly used: DeviceUsage;
  /** The kind of every share on the card that has one, in no order. */
  readonly kinds: readonly string[];
}

/** What one container was given of a family. */
export interface ChosenCards<C extends CardPicture = CardPicture> {
  readonly wanted: DeviceRequest;
  /** As they were before the choice. */
  readonly cards: readonly C[];
}

export interface CardRules {
  /**
   * How much of a device's compute a share of so many percent takes, in the device's own units; the percentage itself
   * where left out. What an allocation's entry says is this.
   */
  readonly coresOf?: (device: Device, corePercent: number) => number;
  /** Why the card is no place for the request, beside health, selection and amounts; undefined: it is one. */
  readonly accept?: (card: CardPicture, wanted: DeviceRequest) => CardReason | undefined;
  /**
   * `wanted.count` of the cards that fit, which come best first by policy and are at least as many. A shorter answer
   * refuses the node: only so many could be had together.
   */
  readonly choose?: <C extends CardPicture>(fitting: readonly C[], wanted: DeviceRequest) => readonly C[];
  /** How well the cards chosen for a pod suit it and what is left. */
  readonly rating?: CardRating;
}

export interface CardRating {
  /** Its part in a node's score, 0 to less than 1; the rest is the node policy's. */
  readonly weight: number;
  /**
   * 0 to 1, higher is better, and comparable between nodes; undefined for requests of which the family has nothing to
   * say on any node, so that the policy alone decides.
   *
   * @param chosen one per container that has cards of the family
   * @param cards all cards of the family on the node, as they were before the pod
   */
  readonly rate: (
    chosen: readonly ChosenCards[],
    cards: readonly CardPicture[],
    policy: 'binpack' | 'spread',
  ) => number | undefined;
}

/** The rules of the families that have some. */
export type CardRulesByVendor = ReadonlyMap<VendorKey, CardRules>;

export const noCardRules: CardRulesByVendor = new Map();
