/** Identifiers in the shape of the drivers': the same in every run, and different for everything that is different. */
import { createHash } from 'node:crypto';

/** @param of what it identifies, in words that nothing else has */
export function nvmlUuid(kind: 'GPU' | 'MIG', of: string): string {
  return `${kind}-${uuidOf(of)}`;
}

/** A UUID without any prefix. */
export function uuidOf(of: string): string {
  const hex = createHash('sha256').update(of).digest('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)];
  return parts.join('-');
}
