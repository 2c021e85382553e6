/**
 * What is expected to be asked of the cards of one family, against what there is of them: how often each class comes and
 * how much it weighs, and how much CPU goes with a card. Pods that ask for no device come to all cards of a cluster
 * alike, so a family gets its part of them by its part of the cards.
 */
import type { VendorKey } from '../../model/device.ts';
import type { CardRules } from '../../vendors/card-rules.ts';
import { needOf } from './card-need.ts';
import { computeWeight, partMilli, scaleOf } from './card-scale.ts';
import type { WeightedClass } from './request-class.ts';
import { ofVendor, type Supply } from './supply.ts';

export interface ClassDemand {
  readonly entry: WeightedClass;
  /** The part of all pods that are of this class, 0 to 1. */
  readonly popularity: number;
  /** The part of the family's cards that it could be given, above 0 to 1. */
  readonly access: number;
  /** How much it counts whether a card is of use to the class. */
  readonly weight: number;
}

export interface VendorDemand {
  readonly vendor: VendorKey;
  /** See `computeWeight`. */
  readonly computeWeight: number;
  /** The classes that ask for cards of the family. */
  readonly classes: readonly ClassDemand[];
  /** Of all classes together, those without devices included. */
  readonly weight: number;
  /** Thousandths of a core that must be there for each thousandth of a card; 0 where nothing is known. */
  readonly cpuPerMilli: number;
}

/** A pod that asks for no device counts so much less than one that does. */
const weightWithoutDevices = 0.4;
/** How steeply the weight of classes that are bound to types grows with what is asked of those types. */
const scarcityFactor = 4;
/** A class that could use more than this part of the cards is bound to nothing. */
const unboundAccess = 0.999;
/** Scarcity beyond this is not believed: it is twice what was ever measured, and one class would outweigh all others. */
const mostScarcity = 3;
/**
 * Pods of several cards find their nodes taken apart where others come and go, so where they ask for more than this part
 * of the cards, they weigh more by a power of their number of cards that grows with it. Found with pods that leave, on a
 * workload made for that; without it 3.5 % of the cards are lost there.
 */
const usualMultiPart = 0.1;
const multiFactor = 2;
/** The part of the usual CPU per card below which a card is stranded. */
const cpuMargin = 0.75;

/** @param classes all that are expected; those of other families are left out of account */
export function vendorDemand(
  vendor: VendorKey,
  classes: readonly WeightedClass[],
  supply: Supply,
  rules: CardRules | undefined,
): VendorDemand {
  const weight = computeWeight(classes, vendor);
  const kinds = ofVendor(supply, vendor);
  const allCards = Math.max(1, cardsOf(kinds));
  const without = classes.filter((entry) => entry.vendor === undefined);
  const partOfCluster = allCards / Math.max(allCards, cardsOf(supply));
  const podsWithout = partOfCluster * sumOf(without, (entry) => entry.weight);
  const asked = classes.flatMap((entry) =>
    entry.vendor === vendor ? [{ entry, ...reachOf(entry, kinds, weight, rules) }] : [],
  );
  const pods = podsWithout + sumOf(asked, ({ entry }) => entry.weight);
  const base = weightWithoutDevices * podsWithout + sumOf(asked, ({ entry }) => entry.weight);
  const demand = sumOf(asked, ({ entry, milli }) => entry.weight * milli);
  const ofSeveral = sumOf(asked, ({ entry, milli }) => (entry.count > 1 ? entry.weight * milli : 0));
  const power = demand > 0 ? multiFactor * Math.max(0, ofSeveral / demand - usualMultiPart) : 0;
  const insideOf = memoized((mask: bigint) =>
    sumOf(asked, (other) => ((other.mask & ~mask) === 0n ? other.entry.weight * other.milli : 0)),
  );
  const demanded = asked.map(({ entry, mask, cards }): ClassDemand => {
    const access = Math.max(1, cards) / allCards;
    // All may ask for so little that it rounds to nothing.
    const scarcity = demand > 0 ? Math.min(mostScarcity, insideOf(mask) / demand / access) : 0;
    const isBound = cards > 0 && access < unboundAccess;
    const boost = (isBound ? 1 + scarcityFactor * scarcity * scarcity : 1) * entry.count ** power;
    return { entry, access, popularity: entry.weight / pods, weight: (entry.weight / base) * boost };
  });
  const ofUse = asked.filter(({ cards }) => cards > 0);
  const cpu = sumOf(ofUse, ({ entry }) => (entry.weight / pods) * entry.cpuMilli);
  const milli = sumOf(ofUse, (one) => (one.entry.weight / pods) * one.milli);
  const weightOfWithout = base > 0 ? (weightWithoutDevices * podsWithout) / base : 0;
  return {
    vendor,
    computeWeight: weight,
    classes: demanded,
    weight: weightOfWithout + sumOf(demanded, (one) => one.weight),
    cpuPerMilli: milli > 0 ? (cpuMargin * cpu) / milli : 0,
  };
}

interface Reach {
  /** A bit per kind that the class could use. */
  readonly mask: bigint;
  /** How many cards that are. */
  readonly cards: number;
  /**
   * Thousandths of cards that one pod takes, on the cards that it could use; 0 where there are none, because what nobody
   * could ever be given weighs on no card.
   */
  readonly milli: number;
}

function reachOf(entry: WeightedClass, kinds: Supply, weight: number, rules: CardRules | undefined): Reach {
  let mask = 0n;
  let cards = 0;
  let milli = 0;
  for (const [bit, { device, cards: ofKind }] of kinds.entries()) {
    const need = needOf(entry, device, rules);
    if (need === undefined) continue;
    mask |= 1n << BigInt(bit);
    cards += ofKind;
    milli += ofKind * partMilli(scaleOf(device, weight), need.memoryMiB, need.cores);
  }
  return { mask, cards, milli: cards > 0 ? (entry.count * milli) / cards : 0 };
}

function cardsOf(supply: Supply): number {
  return sumOf(supply, ({ cards }) => cards);
}

function sumOf<T>(items: readonly T[], amountOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + amountOf(item), 0);
}

function memoized(of: (mask: bigint) => number): (mask: bigint) => number {
  const known = new Map<bigint, number>();
  return (mask) => {
    let value = known.get(mask);
    if (value === undefined) known.set(mask, (value = of(mask)));
    return value;
  };
}
