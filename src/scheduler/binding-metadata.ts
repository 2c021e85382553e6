/**
 * The annotations and labels that go with a Binding, so that node and allocation appear on the pod in one write
 * (spec §1.8). The device plugin reads them when kubelet asks it for the pod's devices.
 */
import type { Allocation, Share } from '../model/allocation.ts';
import type { Device, VendorKey } from '../model/device.ts';
import type { PodObject } from '../model/cluster-objects.ts';
import { encodeAllocation, entriesFor } from '../vendors/allocation-codec.ts';
import { encodeMigReservations } from '../vendors/mig-reservations.ts';
import {
  bindPhaseAnnotation,
  bindTimeAnnotation,
  kindsAnnotation,
  nodeAnnotation,
  timeAnnotation,
} from '../vendors/pod-annotations.ts';
import { encodeKinds, noKindsValue } from '../vendors/share-kinds.ts';
import type { EntryLayout, Vendor } from '../vendors/vendor.ts';

export interface BindingMetadata {
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The longest value a label may have; node names can be longer (Q16). */
const longestLabel = 63;

export interface Placement {
  readonly pod: Pick<PodObject, 'annotations' | 'containers'>;
  readonly allocation: Allocation;
  readonly node: string;
  readonly nowMs: number;
  readonly vendors: readonly Vendor[];
  /** What the node's plugin of a vendor expects. */
  readonly layoutOf: (vendor: VendorKey) => EntryLayout;
  /** The node's device; undefined when it has left the node. */
  readonly deviceOf?: (vendor: VendorKey, id: string) => Device | undefined;
  /** Since the epoch; no two placements have the same. `nowMs` where left out. */
  readonly timeNs?: bigint;
}

export function bindingMetadata(placement: Placement): BindingMetadata {
  const { pod, allocation, node, nowMs, vendors, layoutOf, deviceOf = () => undefined } = placement;
  const { timeNs = BigInt(Math.floor(nowMs * 1e6)) } = placement;
  const roles = pod.containers.map(({ role }) => role);
  const seconds = String(Math.floor(nowMs / 1000));
  const annotations: Record<string, string> = {
    [nodeAnnotation]: node,
    [timeAnnotation]: seconds,
    [bindPhaseAnnotation]: 'allocating',
    [bindTimeAnnotation]: seconds,
  };
  for (const vendor of vendors) {
    const layout = layoutOf(vendor.key);
    const entries = entriesFor(allocation, { roles, vendor: vendor.key, layout });
    const wordOf = ({ deviceId }: Share) =>
      vendor.entryWord === undefined ? vendor.key : (deviceOf(vendor.key, deviceId)?.type ?? vendor.key);
    const value = encodeAllocation(entries, vendor.key, wordOf);
    if (value === undefined) continue;
    annotations[vendor.annotations.allocated] = value;
    annotations[vendor.annotations.toAllocate] = value;
    if (vendor.annotateBinding !== undefined) {
      const own = allocation.map((shares) => shares.filter((share) => share.vendor === vendor.key));
      const ofOwn = (id: string) => deviceOf(vendor.key, id);
      Object.assign(
        annotations,
        vendor.annotateBinding({ pod, node, allocation: own, deviceOf: ofOwn, timeNs }),
      );
    }
    const { migReservations } = vendor.annotations;
    const reserved = encodeMigReservations(allocation, vendor.key);
    if (migReservations === undefined) continue;
    if (reserved !== undefined) annotations[migReservations] = reserved;
    // What another scheduler left there is of another placement, and a Binding can change but not remove it (Q11).
    else if (pod.annotations[migReservations] !== undefined) annotations[migReservations] = '[]';
  }
  const kinds = encodeKinds(allocation);
  if (kinds !== undefined) annotations[kindsAnnotation] = kinds;
  // What somebody wrote there past admission would break the seal.
  else if (pod.annotations[kindsAnnotation] !== undefined) annotations[kindsAnnotation] = noKindsValue;
  return { annotations, labels: node.length <= longestLabel ? { [nodeAnnotation]: node } : {} };
}
