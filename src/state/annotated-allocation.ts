/**
 * The allocation that a bound pod's annotations tell of, vendor by vendor: the shares, for cards in MIG mode the
 * instances reserved for them, and the shares' kinds. What cannot be read is reported and left out; how far the rest is believed is the
 * charging rule's business.
 */
import { type Allocation, isSameShare, type Share } from '../model/allocation.ts';
import { askedQuantity, type PodObject } from '../model/cluster-objects.ts';
import type { VendorKey } from '../model/device.ts';
import { countOf } from '../model/quantity.ts';
import { alignEntries, decodeEntries } from '../vendors/allocation-codec.ts';
import { decodeMigReservations, type MigReservation } from '../vendors/mig-reservations.ts';
import { kindsAnnotation, nodeAnnotation } from '../vendors/pod-annotations.ts';
import { decodeKinds, type ShareKinds } from '../vendors/share-kinds.ts';
import type { Vendor } from '../vendors/vendor.ts';

/** An annotation value that could not be used, in words for the log. */
export interface AllocationProblem {
  readonly annotation: string;
  readonly problem: string;
}

export interface AnnotatedAllocation {
  /** Per vendor and container; a vendor whose value is absent or unusable is absent. */
  readonly byVendor: ReadonlyMap<VendorKey, Allocation>;
  /** One for each share in `byVendor`, of vendors that have some; what they say counts under an intact seal alone. */
  readonly kinds: ShareKinds;
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
    const entries = decodeEntries(value, vendor.key, vendor.entryWord === 'device-type');
    const aligned = entries.ok
      ? alignEntries(entries.value, pod.containers, vendor.resources.count)
      : entries;
    if (!aligned.ok) {
      problems.push({ annotation, problem: aligned.problem });
      continue;
    }
    byVendor.set(vendor.key, withInstances(aligned.value, pod, { vendor, problems }));
    if (aligned.value.flat().length === 0 && asksFor(vendor, pod)) {
      problems.push({
        annotation,
        problem: `names no device, but the pod asks for ${vendor.resources.count}`,
      });
    }
  }
  return { byVendor, kinds: kindsOf(pod, byVendor, problems), problems };
}

const noKinds: ShareKinds = new Map();

/** Of the vendors whose shares could be read. Kinds that are not one for each share belong to another allocation. */
function kindsOf(
  { annotations }: PodObject,
  byVendor: AnnotatedAllocation['byVendor'],
  problems: AllocationProblem[],
): ShareKinds {
  const value = annotations[kindsAnnotation];
  if (value === undefined) return noKinds;
  const decoded = decodeKinds(value);
  if (!decoded.ok) {
    problems.push({ annotation: kindsAnnotation, problem: decoded.problem });
    return noKinds;
  }
  const fitting = new Map([...decoded.value].filter(([vendor]) => byVendor.has(vendor)));
  for (const [vendor, kinds] of fitting) {
    const allocation = byVendor.get(vendor) ?? [];
    const fits =
      kinds.length === allocation.length &&
      kinds.every((words, index) => words.length === allocation[index]?.length);
    if (fits) continue;
    fitting.delete(vendor);
    problems.push({ annotation: kindsAnnotation, problem: `is not of the shares of ${vendor}` });
  }
  return fitting;
}

function asksFor({ resources }: Vendor, { containers }: PodObject): boolean {
  return containers.some((container) => countOf(askedQuantity(container, resources.count)) > 0);
}

const noReservations: readonly MigReservation[] = [];

/** The MIG instances reserved for a pod; an unreadable or absent value is none. */
export function reservationsOf(pod: PodObject, vendors: readonly Vendor[]): readonly MigReservation[] {
  const reservations = vendors.flatMap(({ annotations: { migReservations: key } }) => {
    const value = key === undefined ? undefined : pod.annotations[key];
    const decoded = value === undefined ? undefined : decodeMigReservations(value);
    return decoded?.ok === true ? decoded.value : [];
  });
  return reservations.length === 0 ? noReservations : reservations;
}

interface InstanceInputs {
  readonly vendor: Vendor;
  readonly problems: AllocationProblem[];
}

/**
 * Gives every share its reserved instance: by its place, or where a scheduler lost empty places (Q1), the next one
 * reserved on its card. A share left without one makes its card unclear if that is in MIG mode; a reservation left
 * without a share is a stale one of another placement (Q11) and occupies nothing.
 */
function withInstances(
  allocation: Allocation,
  pod: PodObject,
  { vendor, problems }: InstanceInputs,
): Allocation {
  const annotation = vendor.annotations.migReservations;
  const value = annotation === undefined ? undefined : pod.annotations[annotation];
  if (annotation === undefined || value === undefined) return allocation;
  const decoded = decodeMigReservations(value);
  if (!decoded.ok) {
    problems.push({ annotation, problem: decoded.problem });
    return allocation;
  }
  const left = new Set(decoded.value);
  const placed = allocation.map((shares, containerIndex) =>
    shares.map((share, deviceIndex) => {
      const own = [...left].find(
        (one) =>
          one.deviceId === share.deviceId &&
          one.containerIndex === containerIndex &&
          one.deviceIndex === deviceIndex,
      );
      if (own === undefined) return share;
      left.delete(own);
      return { ...share, mig: own.instance };
    }),
  );
  const completed = placed.map((shares) => shares.map((share) => withNext(share, left)));
  for (const { deviceId } of left) {
    problems.push({
      annotation,
      problem: `reserves an instance on ${JSON.stringify(deviceId)} that the pod has no share of`,
    });
  }
  return completed;
}

function withNext(share: Share, left: Set<MigReservation>): Share {
  const next =
    share.mig === undefined ? [...left].find(({ deviceId }) => deviceId === share.deviceId) : undefined;
  if (next === undefined) return share;
  left.delete(next);
  return { ...share, mig: next.instance };
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

/** True when a kind is written that is not the one of the allocation's share; where none is written, none differs. */
export function areOtherKinds({ kinds }: AnnotatedAllocation, allocation: Allocation): boolean {
  return [...kinds].some(([vendor, containers]) =>
    containers.some((words, index) => {
      const own = (allocation[index] ?? []).filter((share) => share.vendor === vendor);
      return words.some((word, place) => word !== null && word !== own[place]?.kind);
    }),
  );
}
