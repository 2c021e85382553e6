/** How one vendor's devices on one node follow from what the node publishes. */
import type { NodeObject } from '../model/cluster-objects.ts';
import { type Device, isSameDevice } from '../model/device.ts';
import { countedResources, type Discovery, type EntryLayout, type Vendor } from '../vendors/vendor.ts';

export interface VendorInventory {
  readonly devices: readonly Device[];
  /** Ids of cards that get no new pods; they need not exist. */
  readonly cordoned: ReadonlySet<string>;
  /** Which containers the node's plugin expects in an allocation. */
  readonly entries: EntryLayout;
  /** Why the devices are not on offer although the node publishes them. */
  readonly unavailable?: string;
}

/** What a vendor's discovery depends on: while this stays the same, so does its answer. */
export function fingerprintOf(node: NodeObject, vendor: Vendor): string {
  const { nodeAnnotations, nodeLabels = [], cordonAnnotation } = vendor;
  const keys = cordonAnnotation === undefined ? nodeAnnotations : [...nodeAnnotations, cordonAnnotation];
  const annotations = keys.map((key) => node.annotations[key] ?? '\u0000');
  const labels = nodeLabels.map((key) => node.labels[key] ?? '\u0000');
  const counted = countedResources(vendor).flatMap((resource) => [
    node.allocatable[resource] ?? '',
    node.capacity[resource] ?? '',
  ]);
  return [...counted, ...labels, ...annotations].join('\u0001');
}

/** The cards that an administrator keeps new pods off: a comma list of ids (spec §1.7). */
export function cordonedIds(node: NodeObject, { cordonAnnotation }: Vendor): ReadonlySet<string> {
  const value = cordonAnnotation === undefined ? undefined : node.annotations[cordonAnnotation];
  const ids = (value ?? '').split(',').map((id) => id.trim());
  return new Set(ids.filter((id) => id !== ''));
}

/**
 * The inventory after a discovery. An unreadable value keeps the last good one; without one, the node offers nothing
 * and says why.
 */
export function nextInventory(
  discovery: Discovery,
  previous: VendorInventory | undefined,
  cordoned: ReadonlySet<string>,
): VendorInventory | undefined {
  switch (discovery.kind) {
    case 'devices':
      return { devices: discovery.devices, cordoned, entries: discovery.entries ?? 'all' };
    case 'unavailable':
      return { devices: [], cordoned, entries: 'all', unavailable: discovery.detail };
    case 'malformed':
      return previous !== undefined && previous.devices.length > 0
        ? { ...previous, cordoned }
        : { devices: [], cordoned, entries: 'all', unavailable: discovery.problem };
    case 'none':
      return undefined;
  }
}

/** True when nothing a planner could see differs; plugins re-publish the same devices in new order (Q32). */
export function sameInventory(a: VendorInventory | undefined, b: VendorInventory | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.unavailable === b.unavailable &&
    a.entries === b.entries &&
    a.devices.length === b.devices.length &&
    a.cordoned.size === b.cordoned.size &&
    [...a.cordoned].every((id) => b.cordoned.has(id)) &&
    a.devices.every((device, index) => {
      const other = b.devices[index];
      return other !== undefined && isSameDevice(device, other);
    })
  );
}
