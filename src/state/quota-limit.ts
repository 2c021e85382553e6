/**
 * Which keys of a ResourceQuota limit shared cards, and what their values mean. A value that is no amount sets no limit
 * of its own, and one that people may have meant otherwise counts as HAMi counts it; both are reported, because nobody
 * else tells the author.
 */
import type { VendorKey } from '../model/device.ts';
import { parseQuantity } from '../model/quantity.ts';
import type { Parsed } from '../model/result.ts';
import type { Vendor } from '../vendors/vendor.ts';

/** One key that counts, e.g. `limits.nvidia.com/gpumem`. */
export interface QuotaKey {
  readonly vendor: VendorKey;
  readonly dimension: 'memory' | 'cores';
  /** As quota objects spell it. */
  readonly resource: string;
  /** What one written unit is: MiB for memory, percent of a card for compute. */
  readonly unit: number;
  /** For a family that writes amounts of its own kind. */
  readonly read?: (written: string) => Parsed<number>;
}

/** The keys that count for these vendors, in their order. Count resources do not (spec §8.1). */
export function quotaKeys(vendors: readonly Vendor[]): readonly QuotaKey[] {
  return vendors.flatMap(
    ({ key: vendor, resources: { memory, cores }, memoryUnitMiB, readMemoryLimit: read }) => {
      const ofMemory = {
        vendor,
        dimension: 'memory',
        resource: `limits.${memory ?? ''}`,
        unit: memoryUnitMiB,
      } as const;
      const ofCores = { vendor, dimension: 'cores', resource: `limits.${cores ?? ''}`, unit: 1 } as const;
      return [
        ...(memory === undefined ? [] : [read === undefined ? ofMemory : { ...ofMemory, read }]),
        ...(cores === undefined ? [] : [ofCores]),
      ];
    },
  );
}

export interface LimitReading {
  /** In MiB or percent; absent when the value is no amount. */
  readonly limit?: number;
  /** What is wrong with the value or may be meant otherwise, in words for the log. */
  readonly problem?: string;
}

/** Reads a written limit. Fractions round down, which is what they mean for whole amounts. Never throws. */
export function readLimit(written: string, { unit, read }: QuotaKey): LimitReading {
  if (read !== undefined) {
    const limit = read(written);
    return limit.ok ? { limit: limit.value } : { problem: limit.problem };
  }
  const quantity = parseQuantity(written);
  if (quantity === undefined) return { problem: `${JSON.stringify(written)} is not a number` };
  const { numerator, denominator, binary } = quantity;
  if (numerator < 0n) return { problem: `${JSON.stringify(written)} is negative` };
  const value = Number(numerator / denominator);
  if (!Number.isSafeInteger(value * unit)) return { problem: `${JSON.stringify(written)} is too large` };
  const limit = value * unit;
  if (numerator % denominator !== 0n) {
    return { limit, problem: `${JSON.stringify(written)} has a fraction; it counts as ${value}` };
  }
  if (!binary) return { limit };
  return {
    limit,
    problem: `${JSON.stringify(written)} has a binary suffix, but the value counts plain units; it counts as ${value}`,
  };
}
