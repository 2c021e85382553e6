/**
 * What the ResourceQuotas of a namespace leave of one vendor's memory and compute. Several objects may limit the same
 * resource; the smallest limit counts (spec §8, Q9).
 */
import type { VendorKey } from './device.ts';

/** One limit that counts: in MiB for memory, in percent of a card for compute. */
export interface QuotaLimit {
  /** As the quota object spells it, e.g. `limits.nvidia.com/gpumem`. */
  readonly resource: string;
  /** Name of the ResourceQuota object that sets it. */
  readonly quota: string;
  readonly limit: number;
  /** What the namespace's pods hold now. */
  readonly used: number;
}

export interface VendorQuota {
  readonly memory?: QuotaLimit;
  readonly cores?: QuotaLimit;
}

/** Limits of one namespace; a vendor without any is absent. */
export type NamespaceQuota = ReadonlyMap<VendorKey, VendorQuota>;

export const noQuota: NamespaceQuota = new Map();

/** True when something is limited less than before; usage does not matter. */
export function allowsMore(before: NamespaceQuota, after: NamespaceQuota): boolean {
  return [...before].some(([vendor, limits]) =>
    (['memory', 'cores'] as const).some((dimension) => {
      const former = limits[dimension];
      const present = after.get(vendor)?.[dimension];
      return former !== undefined && (present === undefined || present.limit > former.limit);
    }),
  );
}
