/**
 * Which pods of one node have to leave so that another one fits, beside those that kube-scheduler has chosen already.
 * Looks at the state and changes nothing. What is said of leaving is said of the end of it: cards of an evicted pod
 * stay charged until its containers are gone, and the pod that waits for them is planned again then.
 */
import { compareText, type VendorKey } from '../model/device.ts';
import { type NamespaceQuota, noQuota, type QuotaLimit } from '../model/quota.ts';
import type { PodRequest } from '../model/request.ts';
import { plan, type PlanRules } from '../placement/planner.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { LedgerEntry } from '../state/ledger-entry.ts';
import type { QuotaAmounts } from '../state/quota-amounts.ts';
import { mayGiveWay } from './mendable.ts';

export interface Preemption {
  readonly state: DeviceState;
  readonly request: PodRequest;
  readonly rules: PlanRules;
}

/** True when the pod fits the node once these entries of the node are no more. False for an unknown node. */
export function fitsWithout(
  { state, request, rules }: Preemption,
  node: string,
  leaving: readonly LedgerEntry[],
): boolean {
  const view = state.viewWithout(
    node,
    leaving.map(({ podUid }) => podUid),
  );
  if (view === undefined) return false;
  const quota = quotaWithout(rules.quota ?? noQuota, request.namespace, leaving);
  return plan(view, request, { ...rules, quota }).ok;
}

/**
 * The given victims and those that are needed beside them, the most important first, as kube-scheduler wants them.
 * None of the given ones is taken back, even where we could do without it: it was chosen for reasons that we do not
 * know. The others have a lower priority than the pod, as low as possible, and none of them could stay. Undefined when
 * the pod does not fit even so.
 */
export function completeVictims(
  preemption: Preemption,
  node: string,
  given: readonly string[],
): readonly string[] | undefined {
  const { state, request } = preemption;
  const entries = state.entriesOf(node);
  const isGiven = new Set(given);
  const chosen = entries.filter(({ podUid }) => isGiven.has(podUid));
  if (fitsWithout(preemption, node, chosen)) return given;

  // A draining pod cannot be evicted any more. One whose bind is under way may not be on the node in kube-scheduler's
  // eyes, and a single victim that it does not find there ends its whole attempt.
  const others = entries.filter(
    (entry) => entry.state === 'bound' && !isGiven.has(entry.podUid) && mayGiveWay(entry, request),
  );
  const added = fewestOf(others.sort(leastImportantFirst(request)), (more) =>
    fitsWithout(preemption, node, [...chosen, ...more]),
  );
  return added === undefined ? undefined : mostImportantFirst([...given, ...added], state);
}

/**
 * As many from the front as suffice, without those that are not needed after all, the last ones first. Undefined when
 * not even all suffice. `suffice` must not become false by one more.
 */
function fewestOf(
  ordered: readonly LedgerEntry[],
  suffice: (some: readonly LedgerEntry[]) => boolean,
): readonly string[] | undefined {
  if (ordered.length === 0 || !suffice(ordered)) return undefined;
  let count = 1;
  while (!suffice(ordered.slice(0, count))) count += 1;
  let needed = ordered.slice(0, count);
  // Without the very last one it did not do, so that one stays.
  for (const entry of needed.slice(0, -1).reverse()) {
    const rest = needed.filter((other) => other !== entry);
    if (suffice(rest)) needed = rest;
  }
  return needed.map(({ podUid }) => podUid);
}

/** Lowest priority first; of equals the one that gives most memory, so that few have to go. Ages are not known here. */
function leastImportantFirst({ containers }: PodRequest): (a: LedgerEntry, b: LedgerEntry) => number {
  const vendors = new Set(containers.flatMap(({ devices }) => devices.map(({ vendor }) => vendor)));
  const heldMiB = ({ allocation }: LedgerEntry) =>
    allocation.flat().reduce((sum, share) => sum + (vendors.has(share.vendor) ? share.memoryMiB : 0), 0);
  return (a, b) =>
    a.request.priority - b.request.priority || heldMiB(b) - heldMiB(a) || compareText(a.podUid, b.podUid);
}

/** kube-scheduler takes the first victim's priority for the highest. Pods that we do not know stay in front. */
function mostImportantFirst(podUids: readonly string[], state: DeviceState): readonly string[] {
  const priorityOf = (podUid: string) => state.entry(podUid)?.request.priority ?? Number.MAX_SAFE_INTEGER;
  return [...podUids].sort((a, b) => priorityOf(b) - priorityOf(a));
}

/** The limits with what these pods, where they are of the namespace, no longer count against them. */
function quotaWithout(
  quota: NamespaceQuota,
  namespace: string,
  leaving: readonly LedgerEntry[],
): NamespaceQuota {
  if (quota.size === 0) return quota;
  // What drains counts against no quota as it is.
  const counted = leaving.filter((entry) => entry.namespace === namespace && entry.state !== 'draining');
  const less = (limit: QuotaLimit | undefined, vendor: VendorKey, dimension: keyof QuotaAmounts) =>
    limit && {
      ...limit,
      used: counted.reduce((used, entry) => used - (entry.quota.get(vendor)?.[dimension] ?? 0), limit.used),
    };
  return new Map(
    [...quota].map(([vendor, { memory, cores }]) => {
      const remaining = {
        memory: less(memory, vendor, 'memoryMiB'),
        cores: less(cores, vendor, 'corePercent'),
      };
      return [
        vendor,
        {
          ...(remaining.memory === undefined ? {} : { memory: remaining.memory }),
          ...(remaining.cores === undefined ? {} : { cores: remaining.cores }),
        },
      ];
    }),
  );
}
