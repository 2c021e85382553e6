/**
 * A node as the planner sees it: an immutable picture of its devices, what is used of them and what may still be
 * counted on it. The state makes one per change of the node; the simulator and tests make their own.
 */
import { type Device, deviceKey, type DeviceUsage, type VendorKey } from './device.ts';
import { type HostAmounts, hostLess } from './host-amounts.ts';
import type { MigPlacement } from './mig.ts';

export interface DeviceView {
  readonly device: Device;
  readonly used: DeviceUsage;
  /** True when the card is set aside for a pod that runs on this node on a card nobody knows. */
  readonly withheld: boolean;
  /** True while an administrator keeps new pods off the card. */
  readonly cordoned: boolean;
  /** Slices that MIG instances hold; empty on other cards. */
  readonly occupied: readonly MigPlacement[];
  /** The kind of every share on the card that has one, in no order. */
  readonly kinds: readonly string[];
  /** True when pods hold something of a MIG card and nobody knows which slices: nothing more may go there. */
  readonly unclear: boolean;
}

export interface NodeView {
  readonly name: string;
  /** Grows with every change that can alter a verdict about this node. */
  readonly generation: number;
  /**
   * On pictures of nodes as they are: a small number that the node alone has, for tables of what is known about it.
   * With the generation it names the picture. Pictures of what might be have none.
   */
  readonly slot?: number;
  /** Equal on pictures that differ by the names of nodes and the ids of cards alone, where somebody looked into that. */
  readonly likeness?: number;
  /** In the order of `compareDevices`. */
  readonly devices: readonly DeviceView[];
  /** What is left of each count resource (allocatable minus all pods'), by resource name. */
  readonly countFree: ReadonlyMap<string, number>;
  /** What all pods leave of the node beside its devices. */
  readonly hostFree: HostAmounts;
  /** Vendors whose devices this node publishes but cannot offer, with the cause. */
  readonly unavailable: ReadonlyMap<VendorKey, string>;
  /** Sum over all devices. */
  readonly capacity: DeviceUsage;
  /** Sum of what is used of all devices. */
  readonly used: DeviceUsage;
}

/** Completes a view by its sums. */
export function makeNodeView(parts: Omit<NodeView, 'capacity' | 'used'>): NodeView {
  return {
    ...parts,
    capacity: sumOf(parts.devices, ({ device }) => device),
    used: sumOf(parts.devices, ({ used }) => used),
  };
}

function sumOf(devices: readonly DeviceView[], amounts: (entry: DeviceView) => DeviceUsage): DeviceUsage {
  const sum = { slots: 0, memoryMiB: 0, corePercent: 0 };
  for (const entry of devices) {
    const { slots, memoryMiB, corePercent } = amounts(entry);
    sum.slots += slots;
    sum.memoryMiB += memoryMiB;
    sum.corePercent += corePercent;
  }
  return sum;
}

/** Something more on a node's cards, by `deviceKey`. */
export interface MoreUsed {
  readonly usage: ReadonlyMap<string, DeviceUsage>;
  readonly slices: ReadonlyMap<string, readonly MigPlacement[]>;
  readonly kinds?: ReadonlyMap<string, readonly string[]>;
  readonly host?: HostAmounts;
}

/** The view as it would be with more in use; devices it does not have are ignored. */
export function withMoreUsed(view: NodeView, more: MoreUsed): NodeView {
  const devices = view.devices.map((entry) => {
    const key = deviceKey(entry.device.vendor, entry.device.id);
    const extra = more.usage.get(key);
    if (extra === undefined) return entry;
    const { slots, memoryMiB, corePercent } = entry.used;
    return {
      ...entry,
      occupied: [...entry.occupied, ...(more.slices.get(key) ?? [])],
      kinds: [...entry.kinds, ...(more.kinds?.get(key) ?? [])],
      used: {
        slots: slots + extra.slots,
        memoryMiB: memoryMiB + extra.memoryMiB,
        corePercent: corePercent + extra.corePercent,
      },
    };
  });
  const hostFree = more.host === undefined ? view.hostFree : hostLess(view.hostFree, more.host);
  return makeNodeView({ ...asPossible(view), devices, hostFree });
}

/** The same picture, but of a node as it might be. */
export function asPossible(view: NodeView): NodeView {
  const { name, generation, devices, countFree, hostFree, unavailable, capacity, used } = view;
  return { name, generation, devices, countFree, hostFree, unavailable, capacity, used };
}
