/**
 * The ledger: one entry per pod that is charged, by UID, and what all entries weigh on their nodes. Whoever changes an
 * entry changes its node's record in the same step, so the two cannot drift apart.
 */
import type { LedgerEntry } from './ledger-entry.ts';
import type { NodeTable } from './node-table.ts';
import type { QuotaTable } from './quota-table.ts';

/** Seconds beyond its grace period for which a pod that was last seen running stays charged. */
const drainMarginSeconds = 15;

export class Ledger {
  readonly #nodes: NodeTable;
  readonly #quotas: QuotaTable;
  readonly #onReleased: (entry: LedgerEntry) => void;
  readonly #onEased: (entry: LedgerEntry) => void;
  readonly #entries = new Map<string, LedgerEntry>();
  readonly #uidsByNode = new Map<string, Set<string>>();
  readonly #draining = new Set<string>();

  constructor(parts: {
    readonly nodes: NodeTable;
    readonly quotas: QuotaTable;
    readonly onReleased: (entry: LedgerEntry) => void;
    readonly onEased: (entry: LedgerEntry) => void;
  }) {
    this.#nodes = parts.nodes;
    this.#quotas = parts.quotas;
    this.#onReleased = parts.onReleased;
    this.#onEased = parts.onEased;
  }

  find(podUid: string): LedgerEntry | undefined {
    return this.#entries.get(podUid);
  }

  entries(): Iterable<LedgerEntry> {
    return this.#entries.values();
  }

  /** The entries of a node; a copy, so that they may be released while it is read. */
  entriesOf(node: string): readonly LedgerEntry[] {
    return [...(this.#uidsByNode.get(node) ?? [])].flatMap((uid) => this.#entries.get(uid) ?? []);
  }

  insert(entry: LedgerEntry): void {
    this.#entries.set(entry.podUid, entry);
    const uids = this.#uidsByNode.get(entry.node) ?? new Set();
    this.#uidsByNode.set(entry.node, uids.add(entry.podUid));
    this.#nodes.obtain(entry.node).add(entry.load);
    this.#countInQuota(entry, 1);
  }

  /** Replaces an entry by one of the same pod and node. */
  replace(previous: LedgerEntry, next: LedgerEntry): void {
    this.#entries.set(next.podUid, next);
    if (previous.weighsAs(next)) return;
    const record = this.#nodes.obtain(previous.node);
    record.subtract(previous.load);
    record.add(next.load);
    this.#countInQuota(previous, -1);
    this.#countInQuota(next, 1);
    if (next.initFinished && !previous.initFinished) this.#onEased(next);
  }

  /** Ends a charge, and answers what it was. May be called twice. */
  release(podUid: string): LedgerEntry | undefined {
    const entry = this.#entries.get(podUid);
    if (entry === undefined) return undefined;
    this.#entries.delete(podUid);
    this.#draining.delete(podUid);
    const record = this.#nodes.obtain(entry.node);
    record.subtract(entry.load);
    this.#countInQuota(entry, -1);
    const uids = this.#uidsByNode.get(entry.node);
    uids?.delete(podUid);
    if (uids?.size === 0) {
      this.#uidsByNode.delete(entry.node);
      this.#nodes.forgetIfUnknown(record);
    }
    this.#onReleased(entry);
    return entry;
  }

  /** Keeps a charge for as long as the pod's containers may outlive it; without its node nothing can. */
  drain(podUid: string, nowMs: number): void {
    const entry = this.#entries.get(podUid);
    if (entry === undefined || entry.state === 'draining') return;
    if (this.#nodes.find(entry.node)?.known !== true) {
      this.release(podUid);
      return;
    }
    const drainUntilMs = nowMs + (entry.gracePeriodSeconds + drainMarginSeconds) * 1000;
    this.#countInQuota(entry, -1);
    this.#entries.set(podUid, entry.with({ state: 'draining', drainUntilMs }));
    this.#draining.add(podUid);
  }

  /** A draining pod has ended for everybody but its node: a quota does not count it any longer. */
  #countInQuota(entry: LedgerEntry, sign: 1 | -1): void {
    if (entry.state !== 'draining') this.#quotas.charge(entry.namespace, entry.quota, sign);
  }

  /** What has drained for long enough. */
  drained(nowMs: number): readonly LedgerEntry[] {
    return [...this.#draining]
      .flatMap((uid) => this.#entries.get(uid) ?? [])
      .filter(({ drainUntilMs = 0 }) => drainUntilMs <= nowMs);
  }
}
