/** One of the items, all alike, in constant time; there must be one. */
export function anyOf<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('there is nothing to take');
  return item;
}
