/**
 * The cards of a cluster by kind: how many there are of each, whatever is used of them. Two cards are of one kind when
 * every request that fits one of them idle fits the other.
 */
import type { Device, VendorKey } from '../../model/device.ts';
import { isCut } from '../../model/mig.ts';
import type { DeviceView, NodeView } from '../../model/node-view.ts';

/** Equal for cards of one kind. */
export type KindKey = string;

export interface SupplyEntry {
  readonly key: KindKey;
  /** Any one card of the kind. */
  readonly device: Device;
  readonly cards: number;
  /** The most that a container could be given of the family on one node with such a card: cards, and parts of cut ones. */
  readonly mostOnNode: number;
}

/** In order of first appearance. */
export type Supply = readonly SupplyEntry[];

export function supplyOf(views: Iterable<NodeView>): Supply {
  const kinds = new Map<KindKey, { -readonly [K in keyof SupplyEntry]: SupplyEntry[K] }>();
  for (const { devices } of views) {
    const most = mostByVendor(devices);
    for (const { device } of devices) {
      const key = kindKey(device);
      const mostOnNode = most.get(device.vendor) ?? 0;
      const entry = kinds.get(key);
      if (entry === undefined) {
        kinds.set(key, { key, device, cards: 1, mostOnNode });
        continue;
      }
      entry.cards += 1;
      entry.mostOnNode = Math.max(entry.mostOnNode, mostOnNode);
    }
  }
  return [...kinds.values()];
}

function mostByVendor(devices: readonly DeviceView[]): ReadonlyMap<VendorKey, number> {
  const most = new Map<VendorKey, number>();
  for (const { device } of devices) {
    most.set(device.vendor, (most.get(device.vendor) ?? 0) + (isCut(device) ? device.slots : 1));
  }
  return most;
}

/** By device, which is never changed. */
const keys = new WeakMap<Device, KindKey>();

export function kindKey(device: Device): KindKey {
  let key = keys.get(device);
  if (key === undefined) {
    const { vendor, type, mode, memoryMiB, corePercent, migProfiles } = device;
    const profiles = migProfiles === undefined ? '' : JSON.stringify(migProfiles);
    key = `${vendor}/${memoryMiB}/${corePercent}/${mode}/${type}/${profiles}`;
    keys.set(device, key);
  }
  return key;
}

export function ofVendor(supply: Supply, vendor: VendorKey): Supply {
  return supply.filter(({ device }) => device.vendor === vendor);
}
