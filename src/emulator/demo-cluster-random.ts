/** Numbers that look like chance and repeat with their seed (mulberry32, public domain). */

/** Uniform in [0, 1). Sequences of different seeds have nothing to do with each other. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of the items, each with its weight's share of chance; there must be one. */
export function pickWeighted<T>(
  items: readonly (readonly [weight: number, item: T])[],
  random: () => number,
): T {
  let left = random() * items.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, item] of items) {
    left -= weight;
    if (left < 0) return item;
  }
  const last = items.at(-1);
  if (last === undefined) throw new RangeError('there is nothing to pick from');
  return last[1];
}

/** One of the items, all alike; there must be one. */
export function pick<T>(items: readonly T[], random: () => number): T {
  return pickWeighted(
    items.map((item) => [1, item] as const),
    random,
  );
}
