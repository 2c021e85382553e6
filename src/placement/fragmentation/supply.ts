/**
 * The cards of a cluster by kind: how many there are of each, whatever is used of them. Two cards are of one kind when
 * every request that fits one of them idle fits the other.
 */
import type { Device, VendorKey } from '../../model/device.ts';
import type { NodeView } from '../../model/node-view.ts';

/** Equal for cards of one kind. */
export type KindKey = string;

export interface SupplyEntry {
  readonly key: KindKey;
  /** Any one card of the kind. */
  readonly device: Device;
  readonly cards: number;
}

/** In order of first appearance. */
export type Supply = readonly SupplyEntry[];

export function supplyOf(views: Iterable<NodeView>): Supply {
  const kinds = new Map<KindKey, { key: KindKey; device: Device; cards: number }>();
  for (const { devices } of views) {
    for (const { device } of devices) {
      const key = kindKey(device);
      const entry = kinds.get(key);
      if (entry === undefined) kinds.set(key, { key, device, cards: 1 });
      else entry.cards += 1;
    }
  }
  return [...kinds.values()];
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
