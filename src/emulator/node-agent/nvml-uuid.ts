/** Identifiers in the shape of NVML's: the same in every run, and different for everything that is different. */
import { createHash } from 'node:crypto';

/** @param of what it identifies, in words that nothing else has */
export function nvmlUuid(kind: 'GPU' | 'MIG', of: string): string {
  const hex = createHash('sha256').update(of).digest('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)];
  return `${kind}-${parts.join('-')}`;
}
