/** The list of vendor families: a new one is a file beside this and one line here. */
import { amdFamily } from './amd.ts';
import { ascendFamily } from './ascend/ascend.ts';
import { cambriconFamily } from './cambricon/cambricon.ts';
import { hygonFamily } from './hygon.ts';
import { metaxFamily } from './metax/metax.ts';
import { nvidiaFamily } from './nvidia/nvidia.ts';
import type { FamilyConfig, VendorFamily } from './vendor-family.ts';
import type { Vendor } from './vendor.ts';

/** By block of the configuration, in the order in which a pod's devices are chosen. */
export const vendorFamilies = {
  nvidia: nvidiaFamily,
  cambricon: cambriconFamily,
  hygon: hygonFamily,
  metax: metaxFamily,
  amd: amdFamily,
  vnpus: ascendFamily,
};

export type VendorBlock = keyof typeof vendorFamilies;

/** The settings of every block. */
export const vendorSettings = Object.fromEntries(
  Object.entries(vendorFamilies).map(([block, { settings }]) => [block, settings]),
) as { readonly [B in VendorBlock]: (typeof vendorFamilies)[B]['settings'] };

export type VendorsConfig = {
  readonly [B in VendorBlock]: (typeof vendorFamilies)[B] extends VendorFamily<infer C> ? C : never;
};

/** The configured vendors, in a fixed order that never depends on a map. */
export function makeVendors({ vendors }: { readonly vendors: VendorsConfig }): readonly Vendor[] {
  return Object.entries(vendorFamilies).flatMap(([block, family]) => {
    const config: FamilyConfig = vendors[block as VendorBlock];
    // Block and family have the same name, so the one is made for the other.
    return config.enabled ? (family as VendorFamily<FamilyConfig>).make(config) : [];
  });
}
