/**
 * The annotations and labels that go with a Binding, so that node and allocation appear on the pod in one write
 * (spec §1.8). The device plugin reads them when kubelet asks it for the pod's devices.
 */
import type { Allocation } from '../model/allocation.ts';
import { encodeAllocation } from '../vendors/allocation-codec.ts';
import {
  bindPhaseAnnotation,
  bindTimeAnnotation,
  nodeAnnotation,
  timeAnnotation,
} from '../vendors/pod-annotations.ts';
import type { Vendor } from '../vendors/vendor.ts';

export interface BindingMetadata {
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The longest value a label may have; node names can be longer (Q16). */
const longestLabel = 63;

export function bindingMetadata(
  allocation: Allocation,
  { node, nowMs, vendors }: { node: string; nowMs: number; vendors: readonly Vendor[] },
): BindingMetadata {
  const seconds = String(Math.floor(nowMs / 1000));
  const annotations: Record<string, string> = {
    [nodeAnnotation]: node,
    [timeAnnotation]: seconds,
    [bindPhaseAnnotation]: 'allocating',
    [bindTimeAnnotation]: seconds,
  };
  for (const vendor of vendors) {
    const value = encodeAllocation(allocation, vendor.key);
    if (value === undefined) continue;
    annotations[vendor.annotations.allocated] = value;
    annotations[vendor.annotations.toAllocate] = value;
  }
  return { annotations, labels: node.length <= longestLabel ? { [nodeAnnotation]: node } : {} };
}
