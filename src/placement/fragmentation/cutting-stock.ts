/**
 * What room on a card is worth when requests of known sizes are cut from cards, as lengths are cut from stock: the dual
 * of the cutting-stock problem. With rates λ of the sizes a, it is the prices π ≥ 0 of largest Σ λπ for which nothing
 * that can be cut from one card is worth more than one card. They are found by generating the patterns of cutting that
 * are needed (P. C. Gilmore and R. E. Gomory, "A linear programming approach to the cutting-stock problem", Operations
 * Research 9, 1961). Sizes and room are in hundredths of a card.
 */

export const wholeCard = 100;
const milliOfCard = 1000;

/** A pattern that is worth no more than this above one card is no better than those at hand. */
const gain = 1e-7;
const tiny = 1e-9;
/** Some tens are needed; a limit in case rounding makes it go round in circles. */
const mostSteps = 2000;
/** Prices are whole multiples of this (a power of two), so that sums over cards do not depend on their order. */
const grain = 2 ** -30;

/** What every amount of room, 0 to 100 hundredths, is worth in thousandths of a card: the best that can be cut from it. */
export function roomPrices(rates: ArrayLike<number>): Float64Array {
  const sizes: number[] = [];
  for (let size = 1; size <= wholeCard; size += 1) if ((rates[size] ?? 0) > 0) sizes.push(size);
  const prices = sizePrices(
    sizes,
    sizes.map((size) => rates[size] ?? 0),
  );
  return bestCut(sizes, prices, 0).worth.map((worth) => Math.round((worth * milliOfCard) / grain) * grain);
}

/** The dual price of each size, in cards. */
export function sizePrices(sizes: readonly number[], rates: readonly number[]): readonly number[] {
  const basis = new Basis(sizes, rates);
  for (let step = 0; step < mostSteps; step += 1) {
    const prices = basis.prices();
    const below = indexOfLeast(prices);
    if (below !== undefined) {
      // More of a size may be cut than is asked for, which costs nothing; so no price is below 0.
      basis.bring(
        sizes.map((_, index) => (index === below ? -1 : 0)),
        0,
      );
      continue;
    }
    const { worth, pattern } = bestCut(sizes, prices, tiny / 1000);
    if ((worth[wholeCard] ?? 0) <= 1 + gain || !basis.bring(pattern(), 1)) return prices;
  }
  return basis.prices();
}

function indexOfLeast(prices: readonly number[]): number | undefined {
  let least: number | undefined;
  for (const [index, price] of prices.entries()) {
    if (price < -tiny && (least === undefined || price < (prices[least] ?? 0))) least = index;
  }
  return least;
}

interface BestCut {
  /** By room: the largest sum of prices that can be cut from it. */
  readonly worth: Float64Array;
  /** How often each size is cut from a whole card for that. */
  readonly pattern: () => readonly number[];
}

/** The knapsack in whole numbers, of sizes in ascending order; a cut must be better by more than `margin` to be preferred to an earlier one. */
function bestCut(sizes: readonly number[], prices: readonly number[], margin: number): BestCut {
  const worth = new Float64Array(wholeCard + 1);
  const cut = new Int32Array(wholeCard + 1).fill(-1);
  for (let room = 1; room <= wholeCard; room += 1) {
    let best = worth[room - 1] ?? 0;
    for (let index = 0; index < sizes.length; index += 1) {
      const size = sizes[index] ?? wholeCard;
      if (size > room) break;
      const value = (worth[room - size] ?? 0) + (prices[index] ?? 0);
      if (value <= best + margin) continue;
      best = value;
      cut[room] = index;
    }
    worth[room] = best;
  }
  return {
    worth,
    pattern: () => {
      const times = sizes.map(() => 0);
      for (let room = wholeCard; room > 0;) {
        const index = cut[room] ?? -1;
        const size = sizes[index];
        if (size === undefined) room -= 1;
        else {
          times[index] = (times[index] ?? 0) + 1;
          room -= size;
        }
      }
      return times;
    },
  };
}

/** The patterns in use, one per size: the revised simplex method with the inverse of their matrix written out. */
class Basis {
  readonly #inverse: Float64Array[];
  /** How often each pattern is cut. */
  readonly #amounts: Float64Array;
  readonly #costs: Float64Array;

  /** Starts with the patterns that cut one size alone. */
  constructor(sizes: readonly number[], rates: readonly number[]) {
    const perCard = sizes.map((size) => Math.floor(wholeCard / size));
    this.#inverse = perCard.map((times, row) => {
      const values = new Float64Array(perCard.length);
      values[row] = 1 / times;
      return values;
    });
    this.#amounts = Float64Array.from(perCard, (times, index) => (rates[index] ?? 0) / times);
    this.#costs = new Float64Array(perCard.length).fill(1);
  }

  prices(): readonly number[] {
    const prices = new Float64Array(this.#costs.length);
    for (const [row, values] of this.#inverse.entries()) {
      const cost = this.#costs[row] ?? 0;
      if (cost !== 0) addTimes(prices, values, cost);
    }
    return [...prices];
  }

  /** Takes a pattern in, in place of the one that its use brings to nothing first; false where there is none. */
  bring(pattern: readonly number[], cost: number): boolean {
    // Few sizes go into one card.
    const cuts = [...pattern.entries()].filter(([, times]) => times !== 0);
    const direction = this.#inverse.map((values) =>
      cuts.reduce((sum, [column, times]) => sum + (values[column] ?? 0) * times, 0),
    );
    let leaving: number | undefined;
    let amount = Infinity;
    for (const [row, change] of direction.entries()) {
      if (change <= tiny) continue;
      const ratio = (this.#amounts[row] ?? 0) / change;
      if (ratio >= amount - tiny * 1e-6) continue;
      amount = ratio;
      leaving = row;
    }
    if (leaving === undefined) return false;
    const pivot = direction[leaving] ?? 1;
    const old = this.#inverse[leaving] ?? new Float64Array();
    for (const [row, values] of this.#inverse.entries()) {
      const change = direction[row] ?? 0;
      if (row === leaving || change === 0) continue;
      this.#amounts[row] = (this.#amounts[row] ?? 0) - amount * change;
      addTimes(values, old, -(change / pivot));
    }
    this.#inverse[leaving] = old.map((value) => value / pivot);
    this.#amounts[leaving] = amount;
    this.#costs[leaving] = cost;
    return true;
  }
}

/** The most of the work, so without iterators, which take several times as long. */
function addTimes(sums: Float64Array, values: Float64Array, factor: number): void {
  for (let at = 0; at < sums.length; at += 1) sums[at] = (sums[at] ?? 0) + factor * (values[at] ?? 0);
}
