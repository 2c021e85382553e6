/**
 * What a pod's allocation counts against the quotas of its namespace: memory and compute of all its cards of one vendor
 * together, as the pod holds them at its worst moment (spec §8.2). Shares hold resolved numbers: MiB also where a
 * percentage was asked for, the profile's size on a card in MIG mode.
 */
import type { Allocation } from '../model/allocation.ts';
import { type ContainerRole, effectiveAmount } from '../model/container-role.ts';
import type { VendorKey } from '../model/device.ts';

export interface QuotaAmounts {
  readonly memoryMiB: number;
  readonly corePercent: number;
}

/**
 * Amounts by vendor; a vendor without shares is absent.
 *
 * @param roles one per container of the allocation
 * @param initFinished true once every plain init container has ended well: what only they held no longer counts
 */
export function quotaAmounts(
  allocation: Allocation,
  roles: readonly ContainerRole[],
  initFinished: boolean,
): ReadonlyMap<VendorKey, QuotaAmounts> {
  const sums = new Map<VendorKey, { memoryMiB: number[]; corePercent: number[] }>();
  for (const [index, shares] of allocation.entries()) {
    if (initFinished && roles[index] === 'init') continue;
    for (const { vendor, memoryMiB, corePercent, askedPercent = corePercent } of shares) {
      let sum = sums.get(vendor);
      if (sum === undefined) {
        sum = { memoryMiB: roles.map(() => 0), corePercent: roles.map(() => 0) };
        sums.set(vendor, sum);
      }
      sum.memoryMiB[index] = (sum.memoryMiB[index] ?? 0) + memoryMiB;
      sum.corePercent[index] = (sum.corePercent[index] ?? 0) + askedPercent;
    }
  }
  const amounts = new Map<VendorKey, QuotaAmounts>();
  for (const [vendor, { memoryMiB, corePercent }] of sums) {
    amounts.set(vendor, {
      memoryMiB: effectiveAmount(roles, (index) => memoryMiB[index] ?? 0),
      corePercent: effectiveAmount(roles, (index) => corePercent[index] ?? 0),
    });
  }
  return amounts;
}
