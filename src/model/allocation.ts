/** What a pod was given: the shares of devices per container, and what they add up to on each device. */
import { type ContainerRole, effectiveAmount } from './container-role.ts';
import type { MigInstance, MigPlacement } from './mig.ts';
import { deviceKey, type DeviceUsage, type VendorKey } from './device.ts';

/** The part of one device given to one container. */
export interface Share {
  readonly vendor: VendorKey;
  readonly deviceId: string;
  readonly memoryMiB: number;
  /** In the device's units, which mostly are percent. */
  readonly corePercent: number;
  /** What was asked for in percent, where the device's units are others: quotas count this. */
  readonly askedPercent?: number;
  /** See `DeviceRequest.kind`. */
  readonly kind?: string;
  /** On a card in MIG mode: the instance that the share is; memory and compute are those of its profile. */
  readonly mig?: MigInstance;
}

/** Shares per container, init containers first, in spec order; a container without devices has an empty list. */
export type Allocation = readonly (readonly Share[])[];

export function isSameShare(a: Share, b: Share | undefined): boolean {
  return (
    a.vendor === b?.vendor &&
    a.deviceId === b.deviceId &&
    a.memoryMiB === b.memoryMiB &&
    a.corePercent === b.corePercent &&
    a.mig?.profile === b.mig?.profile &&
    a.mig?.placement.start === b.mig?.placement.start &&
    a.mig?.placement.size === b.mig?.placement.size
  );
}

/**
 * What an allocation holds of each device, by `deviceKey`. Init containers share in time and so count with their
 * peak, sidecars and app containers add up (spec §9.4, Q29).
 *
 * @param initFinished true once every plain init container has ended well: what only they held is free again
 */
export function effectiveUsage(
  allocation: Allocation,
  roles: readonly ContainerRole[],
  initFinished: boolean,
): ReadonlyMap<string, DeviceUsage> {
  const sharesByDevice = new Map<string, Share[][]>();
  for (const [index, shares] of allocation.entries()) {
    if (initFinished && roles[index] === 'init') continue;
    for (const share of shares) {
      const key = deviceKey(share.vendor, share.deviceId);
      let perContainer = sharesByDevice.get(key);
      if (perContainer === undefined) {
        perContainer = roles.map(() => []);
        sharesByDevice.set(key, perContainer);
      }
      perContainer[index]?.push(share);
    }
  }
  const usage = new Map<string, DeviceUsage>();
  for (const [key, perContainer] of sharesByDevice) {
    const total = (amountOf: (share: Share) => number) =>
      effectiveAmount(roles, (index) =>
        (perContainer[index] ?? []).reduce((sum, share) => sum + amountOf(share), 0),
      );
    usage.set(key, {
      slots: total(() => 1),
      memoryMiB: total((share) => share.memoryMiB),
      corePercent: total((share) => share.corePercent),
    });
  }
  return usage;
}

/** What an allocation holds of cards beside amounts. */
export interface HeldSlices {
  /** By `deviceKey`. */
  readonly slices: ReadonlyMap<string, readonly MigPlacement[]>;
  /** Shares that name no instance, by `deviceKey`: right on plain cards, fatal on a card in MIG mode. */
  readonly uncut: ReadonlyMap<string, number>;
  /** The kinds of shares that have one, by `deviceKey`. */
  readonly kinds: ReadonlyMap<string, readonly string[]>;
}

const noKinds: HeldSlices['kinds'] = new Map();

/**
 * Instances are made for all containers at once and stay until the pod ends, whatever the containers' roles; kinds are
 * held with the amounts.
 *
 * @param initFinished true once every plain init container has ended well
 */
export function heldSlices(
  allocation: Allocation,
  roles: readonly ContainerRole[],
  initFinished: boolean,
): HeldSlices {
  const slices = new Map<string, MigPlacement[]>();
  const uncut = new Map<string, number>();
  let kinds: Map<string, string[]> | undefined;
  for (const [index, shares] of allocation.entries()) {
    const isOver = initFinished && roles[index] === 'init';
    for (const { vendor, deviceId, mig, kind } of shares) {
      const key = deviceKey(vendor, deviceId);
      if (kind !== undefined && !isOver) (kinds ??= new Map()).set(key, [...(kinds.get(key) ?? []), kind]);
      if (mig === undefined) uncut.set(key, (uncut.get(key) ?? 0) + 1);
      else slices.set(key, [...(slices.get(key) ?? []), mig.placement]);
    }
  }
  return { slices, uncut, kinds: kinds ?? noKinds };
}
