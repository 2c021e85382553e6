/**
 * An amount of sGPU memory: a bare number is GiB, one with a suffix is bytes (vendors §8.5). The API server rewrites
 * numbers, 4000 becomes `4k`, so some texts do not say which of the two their author wrote. The reference reads those as
 * bytes, which come to no MiB, and gives the whole card; here a request with one is refused, and a quota counts GiB.
 */
import { integerOf, parseQuantity } from '../../model/quantity.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';

export type SgpuMemory =
  | { readonly kind: 'mib'; readonly memoryMiB: number }
  /** As GiB more than a card has, as bytes less than 2 MiB. */
  | { readonly kind: 'unclear'; readonly gib: number }
  /** What is wrong with it, in words that follow the value. */
  | { readonly kind: 'unreadable'; readonly fix: string };

const largestMiB = 2 ** 31 - 1;
const largestGiB = Math.floor(largestMiB / 1024);
const rule = 'it must be a whole number of GiB, or bytes with a suffix such as 2048Mi';

/** Parts of a MiB are cut off. Never throws. */
export function parseSgpuMemory(written: string): SgpuMemory {
  const quantity = parseQuantity(written);
  if (quantity === undefined) return unreadable('is not a number');
  const { numerator, denominator } = quantity;
  if (numerator < 0n) return unreadable('is negative');
  const whole = integerOf(quantity);
  const isBytes = /[a-z]/i.test(written);
  if (!isBytes && numerator % denominator !== 0n) return unreadable('has a fraction');
  if (!isBytes) {
    return whole !== undefined && whole <= largestGiB
      ? { kind: 'mib', memoryMiB: whole * 1024 }
      : unreadable('is too large');
  }
  if (numerator === 0n) return { kind: 'mib', memoryMiB: 0 };
  // Exponents and binary suffixes stay as they were written; these are what the API server makes of a bare number.
  const isRewritten = /[kMGTPE]$/.test(written) && whole !== undefined && whole <= largestGiB;
  if (isRewritten) return { kind: 'unclear', gib: whole };
  const memoryMiB = numerator / (denominator * 1024n * 1024n);
  if (memoryMiB === 0n) return unreadable('is less than 1 MiB');
  return memoryMiB <= BigInt(largestMiB)
    ? { kind: 'mib', memoryMiB: Number(memoryMiB) }
    : unreadable('is too large');
}

/** A quota's limit in MiB. Of many pods together a thousand GiB are likely, and a thousand bytes are not. Never throws. */
export function readSgpuMemoryLimit(written: string): Parsed<number> {
  const memory = parseSgpuMemory(written);
  switch (memory.kind) {
    case 'mib':
      return parsed(memory.memoryMiB);
    case 'unclear':
      return parsed(memory.gib * 1024);
    case 'unreadable':
      return unparsable(`${JSON.stringify(written)} ${memory.fix}`);
  }
}

function unreadable(fault: string): SgpuMemory {
  return { kind: 'unreadable', fix: `${fault}; ${rule}` };
}
