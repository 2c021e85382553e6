/**
 * Which of several fitting cards to take first: by the keys of the device policy, then by a total order, so that the
 * same node and request always give the same cards (spec §6.3, §6.4; Q20).
 */
import { compareDevices, type Device, type DeviceUsage } from '../model/device.ts';
import {
  type CardOrderKey,
  type DeviceRequest,
  memoryNeedMiB,
  type ScoringWeights,
} from '../model/request.ts';

/** A card that fits, with what the order needs of it. */
export interface Candidate {
  /** Position among the node's devices. */
  readonly index: number;
  readonly device: Device;
  readonly used: DeviceUsage;
  readonly score: number;
}

/**
 * How full a card is with one more share of the request, weighted per dimension; with equal weights 0..30:
 * `10 × ((slots+1)/count + (cores+c)/totalCores + (memory+m)/totalMemory)`; 0 when the card lacks a dimension.
 *
 * @param needed compute in the device's units
 */
export function cardScore(
  device: Device,
  used: DeviceUsage,
  { memory, corePercent }: DeviceRequest,
  weights: ScoringWeights,
  needed = corePercent,
): number {
  if (device.slots === 0 || device.corePercent === 0 || device.memoryMiB === 0) return 0;
  const slots = (used.slots + 1) / device.slots;
  const cores = (used.corePercent + needed) / device.corePercent;
  const fullness = (used.memoryMiB + memoryNeedMiB(memory, device)) / device.memoryMiB;
  return 10 * (weights.slots * slots + weights.cores * cores + weights.memory * fullness);
}

/** Orders candidates so that the first is taken first. Equals go from the highest index down, as HAMi's do. */
export function compareCandidates(order: readonly CardOrderKey[]): (a: Candidate, b: Candidate) => number {
  return (a, b) => {
    for (const key of order) {
      const difference = compareBy(key, a, b);
      if (difference !== 0) return difference;
    }
    return compareDevices(b.device, a.device);
  };
}

function compareBy(key: CardOrderKey, a: Candidate, b: Candidate): number {
  switch (key) {
    case 'fullest':
      return b.score - a.score;
    case 'emptiest':
      return a.score - b.score;
    case 'fewest-sharers':
      return a.used.slots - b.used.slots;
    case 'highest-numa':
      return b.device.numa - a.device.numa;
    case 'lowest-numa':
      return a.device.numa - b.device.numa;
  }
}
