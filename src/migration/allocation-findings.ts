/**
 * What becomes of the allocations that HAMi has written on pods: which are carried over as they are, which are read
 * otherwise than they are written, and which cannot be carried over at all (spec §1.9, §1.10, Appendix A and D.3).
 */
import type { Allocation } from '../model/allocation.ts';
import type { PodObject } from '../model/cluster-objects.ts';
import { isSameAllocation, readAllocation } from '../state/annotated-allocation.ts';
import { alignEntries, decodeEntries } from '../vendors/allocation-codec.ts';
import { decodeMigReservations } from '../vendors/mig-reservations.ts';
import { nodeAnnotation } from '../vendors/pod-annotations.ts';
import type { Vendor } from '../vendors/vendor.ts';
import { type Finding, finding } from './finding.ts';
import { type LivePod, podReference, type Subject } from './subject.ts';

export function allocationFindings(subject: Subject): readonly Finding[] {
  return subject.livePods.flatMap((live) =>
    live.pod.nodeName === undefined ? unboundFindings(live, subject) : boundFindings(live, subject),
  );
}

function unboundFindings({ pod }: LivePod, { vendors }: Subject): readonly Finding[] {
  const named = pod.annotations[nodeAnnotation];
  const keys = vendors
    .map(({ annotations }) => annotations.allocated)
    .filter((key) => key in pod.annotations);
  if (named === undefined && keys.length === 0) return [];
  const where = named === undefined ? 'no node' : `node ${named}`;
  return [
    finding('GhostReservation', podReference(pod), `not bound, and annotated with an allocation on ${where}`),
  ];
}

function boundFindings(live: LivePod, subject: Subject): readonly Finding[] {
  const { pod } = live;
  const { vendors } = subject;
  const allocated = vendors.filter(({ annotations }) => annotations.allocated in pod.annotations);
  if (allocated.length === 0) return live.asks ? [withoutAllocation(live)] : [];
  const named = pod.annotations[nodeAnnotation];
  if (named !== pod.nodeName) {
    const sentence = `runs on ${pod.nodeName ?? ''}, but its allocation names ${named ?? 'no node'}`;
    return [finding('AllocationForOtherNode', podReference(pod), sentence)];
  }
  return [
    ...allocated.flatMap((vendor) => vendorFindings(pod, vendor)),
    ...reservationFindings(live, vendors),
    ...chargeFindings(live, subject),
  ];
}

function withoutAllocation({ pod, reading }: LivePod): Finding {
  const [problem] = reading.problems;
  const isNamed = pod.annotations[nodeAnnotation] !== undefined;
  if (problem === undefined && !isNamed) {
    const sentence = `runs with cards that no scheduler of shared cards gave it: it named its node itself, or ${pod.schedulerName === '' ? 'its scheduler' : pod.schedulerName} does not share cards`;
    return finding('BoundAroundScheduler', podReference(pod), sentence);
  }
  const cause =
    problem === undefined
      ? ''
      : `; ${problem.field}: ${JSON.stringify(problem.value)} is read as "no cards" by HAMi`;
  return finding('BoundWithoutAllocation', podReference(pod), `asks for cards and has no allocation${cause}`);
}

/** A MIG instance as schedulers up to v2.9 named it, behind the card's id. */
const migSuffix = /\[\d+-\d+\]\s*,/;

function vendorFindings(pod: PodObject, vendor: Vendor): readonly Finding[] {
  const object = podReference(pod);
  const value = pod.annotations[vendor.annotations.allocated] ?? '';
  const mig = migSuffix.test(value)
    ? [
        finding(
          'MigPodBeforeV210',
          object,
          'holds a MIG instance in the form up to v2.9 (card[x-y]), whose slices nobody knows',
        ),
      ]
    : [];
  const entries = decodeEntries(value, vendor.key);
  const aligned = entries.ok ? alignEntries(entries.value, pod.containers, vendor.resources.count) : entries;
  if (!entries.ok || !aligned.ok) {
    const problem = aligned.ok ? '' : aligned.problem;
    return [...mig, finding('AllocationMalformed', object, `${vendor.annotations.allocated}: ${problem}`)];
  }
  if (isAsWritten(entries.value, aligned.value)) return mig;
  const sentence = `${entries.value.length === 1 ? '1 entry' : `${entries.value.length} entries`} for ${pod.containers.length} containers; read as ${describe(aligned.value, pod)}`;
  return [...mig, finding('AllocationMisaligned', object, sentence)];
}

function isAsWritten(entries: Allocation, aligned: Allocation): boolean {
  return entries.length === aligned.length && entries.every((shares, index) => shares === aligned[index]);
}

/** E.g. `"train": GPU-a`. */
function describe(allocation: Allocation, pod: PodObject): string {
  return allocation
    .flatMap((shares, index) =>
      shares.length === 0
        ? []
        : [
            `${JSON.stringify(pod.containers[index]?.name)}: ${shares.map(({ deviceId }) => deviceId).join(' ')}`,
          ],
    )
    .join(', ');
}

function reservationFindings({ pod }: LivePod, vendors: readonly Vendor[]): readonly Finding[] {
  const { problems } = readAllocation(pod, vendors);
  return vendors.flatMap(({ annotations: { migReservations: key } }) => {
    const value = key === undefined ? undefined : pod.annotations[key];
    if (key === undefined || value === undefined) return [];
    const code = decodeMigReservations(value).ok ? 'MigReservationStale' : 'MigReservationMalformed';
    return problems
      .filter(({ annotation }) => annotation === key)
      .map(({ problem }) => finding(code, podReference(pod), `${key}: ${problem}`));
  });
}

/** Where the charging rule takes more than the annotations say. */
function chargeFindings({ pod }: LivePod, { state, vendors }: Subject): readonly Finding[] {
  const entry = state.entry(pod.uid);
  if (entry === undefined) return [];
  const annotated = readAllocation(pod, vendors);
  const isReadable = vendors.every(
    ({ key, annotations }) => !(annotations.allocated in pod.annotations) || annotated.byVendor.has(key),
  );
  if (!isReadable) return [];
  const cards = [...entry.load.withheld.values()].reduce((sum, count) => sum + count, 0);
  if (cards > 0) {
    const sentence = `asks for ${cards} more cards of ${entry.node} than that node publishes under the ids it holds`;
    return [finding('CardUnknown', podReference(pod), sentence)];
  }
  if (isSameAllocation(annotated, entry.allocation)) return [];
  const written = [...annotated.byVendor.values()].flat();
  const sentence = `charged ${amountsOf(entry.allocation)} instead of ${amountsOf(written)}, its own request being larger`;
  return [finding('ChargeRaised', podReference(pod), sentence)];
}

function amountsOf(allocation: Allocation): string {
  const shares = allocation.flat();
  const memoryMiB = shares.reduce((sum, share) => sum + share.memoryMiB, 0);
  const corePercent = shares.reduce((sum, share) => sum + share.corePercent, 0);
  return `${memoryMiB} MiB and ${corePercent} of compute`;
}
