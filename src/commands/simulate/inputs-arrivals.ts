/**
 * Who comes when, under a seed: by the times of a trace, by the line of an order file, by an order drawn for a load or for
 * a churn; with none of them, every pod once as it stands in its file.
 */
import { readText } from '../../config/yaml-text.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { arrivalsByTime } from '../../simulator/arrivals-by-time.ts';
import { churnArrivals } from '../../simulator/arrivals-churn.ts';
import { arrivalsOf, drawnOrder, upToLoad } from '../../simulator/arrivals.ts';
import { type ArrivalOrder, parseOrders } from '../../simulator/openb-orders.ts';
import type { TracePod } from '../../simulator/openb-pods.ts';
import type { Arrival } from '../../simulator/replay.ts';
import type { SimulationInputOptions } from './inputs.ts';

export interface SeededArrivals {
  readonly arrivals: readonly Arrival[];
  /** By node; ties go to the lowest. Absent: to the node that comes first. */
  readonly rank?: readonly number[];
}

/** What an order speaks of. */
export interface Arriving {
  readonly pods: readonly TracePod[];
  /** What each of them asks for under a seed, in thousandths of a card. */
  readonly demandsOf: (seed: number) => readonly number[];
  /** How many nodes there are. */
  readonly nodes: number;
  /** Thousandths of a card that they have. */
  readonly capacityMilli: number;
}

/** Refuses an order file that cannot be read or speaks of other files, and times that are none. Never throws. */
export function arrivalsFrom(
  { order, load, times, churn }: Pick<SimulationInputOptions, 'order' | 'load' | 'times' | 'churn'>,
  arriving: Arriving,
): Parsed<(seed: number) => Parsed<SeededArrivals>> {
  const { pods, demandsOf, nodes, capacityMilli } = arriving;
  if (times !== undefined) {
    const arrivals = arrivalsByTime(pods, times === true ? undefined : times);
    return arrivals.ok ? parsed(() => parsed({ arrivals: arrivals.value })) : arrivals;
  }
  if (churn === true) {
    const presentMilli = (load ?? 1) * capacityMilli;
    return parsed((seed) => {
      const drawn = churnArrivals({ seed, demandsMilli: demandsOf(seed), nodes, presentMilli });
      return drawn.ok ? parsed({ arrivals: drawn.value.arrivals, rank: drawn.value.nodeRank }) : drawn;
    });
  }
  if (order !== undefined) {
    const text = readText(order);
    const rows = { pods: pods.length, nodes };
    const orders = text.ok ? parseOrders(text.value, rows) : text;
    if (!orders.ok) return unparsable(`${order}: ${orders.problem}`);
    return parsed((seed) => {
      const arrivals = ordered(orders.value, seed, load, arriving);
      return arrivals.ok ? arrivals : unparsable(`${order}: ${arrivals.problem}`);
    });
  }
  if (load === undefined) {
    const each = arrivalsOf(pods.map((_, index) => index));
    return parsed(() => parsed({ arrivals: each }));
  }
  return parsed((seed) => {
    const drawn = drawnOrder({
      seed,
      demandsMilli: demandsOf(seed),
      nodes,
      targetMilli: load * capacityMilli,
    });
    return drawn.ok ? parsed(seeded(drawn.value.arrivals, drawn.value.nodeRank)) : drawn;
  });
}

/** An order that ends short of the load by less than this part of the cluster has reached it: such are the published. */
const nearEnough = 0.01;

function ordered(
  orders: ReadonlyMap<number, ArrivalOrder>,
  seed: number,
  load: number | undefined,
  { demandsOf, capacityMilli }: Arriving,
): Parsed<SeededArrivals> {
  const order = orders.get(seed);
  if (order === undefined)
    return unparsable(`no order for seed ${seed}; there are ${[...orders.keys()].join(', ')}`);
  const { arrivals, nodeRank } = order;
  if (load === undefined) return parsed(seeded(arrivals, nodeRank));
  const demandsMilli = demandsOf(seed);
  const askedMilli = arrivals.reduce((sum, pod) => sum + (demandsMilli[pod] ?? 0), 0);
  if (askedMilli < (load - nearEnough) * capacityMilli) {
    const percent = capacityMilli === 0 ? 0 : (askedMilli / capacityMilli) * 100;
    return unparsable(
      `the order of seed ${seed} asks for ${percent.toFixed(1)} % of the cluster's cards; it does not reach a load of ${load}`,
    );
  }
  return parsed(seeded(upToLoad(arrivals, { demandsMilli, targetMilli: load * capacityMilli }), nodeRank));
}

function seeded(order: readonly number[], rank: readonly number[]): SeededArrivals {
  return { arrivals: arrivalsOf(order), rank };
}
