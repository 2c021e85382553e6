/** What a pod was given: the shares of devices per container, and what they add up to on each device. */
import { type ContainerRole, effectiveAmount } from './container-role.ts';
import { deviceKey, type DeviceUsage, type VendorKey } from './device.ts';

/** The part of one device given to one container. */
export interface Share {
  readonly vendor: VendorKey;
  readonly deviceId: string;
  readonly memoryMiB: number;
  readonly corePercent: number;
}

/** Shares per container, init containers first, in spec order; a container without devices has an empty list. */
export type Allocation = readonly (readonly Share[])[];

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
