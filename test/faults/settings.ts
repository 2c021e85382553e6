/** What the environment may say of a run of the fault suite. */

/**
 * As many seeds as are asked for, from the first; or those of `TESSERA_FAULT_SEED`: one, to see a history again, or a
 * range such as `101-300`, to look for more.
 */
export function seeds(count: number, first = 1): readonly number[] {
  const [from = NaN, to = from] = (process.env['TESSERA_FAULT_SEED'] ?? '')
    .split('-')
    .filter(Boolean)
    .map(Number);
  const [begin, end] = Number.isNaN(from) ? [first, first + count - 1] : [from, to];
  return Array.from({ length: end - begin + 1 }, (_, index) => begin + index);
}

/** What the last lines that are shown of a failed history speak of, and how many there are: `TESSERA_FAULT_TRACE=pod-12:200`. */
export function shownLines(): { readonly about: string; readonly count: number } {
  const [about = '', count = '40'] = (process.env['TESSERA_FAULT_TRACE'] ?? '').split(':');
  return { about, count: Number(count) };
}
