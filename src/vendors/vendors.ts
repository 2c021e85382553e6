/** The list of device families: a new one is a file beside this and one line here. */
import type { TesseraConfig } from '../config/config.ts';
import { makeNvidia } from './nvidia.ts';
import type { Vendor } from './vendor.ts';

/** The configured vendors, in a fixed order that never depends on a map. */
export function makeVendors({ vendors }: Pick<TesseraConfig, 'vendors'>): readonly Vendor[] {
  return [...(vendors.nvidia.enabled ? [makeNvidia(vendors.nvidia)] : [])];
}
