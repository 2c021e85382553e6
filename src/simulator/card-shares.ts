/**
 * Parts of cards in one unit for all of them, thousandths of a card: a share is as large as the larger of its parts of
 * memory and of compute.
 */
import type { Allocation } from '../model/allocation.ts';
import { effectiveAmount } from '../model/container-role.ts';
import type { Device, VendorKey } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import { type DeviceRequest, memoryNeedMiB, type PodRequest } from '../model/request.ts';

const cardMilli = 1000;

export function capacityMilli(views: Iterable<NodeView>): number {
  let cards = 0;
  for (const { devices } of views) cards += devices.length;
  return cards * cardMilli;
}

/** What is in use of all cards, whoever uses it. */
export function usedMilli(views: Iterable<NodeView>): number {
  let sum = 0;
  for (const { devices } of views) {
    for (const { device, used, withheld } of devices)
      sum += withheld ? cardMilli : partOf(device, used.memoryMiB, used.corePercent);
  }
  return sum;
}

/** What an allocation holds on its node, by the rule for init containers. */
export function heldMilli(allocation: Allocation, { devices }: NodeView): number {
  let sum = 0;
  for (const shares of allocation) {
    for (const { vendor, deviceId, memoryMiB, corePercent } of shares) {
      const card = devices.find(({ device }) => device.id === deviceId && device.vendor === vendor)?.device;
      if (card !== undefined) sum += partOf(card, memoryMiB, corePercent);
    }
  }
  return sum;
}

/**
 * What each pod asks for, before it is known on which cards: a number of MiB is reckoned on the mean card of its family
 * in the cluster; 0 where it has none.
 */
export function demandsMilli(requests: readonly PodRequest[], views: readonly NodeView[]): readonly number[] {
  const cards = new Map<VendorKey, Device | undefined>();
  const cardOf = (vendor: VendorKey) => {
    if (!cards.has(vendor)) cards.set(vendor, meanCard(views, vendor));
    return cards.get(vendor);
  };
  return requests.map((request) => demandOf(request, cardOf));
}

function demandOf(request: PodRequest, cardOf: (vendor: VendorKey) => Device | undefined): number {
  return effectiveAmount(
    request.containers.map(({ role }) => role),
    (index) =>
      (request.containers[index]?.devices ?? []).reduce((sum, wanted) => {
        const card = cardOf(wanted.vendor);
        return card === undefined ? sum : sum + wanted.count * askedOf(card, wanted);
      }, 0),
  );
}

function askedOf(card: Device, { memory, corePercent }: DeviceRequest): number {
  return partOf(card, Math.min(card.memoryMiB, memoryNeedMiB(memory, card)), corePercent);
}

function partOf({ memoryMiB, corePercent }: Device, memory: number, cores: number): number {
  const ofMemory = memoryMiB === 0 ? 0 : memory / memoryMiB;
  const ofCores = corePercent === 0 ? 0 : cores / corePercent;
  return Math.round(cardMilli * Math.max(ofMemory, ofCores));
}

function meanCard(views: readonly NodeView[], vendor: VendorKey): Device | undefined {
  let first: Device | undefined;
  let cards = 0;
  let memoryMiB = 0;
  for (const { devices } of views) {
    for (const { device } of devices) {
      if (device.vendor !== vendor) continue;
      first ??= device;
      cards += 1;
      memoryMiB += device.memoryMiB;
    }
  }
  return first === undefined ? undefined : { ...first, memoryMiB: memoryMiB / cards };
}
