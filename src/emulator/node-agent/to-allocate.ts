/**
 * The plugin's side of the allocation annotation (spec §1.9, §7.3): it takes the first entry that is not empty and
 * writes the rest back. Its codec treats the text behind the last `;` as one more container, so every round trip adds
 * a `;` to the value.
 */
import type { Share } from '../../model/allocation.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { decodeEntries, encodeAllocation } from '../../vendors/allocation-codec.ts';

export interface TakenEntry {
  /** The entry's position, which is that of its container: init containers first, then app containers. */
  readonly index: number;
  readonly shares: readonly Share[];
  /** The value that the plugin writes back. */
  readonly erased: string;
}

/** Takes the first non-empty entry. Refuses a value that cannot be decoded and one without any entry left. */
export function takeEntry(value: string, vendor: string): Parsed<TakenEntry> {
  const entries = decodeEntries(value, vendor);
  if (!entries.ok) return entries;
  const index = entries.value.findIndex((shares) => shares.length > 0);
  const shares = entries.value[index];
  if (shares === undefined) return unparsable('device request not found');
  const left = entries.value.map((entry, position) => (position === index ? [] : entry));
  const length = value.split(';').length;
  const encoded = encodeAllocation(left, vendor) ?? ';'.repeat(left.length);
  return parsed({ index, shares, erased: encoded + ';'.repeat(length - left.length) });
}
