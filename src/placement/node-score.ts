/**
 * How well a node suits the node policy once the pod is on it (spec §6.1, with the request included, Q20): the mean
 * of used slots, cores and memory over all its cards, in percent. Binpack wants it high, spread low.
 */
import type { DeviceUsage } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { NodePolicy } from '../model/request.ts';

/** 0..100, higher is better. `usage` holds one entry per device of the view, the pod's own shares included. */
export function nodeScore(view: NodeView, usage: readonly DeviceUsage[], policy: NodePolicy): number {
  const fullness = 100 * meanFraction(sumOf(usage), view.capacity);
  return policy === 'binpack' ? fullness : 100 - fullness;
}

function sumOf(usage: readonly DeviceUsage[]): DeviceUsage {
  let slots = 0;
  let memoryMiB = 0;
  let corePercent = 0;
  for (const used of usage) {
    slots += used.slots;
    memoryMiB += used.memoryMiB;
    corePercent += used.corePercent;
  }
  return { slots, memoryMiB, corePercent };
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
