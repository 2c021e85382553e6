/** Compute units of AMD cards: which ones a container may use, in the grammar of ROCm, e.g. `0-3,8` (vendors §14.8). */
import { type Parsed, parsed, unparsable } from '../../../model/result.ts';

const listFormat = /^\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*$/;

/** The units that a list names, of a card with `total`. Never throws. */
export function parseUnits(text: string, total: number): Parsed<readonly number[]> {
  if (!listFormat.test(text)) return unparsable(`${JSON.stringify(text)} is no list of compute units`);
  const units: number[] = [];
  for (const part of text.split(',')) {
    const [first = 0, last = first] = part.split('-').map(Number);
    if (last < first || last >= total) return unparsable(`compute units ${part} of a card with ${total}`);
    for (let unit = first; unit <= last; unit += 1) units.push(unit);
  }
  return parsed(units);
}

/** @param units ascending */
export function formatUnits(units: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const unit of units) {
    const range = ranges.at(-1);
    if (range !== undefined && unit === range.last + 1) range.last = unit;
    else ranges.push({ first: unit, last: unit });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join();
}

/** The first free units of a card, ascending; undefined where there are fewer, or none is asked for. */
export function freeUnits(
  taken: ReadonlySet<number>,
  total: number,
  count: number,
): readonly number[] | undefined {
  const free = Array.from({ length: total }, (_, unit) => unit).filter((unit) => !taken.has(unit));
  return count > 0 && free.length >= count ? free.slice(0, count) : undefined;
}
