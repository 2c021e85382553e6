/**
 * Cards as the published policies see them: one number for each, how many thousandths of it are free. A card of ours has
 * slots, memory and compute, so what is used of it is the larger part of memory and compute, rounded up; nothing is free
 * on a card without slots or one that takes no pods. On the trace of the publication, where memory and compute always go
 * together, these are its figures.
 */
import type { Device, DeviceUsage } from '../../model/device.ts';
import type { DeviceView, NodeView } from '../../model/node-view.ts';
import { type MemoryRequest, memoryNeedMiB } from '../../model/request.ts';
import type { Draft } from '../../placement/draft.ts';

/** A whole card. */
export const cardMilli = 1000;

export function freeMilli(
  { device, withheld, cordoned, unclear }: Omit<DeviceView, 'used'>,
  used: DeviceUsage,
): number {
  if (!device.healthy || withheld || cordoned || unclear || used.slots >= device.slots) return 0;
  const memory = partMilli(used.memoryMiB, device.memoryMiB);
  const compute = partMilli(used.corePercent, device.corePercent);
  return Math.max(0, cardMilli - Math.max(memory, compute));
}

/** Of each card of a node, before the pod that is being placed. */
export function freeBefore({ devices }: NodeView): number[] {
  return devices.map((card) => freeMilli(card, card.used));
}

/** Of each card of a node, as a plan leaves it. */
export function freeAfter({ devices }: NodeView, draft: Draft): number[] {
  return devices.map((card, index) => freeMilli(card, draft.at(index).used));
}

export function sumOf(milli: readonly number[]): number {
  let sum = 0;
  for (const part of milli) sum += part;
  return sum;
}

/** What a request takes of such a card; more than a whole one where the card is too small. */
export function neededMilli(
  { memory, corePercent }: { readonly memory: MemoryRequest; readonly corePercent: number },
  device: Device,
): number {
  const ofMemory = partMilli(memoryNeedMiB(memory, device), device.memoryMiB);
  return Math.max(ofMemory, partMilli(corePercent, 100));
}

function partMilli(amount: number, capacity: number): number {
  return capacity === 0 ? 0 : Math.ceil((cardMilli * amount) / capacity);
}
