/** One pod's line in the ledger. States: `assumed` → `bound` → (`draining` →) released, which is absence. */
import { type Allocation, effectiveUsage, heldSlices } from '../model/allocation.ts';
import type { VendorKey } from '../model/device.ts';
import type { PodObject } from '../model/cluster-objects.ts';
import { type ContainerRole, effectiveAmount } from '../model/container-role.ts';
import { mebibytesOf, milliOf } from '../model/quantity.ts';
import type { PodRequest } from '../model/request.ts';
import type { MigReservation } from '../vendors/mig-reservations.ts';
import type { AnnotatedAllocation } from './annotated-allocation.ts';
import { type Charge, type Trust, withheldCards } from './charge.ts';
import type { HostAmounts, NodeLoad } from './node-sums.ts';
import { type QuotaAmounts, quotaAmounts } from './quota-amounts.ts';

export type LedgerState = 'assumed' | 'bound' | 'draining';

export interface LedgerEntry {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly state: LedgerState;
  readonly roles: readonly ContainerRole[];
  readonly request: PodRequest;
  readonly allocation: Allocation;
  /** Cards that the pod asks for and nobody knows, by vendor and container. */
  readonly unknown: Charge['unknown'];
  readonly initFinished: boolean;
  readonly host: HostAmounts;
  /** What the entry weighs on its node, derived from the fields above. */
  readonly load: NodeLoad;
  /** What the entry counts against its namespace's quotas, derived like `load`. */
  readonly quota: ReadonlyMap<VendorKey, QuotaAmounts>;
  /** The pod's MIG instances with what the plugin reported of them. */
  readonly migReservations: readonly MigReservation[];
  /** Whether a container was running when the pod was last seen, and how long it may outlive the pod. */
  readonly running: boolean;
  readonly gracePeriodSeconds: number;
  /** For charges that depend on the node's inventory: what to derive them from again when it changes. */
  readonly derivedFrom?: { readonly annotated: AnnotatedAllocation; readonly trust: Trust };
  /** Set while draining: when the charge ends at the latest. */
  readonly drainUntilMs?: number;
}

/** Completes an entry by what it weighs. */
export function withLoad(entry: Omit<LedgerEntry, 'load' | 'quota'>): LedgerEntry {
  return {
    ...entry,
    quota: quotaAmounts(entry.allocation, entry.roles, entry.initFinished),
    load: {
      usage: effectiveUsage(entry.allocation, entry.roles, entry.initFinished),
      ...heldSlices(entry.allocation),
      withheld: withheldCards(entry.unknown, entry.roles, entry.initFinished),
      counts: entry.request.counts,
      host: entry.host,
    },
  };
}

export function rolesOf(request: PodRequest): readonly ContainerRole[] {
  return request.containers.map(({ role }) => role);
}

/** The host resources a pod requests, by the effective-request rule; a limit stands in for an absent request. */
export function hostAmountsOf(pod: PodObject): HostAmounts {
  const roles = pod.containers.map(({ role }) => role);
  const written = (index: number, resource: string) => {
    const container = pod.containers[index];
    return container?.requests[resource] ?? container?.limits[resource];
  };
  return {
    cpuMilli: effectiveAmount(roles, (index) => milliOf(written(index, 'cpu'))),
    memoryMiB: effectiveAmount(roles, (index) => mebibytesOf(written(index, 'memory'))),
    pods: 1,
  };
}

/** A first entry for a pod that is bound. */
export function boundEntry(
  pod: PodObject,
  inputs: {
    request: PodRequest;
    node: string;
    charge: Charge;
    migReservations?: readonly MigReservation[];
    derivedFrom?: LedgerEntry['derivedFrom'];
  },
): LedgerEntry {
  const { request, node, charge, migReservations = [], derivedFrom } = inputs;
  return withLoad({
    podUid: pod.uid,
    namespace: pod.namespace,
    name: pod.name,
    node,
    state: 'bound',
    roles: rolesOf(request),
    request,
    allocation: charge.allocation,
    unknown: charge.unknown,
    migReservations,
    initFinished: pod.initFinished,
    host: hostAmountsOf(pod),
    running: pod.running,
    gracePeriodSeconds: pod.gracePeriodSeconds,
    ...(derivedFrom === undefined ? {} : { derivedFrom }),
  });
}
