/**
 * The subset of a given size whose pairs weigh most together. Few positions are tried in every combination; of many
 * there are too many combinations (16 over 8 are 12,870, with 28 pairs each), so there the search is one of bounded cost
 * whose answer is good but not proven best. The same weights always give the same subset.
 */

/** The weight of a pair of positions, whichever comes first; it may be 0 or negative. */
export type PairWeight = (a: number, b: number) => number;

/** Up to so many positions every combination is tried: 8 over 4 are 70. */
const mostEnumerated = 8;
/** Beyond that, so many of the grown subsets are improved, each by so many swaps at most. */
const mostImproved = 4;
const mostSwaps = 4;

/**
 * `count` of the positions 0 to `total` - 1, ascending. Up to eight positions it is the first of the heaviest subsets in
 * lexicographic order. Beyond that a subset is grown greedily from every position, and the heaviest of those are
 * improved by swapping a member for a non-member; the answer is never lighter than what was grown. That asks for at most
 * `total × count × (total - 1)` weights to grow and `16 × (count × (total - count) + 2 × (total - 1))` to improve: 3,424
 * for 16 over 8.
 */
export function heaviestSubset(total: number, count: number, weight: PairWeight): readonly number[] {
  if (count <= 0) return [];
  if (count >= total) return Array.from({ length: total }, (_, position) => position);
  return total <= mostEnumerated ? bestOfAll(total, count, weight) : bestFound(total, count, weight);
}

function bestOfAll(total: number, count: number, weight: PairWeight): readonly number[] {
  let best: readonly number[] = [];
  let most = -Infinity;
  const extend = (members: readonly number[], from: number, sum: number): void => {
    if (members.length === count) {
      if (sum > most) [best, most] = [members, sum];
      return;
    }
    for (let next = from; next <= total - (count - members.length); next += 1) {
      const more = members.reduce((part, member) => part + weight(member, next), 0);
      extend([...members, next], next + 1, sum + more);
    }
  };
  extend([], 0, 0);
  return best;
}

function bestFound(total: number, count: number, weight: PairWeight): readonly number[] {
  const grown = new Map<string, Subset>();
  for (let start = 0; start < total; start += 1) {
    const subset = grow(new Subset(total, weight), start, count);
    const key = subset.members().join();
    // Starts that are close to each other grow the same subset.
    if (!grown.has(key)) grown.set(key, subset);
  }
  const heaviest = [...grown.values()].sort((a, b) => b.sum - a.sum).slice(0, mostImproved);
  for (const subset of heaviest) improve(subset);
  return heaviest.reduce((best, subset) => (subset.sum > best.sum ? subset : best)).members();
}

function grow(subset: Subset, start: number, count: number): Subset {
  subset.add(start);
  for (let size = 1; size < count; size += 1) {
    subset.add(
      subset.others().reduce((best, other) => (subset.pull(other) > subset.pull(best) ? other : best)),
    );
  }
  return subset;
}

function improve(subset: Subset): void {
  for (let swaps = 0; swaps < mostSwaps; swaps += 1) {
    const swap = subset.bestSwap();
    if (swap === undefined) return;
    subset.remove(swap.member);
    subset.add(swap.other);
  }
}

/** A subset that knows at any time how strongly each position is drawn to its members. */
class Subset {
  readonly #weight: PairWeight;
  readonly #pulls: number[];
  readonly #isMember: boolean[];
  #sum = 0;

  constructor(total: number, weight: PairWeight) {
    this.#weight = weight;
    this.#pulls = Array.from({ length: total }, () => 0);
    this.#isMember = Array.from({ length: total }, () => false);
  }

  /** The weight of all pairs of members. */
  get sum(): number {
    return this.#sum;
  }

  /** The weight of all pairs of this position and a member. */
  pull(position: number): number {
    return this.#pulls[position] ?? 0;
  }

  members(): readonly number[] {
    return this.#positions(true);
  }

  others(): readonly number[] {
    return this.#positions(false);
  }

  add(position: number): void {
    this.#sum += this.pull(position);
    this.#isMember[position] = true;
    this.#shift(position, 1);
  }

  remove(position: number): void {
    this.#sum -= this.pull(position);
    this.#isMember[position] = false;
    this.#shift(position, -1);
  }

  /** The swap that adds most weight, the first of equals; undefined when none adds any. */
  bestSwap(): { readonly member: number; readonly other: number } | undefined {
    let best: { readonly member: number; readonly other: number } | undefined;
    let most = 0;
    const others = this.others();
    for (const member of this.members()) {
      for (const other of others) {
        const gain = this.pull(other) - this.#weight(member, other) - this.pull(member);
        if (gain > most) [best, most] = [{ member, other }, gain];
      }
    }
    return best;
  }

  #shift(position: number, sign: 1 | -1): void {
    for (const other of this.#pulls.keys()) {
      if (other !== position) this.#pulls[other] = this.pull(other) + sign * this.#weight(position, other);
    }
  }

  #positions(isMember: boolean): readonly number[] {
    return [...this.#isMember.keys()].filter((position) => this.#isMember[position] === isMember);
  }
}
