/**
 * The ResourceQuotas of every namespace and what its pods hold of the limited resources (spec §8). Limits are kept per
 * quota object, so that deleting one leaves the others' in force, and the smallest one counts (Q9). Usage comes from
 * the ledger alone. Nothing is judged here: admission and the planner compare what `limitsOf` answers.
 */
import { type NamespacedName, podName, type QuotaObject } from '../model/cluster-objects.ts';
import { compareText, type VendorKey } from '../model/device.ts';
import { type NamespaceQuota, noQuota, type QuotaLimit, type VendorQuota } from '../model/quota.ts';
import type { Vendor } from '../vendors/vendor.ts';
import type { QuotaAmounts } from './quota-amounts.ts';
import { type QuotaKey, quotaKeys, readLimit } from './quota-limit.ts';

/** A limit that could not be used as it was written, in words for the log. */
export interface QuotaProblem {
  /** As the quota object spells it. */
  readonly resource: string;
  readonly problem: string;
}

/** What a namespace holds of one resource, and what limits it. */
export interface QuotaUsage {
  readonly namespace: string;
  readonly key: QuotaKey;
  /** MiB or percent. */
  readonly used: number;
  /** Of every quota object that names the resource, the one in force first; in MiB or percent. */
  readonly limits: readonly { readonly quota: string; readonly limit: number }[];
}

interface NamespaceRecord {
  /** By quota object and resource. An object that limits nothing of ours is absent. */
  readonly limits: Map<string, ReadonlyMap<string, number>>;
  readonly used: Map<VendorKey, QuotaAmounts>;
  /** What `limitsOf` answers until a limit or the usage changes. */
  answer: NamespaceQuota | undefined;
}

export class QuotaTable {
  readonly #keys: readonly QuotaKey[];
  readonly #objects = new Map<string, QuotaObject>();
  readonly #namespaces = new Map<string, NamespaceRecord>();

  constructor(vendors: readonly Vendor[]) {
    this.#keys = quotaKeys(vendors);
  }

  /**
   * Takes a quota object as it is now. A value that cannot be read keeps the object's last good one for that resource,
   * or sets no limit when there is none. Answers what was wrong, once per change of the value.
   */
  apply(quota: QuotaObject): readonly QuotaProblem[] {
    const previous = this.#objects.get(podName(quota));
    this.#objects.set(podName(quota), quota);
    const limits = new Map<string, number>();
    const problems: QuotaProblem[] = [];
    for (const key of this.#keys) {
      const { resource } = key;
      const written = quota.hard[resource];
      if (written === undefined) continue;
      const { limit = this.#limitOf(quota, resource), problem } = readLimit(written, key);
      if (limit !== undefined) limits.set(resource, limit);
      if (problem !== undefined && previous?.hard[resource] !== written) problems.push({ resource, problem });
    }
    this.#setLimits(quota, limits);
    return problems;
  }

  /** A quota object is gone, and its limits with it. May be called twice. */
  remove(quota: NamespacedName): void {
    this.#objects.delete(podName(quota));
    this.#setLimits(quota, new Map());
  }

  /** The objects as they were written. */
  all(): Iterable<QuotaObject> {
    return this.#objects.values();
  }

  /** Counts a pod's amounts in its namespace, or with sign -1 takes back exactly what was counted. */
  charge(namespace: string, amounts: ReadonlyMap<VendorKey, QuotaAmounts>, sign: 1 | -1): void {
    if (amounts.size === 0) return;
    const record = this.#obtain(namespace);
    for (const [vendor, { memoryMiB, corePercent }] of amounts) {
      const used = record.used.get(vendor);
      const sum = {
        memoryMiB: (used?.memoryMiB ?? 0) + sign * memoryMiB,
        corePercent: (used?.corePercent ?? 0) + sign * corePercent,
      };
      if (sum.memoryMiB === 0 && sum.corePercent === 0) record.used.delete(vendor);
      else record.used.set(vendor, sum);
    }
    this.#changed(namespace, record);
  }

  /** The limits in force in a namespace with their usage; made once per change. */
  limitsOf(namespace: string): NamespaceQuota {
    const record = this.#namespaces.get(namespace);
    if (record === undefined || record.limits.size === 0) return noQuota;
    record.answer ??= this.#makeAnswer(record);
    return record.answer;
  }

  /** Every resource of every namespace that is limited or used, in no particular order. */
  *usages(): Iterable<QuotaUsage> {
    for (const [namespace, record] of this.#namespaces) {
      for (const key of this.#keys) {
        const used = usedOf(record, key);
        const limits = limitsOn(record, key);
        if (used > 0 || limits.length > 0) yield { namespace, key, used, limits };
      }
    }
  }

  #limitOf({ namespace, name }: NamespacedName, resource: string): number | undefined {
    return this.#namespaces.get(namespace)?.limits.get(name)?.get(resource);
  }

  #setLimits({ namespace, name }: NamespacedName, limits: ReadonlyMap<string, number>): void {
    if (limits.size === 0 && !this.#namespaces.has(namespace)) return;
    const record = this.#obtain(namespace);
    if (limits.size === 0) record.limits.delete(name);
    else record.limits.set(name, limits);
    this.#changed(namespace, record);
  }

  #obtain(namespace: string): NamespaceRecord {
    let record = this.#namespaces.get(namespace);
    if (record === undefined) {
      record = { limits: new Map(), used: new Map(), answer: undefined };
      this.#namespaces.set(namespace, record);
    }
    return record;
  }

  /** A namespace that neither limits nor holds anything need not be remembered. */
  #changed(namespace: string, record: NamespaceRecord): void {
    record.answer = undefined;
    if (record.limits.size === 0 && record.used.size === 0) this.#namespaces.delete(namespace);
  }

  #makeAnswer(record: NamespaceRecord): NamespaceQuota {
    const answer = new Map<VendorKey, VendorQuota>();
    for (const key of this.#keys) {
      const smallest = limitsOn(record, key)[0];
      if (smallest === undefined) continue;
      const limit: QuotaLimit = { resource: key.resource, ...smallest, used: usedOf(record, key) };
      answer.set(key.vendor, { ...answer.get(key.vendor), [key.dimension]: limit });
    }
    return answer;
  }
}

function usedOf({ used }: NamespaceRecord, { vendor, dimension }: QuotaKey): number {
  const amounts = used.get(vendor);
  return (dimension === 'memory' ? amounts?.memoryMiB : amounts?.corePercent) ?? 0;
}

/** The limits on one resource, smallest first; equal ones in order of the objects' names. */
function limitsOn({ limits }: NamespaceRecord, { resource }: QuotaKey): QuotaUsage['limits'] {
  return [...limits]
    .flatMap(([quota, byResource]) => {
      const limit = byResource.get(resource);
      return limit === undefined ? [] : [{ quota, limit }];
    })
    .sort((a, b) => a.limit - b.limit || compareText(a.quota, b.quota));
}
