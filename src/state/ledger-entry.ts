/**
 * One pod's line in the ledger. States: `assumed` → `bound` → (`draining` →) released, which is absence. An entry never
 * changes; what it weighs is derived from its fields whenever it is asked for, which is far rarer than there are pods.
 */
import { type Allocation, effectiveUsage, heldSlices } from '../model/allocation.ts';
import type { VendorKey } from '../model/device.ts';
import type { PodObject } from '../model/cluster-objects.ts';
import type { ContainerRole } from '../model/container-role.ts';
import type { PodRequest } from '../model/request.ts';
import type { MigReservation } from '../vendors/mig-reservations.ts';
import type { AnnotatedAllocation } from './annotated-allocation.ts';
import { type Charge, type Trust, withheldCards } from './charge.ts';
import type { NodeLoad } from './node-sums.ts';
import type { HostAmounts } from '../model/host-amounts.ts';
import { type QuotaAmounts, quotaAmounts } from './quota-amounts.ts';

export type LedgerState = 'assumed' | 'bound' | 'draining';

export interface EntryFields {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly state: LedgerState;
  readonly request: PodRequest;
  readonly allocation: Allocation;
  /** Cards that the pod asks for and nobody knows, by vendor and container. */
  readonly unknown: Charge['unknown'];
  readonly initFinished: boolean;
  readonly host: HostAmounts;
  /** The pod's MIG instances with what the plugin reported of them. */
  readonly migReservations: readonly MigReservation[];
  /** Whether a container was running when the pod was last seen, and how long it may outlive the pod. */
  readonly running: boolean;
  readonly gracePeriodSeconds: number;
  /** For charges that depend on the node's inventory: what to derive them from again when it changes. */
  readonly derivedFrom: { readonly annotated: AnnotatedAllocation; readonly trust: Trust } | undefined;
  /** Set while draining: when the charge ends at the latest. */
  readonly drainUntilMs: number | undefined;
}

export class LedgerEntry implements EntryFields {
  readonly podUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly state: LedgerState;
  readonly request: PodRequest;
  readonly allocation: Allocation;
  readonly unknown: Charge['unknown'];
  readonly initFinished: boolean;
  readonly host: HostAmounts;
  readonly migReservations: readonly MigReservation[];
  readonly running: boolean;
  readonly gracePeriodSeconds: number;
  readonly derivedFrom: EntryFields['derivedFrom'];
  readonly drainUntilMs: number | undefined;

  constructor(fields: EntryFields) {
    this.podUid = fields.podUid;
    this.namespace = fields.namespace;
    this.name = fields.name;
    this.node = fields.node;
    this.state = fields.state;
    this.request = fields.request;
    this.allocation = fields.allocation;
    this.unknown = fields.unknown;
    this.initFinished = fields.initFinished;
    this.host = fields.host;
    this.migReservations = fields.migReservations;
    this.running = fields.running;
    this.gracePeriodSeconds = fields.gracePeriodSeconds;
    this.derivedFrom = fields.derivedFrom;
    this.drainUntilMs = fields.drainUntilMs;
  }

  with(changes: Partial<EntryFields>): LedgerEntry {
    return new LedgerEntry(Object.assign<object, EntryFields, Partial<EntryFields>>({}, this, changes));
  }

  /** One per container of the allocation. */
  get roles(): readonly ContainerRole[] {
    return this.request.containers.map(({ role }) => role);
  }

  /** What the entry weighs on its node. */
  get load(): NodeLoad {
    const { roles } = this;
    return {
      usage: effectiveUsage(this.allocation, roles, this.initFinished),
      ...heldSlices(this.allocation, roles, this.initFinished),
      withheld: withheldCards(this.unknown, roles, this.initFinished),
      counts: this.request.counts,
      host: this.host,
    };
  }

  /** What the entry counts against its namespace's quotas. */
  get quota(): ReadonlyMap<VendorKey, QuotaAmounts> {
    return quotaAmounts(this.allocation, this.roles, this.initFinished);
  }

  /** True when `load` and `quota` of both are made of the same: they are equal then. */
  weighsAs(other: LedgerEntry): boolean {
    return (
      this.allocation === other.allocation &&
      this.unknown === other.unknown &&
      this.request === other.request &&
      this.host === other.host &&
      this.initFinished === other.initFinished
    );
  }
}

const noReservations: readonly MigReservation[] = [];

/** A first entry for a pod that is bound. */
export function boundEntry(
  pod: PodObject,
  inputs: {
    request: PodRequest;
    node: string;
    charge: Charge;
    host: HostAmounts;
    migReservations?: readonly MigReservation[];
    derivedFrom?: EntryFields['derivedFrom'];
  },
): LedgerEntry {
  const { request, node, charge, host, migReservations = noReservations, derivedFrom } = inputs;
  return new LedgerEntry({
    podUid: pod.uid,
    namespace: pod.namespace,
    name: pod.name,
    node,
    state: 'bound',
    request,
    allocation: charge.allocation,
    unknown: charge.unknown,
    migReservations,
    initFinished: pod.initFinished,
    host,
    running: pod.running,
    gracePeriodSeconds: pod.gracePeriodSeconds,
    derivedFrom,
    drainUntilMs: undefined,
  });
}
