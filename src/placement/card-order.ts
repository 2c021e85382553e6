/**
 * Which of several fitting cards to take first: by how full the request would leave them, then by a total order, so
 * that the same node and request always give the same cards (spec §6.3, §6.4; Q20).
 */
import { compareDevices, type Device, type DeviceUsage } from '../model/device.ts';
import { type DevicePolicy, type DeviceRequest, memoryNeedMiB } from '../model/request.ts';

/** A card that fits, with what the order needs of it. */
export interface Candidate {
  readonly index: number;
  readonly device: Device;
  readonly score: number;
}

/**
 * How full a card is with one more share of the request, 0..30:
 * `10 × ((slots+1)/count + (cores+c)/totalCores + (memory+m)/totalMemory)`; 0 when the card lacks a dimension.
 */
export function cardScore(device: Device, used: DeviceUsage, request: DeviceRequest): number {
  if (device.slots === 0 || device.corePercent === 0 || device.memoryMiB === 0) return 0;
  const slots = (used.slots + 1) / device.slots;
  const cores = (used.corePercent + request.corePercent) / device.corePercent;
  const memory = (used.memoryMiB + memoryNeedMiB(request.memory, device)) / device.memoryMiB;
  return 10 * (slots + cores + memory);
}

/** Orders candidates so that the first is taken first. Equals go from the highest NUMA node and index down, as HAMi. */
export function compareCandidates(policy: DevicePolicy): (a: Candidate, b: Candidate) => number {
  const fullestFirst = policy.order === 'binpack';
  return (a, b) =>
    (fullestFirst ? b.score - a.score : a.score - b.score) ||
    b.device.numa - a.device.numa ||
    compareDevices(b.device, a.device);
}
