/** How one vendor's devices on one node follow from what the node publishes. */
import type { NodeObject } from '../model/cluster-objects.ts';
import type { Device } from '../model/device.ts';
import type { Discovery, Vendor } from '../vendors/vendor.ts';

export interface VendorInventory {
  readonly devices: readonly Device[];
  /** Why the devices are not on offer although the node publishes them. */
  readonly unavailable?: string;
}

/** What a vendor's discovery depends on: while this stays the same, so does its answer. */
export function fingerprintOf(node: NodeObject, vendor: Vendor): string {
  const annotations = vendor.nodeAnnotations.map((key) => node.annotations[key] ?? '\u0000');
  return [node.allocatable[vendor.resources.count] ?? '', ...annotations].join('\u0001');
}

/**
 * The inventory after a discovery. An unreadable value keeps the last good one; without one, the node offers nothing
 * and says why.
 */
export function nextInventory(
  discovery: Discovery,
  previous: VendorInventory | undefined,
): VendorInventory | undefined {
  switch (discovery.kind) {
    case 'devices':
      return { devices: discovery.devices };
    case 'unavailable':
      return { devices: [], unavailable: discovery.detail };
    case 'malformed':
      return previous !== undefined && previous.devices.length > 0
        ? previous
        : { devices: [], unavailable: discovery.problem };
    case 'none':
      return undefined;
  }
}

/** True when nothing a planner could see differs; plugins re-publish the same devices in new order (Q32). */
export function sameInventory(a: VendorInventory | undefined, b: VendorInventory | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.unavailable === b.unavailable &&
    a.devices.length === b.devices.length &&
    a.devices.every((device, index) => sameDevice(device, b.devices[index]))
  );
}

function sameDevice(a: Device, b: Device | undefined): boolean {
  return (Object.keys(a) as (keyof Device)[]).every((field) => a[field] === b?.[field]);
}
