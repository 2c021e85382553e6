/**
 * A node as the planner sees it: an immutable picture of its devices, what is used of them and what may still be
 * counted on it. The state makes one per change of the node; the simulator and tests make their own.
 */
import { type Device, deviceKey, type DeviceUsage, type VendorKey } from './device.ts';

export interface DeviceView {
  readonly device: Device;
  readonly used: DeviceUsage;
  /** True when the card is set aside for a pod that runs on this node on a card nobody knows. */
  readonly withheld: boolean;
}

export interface NodeView {
  readonly name: string;
  /** Grows with every change that can alter a verdict about this node. */
  readonly generation: number;
  /** In the order of `compareDevices`. */
  readonly devices: readonly DeviceView[];
  /** What is left of each count resource (allocatable minus all pods'), by resource name. */
  readonly countFree: ReadonlyMap<string, number>;
  /** Vendors whose devices this node publishes but cannot offer, with the cause. */
  readonly unavailable: ReadonlyMap<VendorKey, string>;
  /** Sum over all devices. */
  readonly capacity: DeviceUsage;
}

/** Completes a view by its capacity. */
export function makeNodeView(parts: Omit<NodeView, 'capacity'>): NodeView {
  const capacity = { slots: 0, memoryMiB: 0, corePercent: 0 };
  for (const { device } of parts.devices) {
    capacity.slots += device.slots;
    capacity.memoryMiB += device.memoryMiB;
    capacity.corePercent += device.corePercent;
  }
  return { ...parts, capacity };
}

/** The view as it would be with more in use, by `deviceKey`; devices it does not have are ignored. */
export function withMoreUsed(view: NodeView, more: ReadonlyMap<string, DeviceUsage>): NodeView {
  const devices = view.devices.map((entry) => {
    const extra = more.get(deviceKey(entry.device.vendor, entry.device.id));
    if (extra === undefined) return entry;
    const { slots, memoryMiB, corePercent } = entry.used;
    return {
      ...entry,
      used: {
        slots: slots + extra.slots,
        memoryMiB: memoryMiB + extra.memoryMiB,
        corePercent: corePercent + extra.corePercent,
      },
    };
  });
  return { ...view, devices };
}
