/**
 * Arrivals that leave again, for a cluster that has been in use for long. No file says how long pods stay, so that is
 * drawn: each stays until so much further demand has been asked for, exponentially distributed about load times
 * capacity, so the demand that is present keeps to the load. Time is demand here; a second is a thousandth of a card
 * asked for. It begins in the midst of things: as much as the load comes at once, since with such stays those who are
 * there at any moment stay on as long as those who come.
 */
import { type Parsed, parsed } from '../model/result.ts';
import { drawnOrder } from './arrivals.ts';
import type { Arrival } from './replay.ts';
import { seededRandom } from './seeded-random.ts';

export interface ChurnWish {
  readonly seed: number;
  /** What each pod of the workload asks for, in thousandths of a card. */
  readonly demandsMilli: readonly number[];
  /** How many nodes there are. */
  readonly nodes: number;
  /** Load times capacity, in thousandths of a card: what is present on average, and how long a pod stays. */
  readonly presentMilli: number;
}

export interface ChurnArrivals {
  readonly arrivals: readonly Arrival[];
  readonly nodeRank: readonly number[];
}

/** How often the load is asked for in all: once at the start, once before figures are taken, and three times more. */
export const churnRounds = 5;
/** Of these, how many are over before figures are taken. */
export const churnWarmUpRounds = 2;

/** Orders are drawn from the first stream of a seed, and a policy's chance from the second. */
const staysStream = 2;

/** In order of time. Refuses what `drawnOrder` refuses. The same wish gives the same arrivals. */
export function churnArrivals({ presentMilli, ...wish }: ChurnWish): Parsed<ChurnArrivals> {
  const drawn = drawnOrder({ ...wish, targetMilli: churnRounds * presentMilli });
  if (!drawn.ok) return drawn;
  const { arrivals: order, nodeRank } = drawn.value;
  const random = seededRandom(wish.seed, staysStream);
  let askedMilli = 0;
  const arrivals = order.map((pod): Arrival => {
    const atSeconds = Math.max(0, askedMilli - presentMilli);
    askedMilli += wish.demandsMilli[pod] ?? 0;
    // Never the logarithm of 0.
    return { pod, atSeconds, untilSeconds: atSeconds - presentMilli * Math.log(1 - random()) };
  });
  return parsed({ arrivals, nodeRank });
}
