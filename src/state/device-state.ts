/**
 * The device-state cache: the inventory of every node and the ledger of every allocation, kept current by events in
 * time proportional to what changed. Everything here is synchronous, so that a check and the reservation that follows
 * it cannot be interleaved. It reads no clock and does no I/O; callers hand in the time and report what it answers.
 */
import type { Allocation } from '../model/allocation.ts';
import {
  type NamespacedName,
  type NodeObject,
  podName,
  type PodObject,
  type QuotaObject,
} from '../model/cluster-objects.ts';
import { isSameHost } from '../model/host-amounts.ts';
import { NamespacedMap } from '../model/namespaced-map.ts';
import type { NodeView } from '../model/node-view.ts';
import type { NamespaceQuota } from '../model/quota.ts';
import { asksForDevices, type PodRequest } from '../model/request.ts';
import { type PodReading, readPodRequest } from '../vendors/pod-request.ts';
import type { Vendor } from '../vendors/vendor.ts';
import {
  type AllocationProblem,
  type AnnotatedAllocation,
  areOtherKinds,
  isSameAllocation,
  readAllocation,
  reservationsOf,
} from './annotated-allocation.ts';
import { type Charge, chargeOf, dependsOnDevices, type Trust } from './charge.ts';
import { Ledger } from './ledger.ts';
import { boundEntry, type EntryFields, type LedgerEntry } from './ledger-entry.ts';
import type { NodeRecord } from './node-record.ts';
import { type LookAtNode, type NamedNodes, NodeTable, type RegisterProblem } from './node-table.ts';
import { PodShapes } from './pod-shapes.ts';
import { type QuotaProblem, QuotaTable, type QuotaUsage } from './quota-table.ts';
import { type Stray, type StrayChange, Strays } from './strays.ts';

/** An unbound pod that asks for a managed resource, or tried to. */
export interface PendingPod {
  readonly pod: PodObject;
  readonly reading: PodReading;
}

export interface DeviceStateOptions {
  readonly vendors: readonly Vendor[];
  /** How far a bound pod's annotations are believed. */
  readonly trustOf: (pod: PodObject) => Trust;
  /** Told of every charge of devices that ends. */
  readonly onReleased?: (entry: LedgerEntry) => void;
  /** Told of every charge of devices that stays and has become smaller. */
  readonly onEased?: (entry: LedgerEntry) => void;
  /** Told of pods bound past us that wait for devices, as they come, start and settle. */
  readonly onStray?: (change: StrayChange) => void;
  /** Told what a pod asks for when it is first seen, if it asks for devices and can be understood; each pod once. */
  readonly onRequested?: (request: PodRequest) => void;
}

export class DeviceState {
  readonly vendors: readonly Vendor[];
  readonly #trustOf: (pod: PodObject) => Trust;
  readonly #onRequested: ((request: PodRequest) => void) | undefined;
  readonly #nodes: NodeTable;
  readonly #shapes: PodShapes;
  readonly #ledger: Ledger;
  readonly #quotas: QuotaTable;
  readonly #strays: Strays;
  readonly #pending = new Map<string, PendingPod>();
  /** Names as events brought them, of pending and of charged pods. */
  readonly #uidByName = new NamespacedMap<string>();
  /** Pods whose drain time is over while their objects still say that something runs. */
  readonly #drained = new Set<string>();
  /** Of every pod that is known, its version as last taken, by UID. */
  readonly #versions = new Map<string, string>();
  #synced = false;

  constructor({ vendors, trustOf, onReleased, onEased, onStray, onRequested }: DeviceStateOptions) {
    this.vendors = vendors;
    this.#trustOf = trustOf;
    this.#onRequested = onRequested;
    this.#nodes = new NodeTable(vendors);
    this.#shapes = new PodShapes(vendors);
    this.#quotas = new QuotaTable(vendors);
    this.#strays = new Strays({
      vendors,
      shapes: this.#shapes,
      ...(onStray === undefined ? {} : { onChange: onStray }),
    });
    this.#ledger = new Ledger({
      nodes: this.#nodes,
      quotas: this.#quotas,
      onReleased: (entry) => {
        if (!this.#pending.has(entry.podUid)) this.#forgetName(entry, entry.podUid);
        if (entry.request.counts.size > 0) onReleased?.(entry);
      },
      onEased: (entry) => {
        if (entry.request.counts.size > 0) onEased?.(entry);
      },
    });
  }

  /** False until the first complete picture is in; before that nothing may be answered from here. */
  get synced(): boolean {
    return this.#synced;
  }

  markSynced(): void {
    this.#synced = true;
  }

  /** A state that knows nothing yet, of the same vendors and with the same trust. */
  blank(): DeviceState {
    return new DeviceState({ vendors: this.vendors, trustOf: this.#trustOf });
  }

  // --- reading

  /** The picture of a node, or undefined when no such node is known. */
  view(name: string): NodeView | undefined {
    return this.#nodes.view(name);
  }

  /** The pictures of many nodes in turn, while `look` says so; answers whether it came to the last. */
  eachView(nodes: NamedNodes, look: LookAtNode): boolean {
    return this.#nodes.eachView(nodes, look);
  }

  /** The node as it would be with nothing on it, or undefined when no such node is known. */
  idleView(name: string): NodeView | undefined {
    return this.#nodes.idleView(name);
  }

  /** Where the log of changes of nodes is now; see `changedSince`. */
  get changePosition(): number {
    return this.#nodes.changes.position;
  }

  /** Names of the nodes whose picture changed after a position; undefined when that is too long ago to be known. */
  changedSince(position: number): ReadonlySet<string> | undefined {
    return this.#nodes.changes.since(position);
  }

  /** Names of all known nodes, in no particular order. */
  nodeNames(): Iterable<string> {
    return this.#nodes.names();
  }

  /** The record behind a view, for readers that need more than the planner does. */
  node(name: string): NodeRecord | undefined {
    return this.#nodes.find(name);
  }

  entry(podUid: string): LedgerEntry | undefined {
    return this.#ledger.find(podUid);
  }

  entries(): Iterable<LedgerEntry> {
    return this.#ledger.entries();
  }

  pending(podUid: string): PendingPod | undefined {
    return this.#pending.get(podUid);
  }

  pendingPods(): Iterable<PendingPod> {
    return this.#pending.values();
  }

  /** The UID behind a namespaced name, among pending pods and the ledger. */
  uidOf(pod: NamespacedName): string | undefined {
    return this.#uidByName.get(pod);
  }

  quotas(): Iterable<QuotaObject> {
    return this.#quotas.all();
  }

  /** The limits in force in a namespace with what its pods hold; the same object until something changes. */
  quotaOf(namespace: string): NamespaceQuota {
    return this.#quotas.limitsOf(namespace);
  }

  quotaUsages(): Iterable<QuotaUsage> {
    return this.#quotas.usages();
  }

  /** The node as it would be without some of its pods, or undefined when no such node is known. */
  viewWithout(name: string, podUids: Iterable<string>): NodeView | undefined {
    const record = this.#nodes.find(name);
    if (record?.known !== true) return undefined;
    const leaving = [...new Set(podUids)].flatMap((uid) => this.#ledger.find(uid) ?? []);
    return record.viewWithout(leaving.filter(({ node }) => node === name).map(({ load }) => load));
  }

  /** A pod bound past us that waits for devices on the node, and so closes it; undefined while it is open. */
  strayOn(node: string): Stray | undefined {
    return this.#strays.on(node);
  }

  /** How many nodes such pods close now. */
  get closedNodes(): number {
    return this.#strays.nodes;
  }

  /** The version in which a pod was last taken; undefined when it is not known or was reported gone. */
  versionOf(podUid: string): string | undefined {
    return this.#versions.get(podUid);
  }

  /** The ledger's entries of one node. */
  entriesOf(node: string): readonly LedgerEntry[] {
    return this.#ledger.entriesOf(node);
  }

  // --- events

  /** Takes a quota as it is now. Answers what could not be read, once per change of the value. */
  applyQuota(quota: QuotaObject): readonly QuotaProblem[] {
    return this.#quotas.apply(quota);
  }

  removeQuota(quota: NamespacedName): void {
    this.#quotas.remove(quota);
  }

  /** Takes a node as it is now. Answers what could not be read, once per change of the value. */
  applyNode(node: NodeObject): readonly RegisterProblem[] {
    const { record, devicesChanged, problems } = this.#nodes.apply(node);
    if (devicesChanged) this.#rederive(record);
    return problems;
  }

  /** A node object is gone: its devices are, too, and nothing drains there any longer. */
  removeNode(name: string): void {
    const record = this.#nodes.find(name);
    if (record === undefined) return;
    this.#nodes.remove(record);
    const entries = this.#ledger.entriesOf(name);
    for (const entry of entries) if (entry.state === 'draining') this.#ledger.release(entry.podUid);
    if (entries.length === 0) this.#nodes.forgetIfUnknown(record);
  }

  /** Takes a pod as it is now. Answers what of its allocation could not be read when the pod is charged. */
  applyPod(pod: PodObject, nowMs: number): readonly AllocationProblem[] {
    const previous = this.#uidByName.get(pod);
    // A name that comes back with another UID tells that the former pod is gone. Only names that events brought are
    // compared: a bind may be ahead of the events, and one about an older pod of that name must not end it.
    if (previous !== undefined && previous !== pod.uid) this.removePod(previous, nowMs);
    const isNew = !this.#versions.has(pod.uid);
    this.#versions.set(pod.uid, pod.resourceVersion);
    const problems = this.#take(pod, nowMs);
    if (isNew && this.#onRequested !== undefined) this.#tellRequest(pod.uid, this.#onRequested);
    return problems;
  }

  /**
   * A pod object is gone. Containers that were last seen running stay charged for a while.
   *
   * @param isMissed its last moments were not seen, so that containers of a bound pod may have begun to run since
   */
  removePod(podUid: string, nowMs: number, isMissed = false): void {
    const pending = this.#pending.get(podUid);
    if (pending !== undefined) {
      this.#pending.delete(podUid);
      this.#forgetName(pending.pod, podUid);
    }
    this.#drained.delete(podUid);
    this.#versions.delete(podUid);
    this.#strays.forget(podUid);
    const entry = this.#ledger.find(podUid);
    if (entry === undefined) return;
    this.#forgetName(entry, podUid);
    if (entry.running || (isMissed && entry.state === 'bound')) this.#ledger.drain(podUid, nowMs);
    else this.#ledger.release(podUid);
  }

  /** Ends the charges whose drain time is over, and answers how many those were. */
  expireDraining(nowMs: number): number {
    const drained = this.#ledger.drained(nowMs);
    for (const entry of drained) {
      // Only while the object is there can an event of it come that would begin the drain again.
      if (this.#uidByName.get(entry) === entry.podUid) this.#drained.add(entry.podUid);
      this.#ledger.release(entry.podUid);
    }
    return drained.length;
  }

  // --- repairs

  /** Ends a pod's charge, whatever its state. For what the audit found wrong; events never need it. */
  discharge(podUid: string): void {
    this.#ledger.release(podUid);
  }

  /** Sums up a node's entries anew. For sums that the audit found wrong. */
  recount(node: string): void {
    const loads = this.#ledger.entriesOf(node).map(({ load }) => load);
    this.#nodes.find(node)?.recount(loads);
  }

  // --- binds

  /**
   * Commits an allocation before it is written to the cluster. The caller has planned it on the current view in the
   * same synchronous step; anything that does not fit here is a bug and throws.
   */
  assume(inputs: { pod: PodObject; request: PodRequest; node: string; allocation: Allocation }): void {
    const { pod, request, node, allocation } = inputs;
    if (this.#ledger.find(pod.uid) !== undefined)
      throw new Error(`pod ${podName(pod)} is in the ledger already`);
    const { host } = this.#shapes.of(pod);
    const entry = boundEntry(pod, {
      request,
      node,
      charge: { allocation, unknown: new Map() },
      host,
    }).with({ state: 'assumed', initFinished: false, running: false });
    this.#ledger.insert(entry);
    const over = this.#nodes.obtain(node).overCommitted(entry.load.usage.keys());
    if (over === undefined) return;
    this.#ledger.release(pod.uid);
    throw new Error(`assuming pod ${podName(pod)} would over-commit device ${over} of node ${node}`);
  }

  /** The cluster has the allocation. Without effect when a watch event said so first. */
  confirm(podUid: string): void {
    const entry = this.#ledger.find(podUid);
    if (entry?.state === 'assumed') this.#ledger.replace(entry, entry.with({ state: 'bound' }));
    this.#pending.delete(podUid);
  }

  /** Takes an assumed allocation back; a bound one stays. May be called twice. */
  cancel(podUid: string): void {
    if (this.#ledger.find(podUid)?.state === 'assumed') this.#ledger.release(podUid);
  }

  // --- inside

  #take(pod: PodObject, nowMs: number): readonly AllocationProblem[] {
    const ended = pod.phase === 'Succeeded' || pod.phase === 'Failed';
    if (pod.nodeName === undefined) {
      this.#applyUnbound(pod, ended);
      return [];
    }
    this.#pending.delete(pod.uid);
    this.#strays.see(pod, pod.nodeName);
    if (ended && (!pod.running || this.#drained.has(pod.uid))) {
      this.#ledger.release(pod.uid);
      this.#forgetName(pod, pod.uid);
      return [];
    }
    const problems = this.#applyBound(pod, pod.nodeName);
    this.#uidByName.set(pod, pod.uid);
    if (ended) this.#ledger.drain(pod.uid, nowMs);
    return problems;
  }

  #applyUnbound(pod: PodObject, ended: boolean): void {
    const reading = readPodRequest(pod, this.vendors, this.#shapes.of(pod));
    const managed = reading.problems.length > 0 || reading.request.counts.size > 0;
    if (!ended && managed) {
      this.#pending.set(pod.uid, { pod, reading });
      this.#uidByName.set(pod, pod.uid);
      return;
    }
    this.#pending.delete(pod.uid);
    if (this.#ledger.find(pod.uid) === undefined) this.#forgetName(pod, pod.uid);
  }

  #tellRequest(podUid: string, tell: (request: PodRequest) => void): void {
    const reading = this.#pending.get(podUid)?.reading;
    if (reading !== undefined && reading.problems.length > 0) return;
    const request = reading?.request ?? this.#ledger.find(podUid)?.request;
    if (request !== undefined && asksForDevices(request)) tell(request);
  }

  #applyBound(pod: PodObject, node: string): readonly AllocationProblem[] {
    const entry = this.#ledger.find(pod.uid);
    if (entry?.node === node && entry.state !== 'assumed') {
      this.#follow(entry, pod);
      return [];
    }
    const annotated = readAllocation(pod, this.vendors);
    if (entry?.node === node && this.#isAsAssumed(pod, annotated, entry.allocation)) {
      this.#follow(entry, pod);
      return [];
    }
    // Assumed one way, bound another: the cluster is right.
    if (entry !== undefined) this.#ledger.release(pod.uid);
    const shape = this.#shapes.of(pod);
    const { request } = readPodRequest(pod, this.vendors, shape);
    const derivedFrom = { annotated, trust: this.#trustOf(pod) };
    const record = this.#nodes.obtain(node);
    const charge = this.#charge(record, request, derivedFrom);
    this.#ledger.insert(
      boundEntry(pod, {
        request,
        node: record.name,
        charge,
        host: shape.host,
        derivedFrom: dependsOnDevices(request, derivedFrom) ? derivedFrom : undefined,
        migReservations: reservationsOf(pod, this.vendors),
      }),
    );
    return annotated.problems;
  }

  /** Whether the cluster has what was assumed, the kinds of its shares included where what is said of them is sealed. */
  #isAsAssumed(pod: PodObject, annotated: AnnotatedAllocation, assumed: Allocation): boolean {
    if (!isSameAllocation(annotated, assumed)) return false;
    return !areOtherKinds(annotated, assumed) || this.#trustOf(pod) !== 'as-written';
  }

  /** For a bound UID the allocation never changes; only the pod's progress does. */
  #follow(entry: LedgerEntry, pod: PodObject): void {
    const state = entry.state === 'assumed' ? 'bound' : entry.state;
    const { running, initFinished, gracePeriodSeconds } = pod;
    // Host resources may be resized in place; devices never.
    const resized = this.#shapes.of(pod).host;
    const host = isSameHost(resized, entry.host) ? entry.host : resized;
    // The plugin completes the reservations once it has made the instances.
    const migReservations = reservationsOf(pod, this.vendors);
    const next = { state, running, initFinished, gracePeriodSeconds, host, migReservations };
    this.#ledger.replace(entry, entry.with(next));
  }

  #charge(
    record: NodeRecord,
    request: PodRequest,
    derivedFrom: NonNullable<EntryFields['derivedFrom']>,
  ): Charge {
    return chargeOf({
      ...derivedFrom,
      request,
      vendors: this.vendors,
      deviceOf: (vendor, id) => record.device(vendor, id),
    });
  }

  /** Charges that depend on the node's devices are made anew when those change. */
  #rederive(record: NodeRecord): void {
    for (const entry of this.#ledger.entriesOf(record.name)) {
      if (entry.derivedFrom === undefined) continue;
      const charge = this.#charge(record, entry.request, entry.derivedFrom);
      this.#ledger.replace(entry, entry.with(charge));
    }
  }

  #forgetName(pod: NamespacedName, uid: string): void {
    if (this.#uidByName.get(pod) === uid) this.#uidByName.delete(pod);
  }
}
