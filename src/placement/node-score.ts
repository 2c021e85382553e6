/**
 * How well a node suits the node policy once the pod is on it (spec §6.1, with the request included, Q20): the mean
 * of used slots, cores and memory over all its cards, in percent. Binpack wants it high, spread low.
 */
import type { DeviceUsage } from '../model/device.ts';

/** 0..100, higher is better. Both are sums over all cards of the node, the pod's own shares in `used`. */
export function nodeScore(capacity: DeviceUsage, used: DeviceUsage, policy: 'binpack' | 'spread'): number {
  const fullness = 100 * meanFraction(used, capacity);
  return policy === 'binpack' ? fullness : 100 - fullness;
}

/** The mean of the fractions in use, over the dimensions that exist. */
function meanFraction(used: DeviceUsage, capacity: DeviceUsage): number {
  let sum = 0;
  let dimensions = 0;
  for (const dimension of ['slots', 'corePercent', 'memoryMiB'] as const) {
    if (capacity[dimension] === 0) continue;
    sum += Math.min(1, used[dimension] / capacity[dimension]);
    dimensions += 1;
  }
  return dimensions === 0 ? 0 : sum / dimensions;
}
