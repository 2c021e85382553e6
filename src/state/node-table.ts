/**
 * Every node's record, kept current by node objects. A record outlives its object while pods are charged there, and is
 * forgotten when neither is left.
 */
import type { NodeObject } from '../model/cluster-objects.ts';
import type { VendorKey } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import { countOf, mebibytesOf, milliOf } from '../model/quantity.ts';
import type { Discovery, Vendor } from '../vendors/vendor.ts';
import { ChangeLog } from './change-log.ts';
import { cordonedIds, fingerprintOf, nextInventory, sameInventory } from './inventory.ts';
import { NodeRecord } from './node-record.ts';
import { noHostAmounts } from './node-sums.ts';

/** A vendor's node annotation that could not be read; its last good inventory stays in force. */
export interface RegisterProblem {
  readonly vendor: VendorKey;
  readonly problem: string;
}

export interface NodeChange {
  readonly record: NodeRecord;
  /** True when the devices are not the ones they were. */
  readonly devicesChanged: boolean;
  /** What could not be read, once per change of the value. */
  readonly problems: readonly RegisterProblem[];
}

export class NodeTable {
  readonly #vendors: readonly Vendor[];
  readonly #records = new Map<string, NodeRecord>();
  readonly #fingerprints = new Map<string, string>();
  /** Views that are up to date, so that one lookup finds what a call names. */
  readonly #views = new Map<string, NodeView>();
  readonly changes = new ChangeLog();
  #generation = 0;
  /** Slots of nodes that are forgotten. */
  readonly #freeSlots: number[] = [];

  constructor(vendors: readonly Vendor[]) {
    this.#vendors = vendors;
  }

  find(name: string): NodeRecord | undefined {
    return this.#records.get(name);
  }

  /** The record of a node, made when there is none yet: pods may be known before their node. */
  obtain(name: string): NodeRecord {
    let record = this.#records.get(name);
    if (record === undefined) {
      record = new NodeRecord(name, this.#freeSlots.pop() ?? this.#records.size, () => {
        this.#views.delete(name);
        this.changes.note(name);
        return (this.#generation += 1);
      });
      this.#records.set(name, record);
    }
    return record;
  }

  view(name: string): NodeView | undefined {
    const present = this.#views.get(name);
    if (present !== undefined) return present;
    const record = this.#records.get(name);
    if (record?.known !== true) return undefined;
    const view = record.view();
    this.#views.set(name, view);
    return view;
  }

  idleView(name: string): NodeView | undefined {
    const record = this.#records.get(name);
    return record?.known === true ? record.idleView() : undefined;
  }

  *names(): Iterable<string> {
    for (const record of this.#records.values()) if (record.known) yield record.name;
  }

  /** Takes a node as it is now. */
  apply(node: NodeObject): NodeChange {
    const record = this.obtain(node.name);
    if (!record.known) {
      record.known = true;
      record.touch();
    }
    this.#applyAllocatable(record, node);
    const problems: RegisterProblem[] = [];
    let devicesChanged = false;
    for (const vendor of this.#vendors) {
      const fingerprint = fingerprintOf(node, vendor);
      const place = `${node.name}/${vendor.key}`;
      if (this.#fingerprints.get(place) === fingerprint) continue;
      this.#fingerprints.set(place, fingerprint);
      const discovery = vendor.discover(node);
      const problem = problemOf(discovery);
      if (problem !== undefined) problems.push({ vendor: vendor.key, problem });
      const previous = record.inventory(vendor.key);
      const next = nextInventory(discovery, previous, cordonedIds(node, vendor));
      if (sameInventory(previous, next)) continue;
      record.setInventory(vendor.key, next);
      devicesChanged = true;
    }
    return { record, devicesChanged, problems };
  }

  /** A node object is gone: its devices are, too. */
  remove(record: NodeRecord): void {
    for (const { key } of this.#vendors) {
      this.#fingerprints.delete(`${record.name}/${key}`);
      if (record.inventory(key) !== undefined) record.setInventory(key, undefined);
    }
    record.known = false;
    record.setAllocatable(new Map(), noHostAmounts);
    record.touch();
  }

  /** Nothing is charged on the node any longer; without its object it need not be remembered. */
  forgetIfUnknown(record: NodeRecord): void {
    if (record.known || !this.#records.delete(record.name)) return;
    this.#freeSlots.push(record.slot);
  }

  #applyAllocatable(record: NodeRecord, node: NodeObject): void {
    const counts = new Map(
      this.#vendors.map(({ resources }) => [resources.count, countOf(node.allocatable[resources.count])]),
    );
    record.setAllocatable(counts, {
      cpuMilli: milliOf(node.allocatable['cpu']),
      memoryMiB: mebibytesOf(node.allocatable['memory']),
      pods: countOf(node.allocatable['pods']),
    });
  }
}

/** What of a vendor's annotations could not be read, whether or not the devices are known. */
function problemOf(discovery: Discovery): string | undefined {
  return discovery.kind === 'malformed' || discovery.kind === 'devices' ? discovery.problem : undefined;
}
