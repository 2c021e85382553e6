/**
 * In which order the pods of a workload come where no file says so. The protocol is that of the published experiment
 * (Weng et al., "Beware of Fragmentation", USENIX ATC 2023): pods are shuffled, then drawn again by chance until they ask
 * for a given load, or cut off there if they ask for more; nodes get a rank by chance. The source of chance is our own,
 * so an order from here is alike in kind to a published one of the same seed and never equal to it.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { ArrivalOrder } from './openb-orders.ts';
import type { Arrival } from './replay.ts';
import { seededRandom, shuffledNumbers } from './seeded-random.ts';

export interface OrderWish {
  readonly seed: number;
  /** What each pod of the workload asks for, in thousandths of a card. */
  readonly demandsMilli: readonly number[];
  /** How many nodes there are. */
  readonly nodes: number;
  /** Load times capacity, in thousandths of a card. */
  readonly targetMilli: number;
}

/** Beyond this somebody has asked for a load that the workload reaches in no sensible time. */
export const mostArrivals = 5_000_000;

/**
 * An order that reaches the target, and goes beyond it by its last pod alone. Refuses where the pods ask for nothing, or
 * for so little that there would be too many of them. The same wish gives the same order.
 */
export function drawnOrder({ seed, demandsMilli, nodes, targetMilli }: OrderWish): Parsed<ArrivalOrder> {
  const random = seededRandom(seed);
  const arrivals: number[] = [];
  let askedMilli = 0;
  const add = (pod: number) => {
    arrivals.push(pod);
    askedMilli += demandsMilli[pod] ?? 0;
  };
  for (const pod of shuffledNumbers(demandsMilli.length, random)) {
    if (askedMilli > targetMilli) break;
    add(pod);
  }
  if (askedMilli === 0) return unparsable('no pod of the workload asks for a card, so it makes no load');
  while (askedMilli <= targetMilli) {
    if (arrivals.length >= mostArrivals)
      return unparsable(`more than ${mostArrivals} pods would have to come for that load`);
    add(Math.floor(random() * demandsMilli.length));
  }
  return parsed({ seed, arrivals, nodeRank: shuffledNumbers(nodes, random) });
}

/** Of an order the part that comes while no more than the target has been asked for. */
export function upToLoad(
  order: readonly number[],
  { demandsMilli, targetMilli }: Pick<OrderWish, 'demandsMilli' | 'targetMilli'>,
): readonly number[] {
  let askedMilli = 0;
  const end = order.findIndex((pod) => {
    const isBeyond = askedMilli > targetMilli;
    askedMilli += demandsMilli[pod] ?? 0;
    return isBeyond;
  });
  return end < 0 ? order : order.slice(0, end);
}

/** One pod a second, and none leaves. */
export function arrivalsOf(order: readonly number[]): readonly Arrival[] {
  return order.map((pod, atSeconds) => ({ pod, atSeconds }));
}
