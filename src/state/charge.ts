/**
 * What a bound pod is charged: the charging rule. Annotations are written by tenants too, so they lower a charge only
 * when they are trusted; the safe error is to charge too much, because that never over-commits a card.
 *
 *   trusted and well-formed   → the allocation as written
 *   anything else             → per card, the larger of annotation and own request; a card that is asked for but not
 *                               known is withheld: one whole card of the node, whichever is least used
 */
import type { Allocation, Share } from '../model/allocation.ts';
import type { PodObject } from '../model/cluster-objects.ts';
import { effectiveAmount } from '../model/container-role.ts';
import type { Device, VendorKey } from '../model/device.ts';
import { type DeviceRequest, memoryNeedMiB, type PodRequest } from '../model/request.ts';
import { alignEntries, decodeEntries } from '../vendors/allocation-codec.ts';
import { nodeAnnotation } from '../vendors/pod-annotations.ts';
import type { Vendor } from '../vendors/vendor.ts';

/** How far a pod's own annotations are believed. */
export type Trust = 'as-written' | 'at-least-request';

export interface Charge {
  readonly allocation: Allocation;
  /** Whole cards to set aside, by vendor; only positive ones. */
  readonly withheld: ReadonlyMap<VendorKey, number>;
}

/** An annotation value that could not be used, in words for the log. */
export interface AllocationProblem {
  readonly annotation: string;
  readonly problem: string;
}

export interface AnnotatedAllocation {
  /** Per vendor and container; a vendor whose value is absent or unusable is absent. */
  readonly byVendor: ReadonlyMap<VendorKey, Allocation>;
  readonly problems: readonly AllocationProblem[];
}

/**
 * The allocation in a bound pod's annotations. One vendor's broken value does not hide another's (Q33), and
 * annotations that name another node count nothing (Q25).
 */
export function readAllocation(pod: PodObject, vendors: readonly Vendor[]): AnnotatedAllocation {
  const byVendor = new Map<VendorKey, Allocation>();
  const problems: AllocationProblem[] = [];
  for (const vendor of vendors) {
    const annotation = vendor.annotations.allocated;
    const value = pod.annotations[annotation];
    if (value === undefined) continue;
    const named = pod.annotations[nodeAnnotation];
    if (named !== pod.nodeName) {
      problems.push({
        annotation,
        problem: `written for node ${JSON.stringify(named ?? '')}, not for the pod's own`,
      });
      continue;
    }
    const entries = decodeEntries(value, vendor.key);
    const aligned = entries.ok
      ? alignEntries(entries.value, pod.containers, vendor.resources.count)
      : entries;
    if (aligned.ok) byVendor.set(vendor.key, aligned.value);
    else problems.push({ annotation, problem: aligned.problem });
  }
  return { byVendor, problems };
}

/** True when the annotations say, vendor by vendor and container by container, what the allocation says. */
export function isSameAllocation({ byVendor }: AnnotatedAllocation, allocation: Allocation): boolean {
  const written = allocation.map((_, index) => [...byVendor.values()].flatMap((own) => own[index] ?? []));
  return allocation.every(
    (shares, index) =>
      shares.length === written[index]?.length &&
      shares.every((share, place) => isSameShare(share, written[index]?.[place])),
  );
}

function isSameShare(a: Share, b: Share | undefined): boolean {
  return (Object.keys(a) as (keyof Share)[]).every((field) => a[field] === b?.[field]);
}

export interface ChargeInputs {
  readonly request: PodRequest;
  readonly annotated: AnnotatedAllocation;
  readonly trust: Trust;
  readonly vendors: readonly Vendor[];
  /** The node's device, or undefined when the node does not announce it. */
  readonly deviceOf: (vendor: VendorKey, id: string) => Device | undefined;
}

/** Applies the charging rule. Throws nothing. */
export function chargeOf(inputs: ChargeInputs): Charge {
  const { request, vendors } = inputs;
  const roles = request.containers.map(({ role }) => role);
  const withheld = new Map<VendorKey, number>();
  const allocation: Share[][] = request.containers.map(() => []);
  for (const { key } of vendors) {
    const charges = request.containers.map((_, index) => chargeContainer(inputs, key, index));
    for (const [index, { shares }] of charges.entries()) allocation[index]?.push(...shares);
    const cards = effectiveAmount(roles, (index) => charges[index]?.unknown ?? 0);
    if (cards > 0) withheld.set(key, cards);
  }
  return { allocation, withheld };
}

interface ContainerCharge {
  readonly shares: readonly Share[];
  /** Cards that the container asks for and nobody knows. */
  readonly unknown: number;
}

function chargeContainer(inputs: ChargeInputs, vendor: VendorKey, index: number): ContainerCharge {
  const { request, annotated, trust, deviceOf } = inputs;
  const written = annotated.byVendor.get(vendor);
  const shares = written?.[index] ?? [];
  const asked = request.containers[index]?.devices.find((device) => device.vendor === vendor);
  if (asked === undefined) return { shares, unknown: 0 };
  // What gives a container less than it asks for is no allocation to believe.
  if (trust === 'as-written' && written !== undefined && shares.length >= asked.count)
    return { shares, unknown: 0 };
  return {
    shares: shares.map((share) => raise(share, asked, deviceOf)),
    unknown: Math.max(0, asked.count - countKnown(shares, deviceOf)),
  };
}

/** A share, but no less than the container asked for on that card. */
function raise(share: Share, asked: DeviceRequest, deviceOf: ChargeInputs['deviceOf']): Share {
  const device = deviceOf(share.vendor, share.deviceId);
  const needMiB = device === undefined ? 0 : memoryNeedMiB(asked.memory, device);
  return {
    ...share,
    memoryMiB: Math.max(share.memoryMiB, needMiB),
    corePercent: Math.max(share.corePercent, asked.corePercent),
  };
}

function countKnown(shares: readonly Share[], deviceOf: ChargeInputs['deviceOf']): number {
  const known = shares.filter(({ vendor, deviceId }) => deviceOf(vendor, deviceId) !== undefined);
  return new Set(known.map(({ deviceId }) => deviceId)).size;
}
