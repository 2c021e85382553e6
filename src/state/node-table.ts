/**
 * Every node's record, kept current by node objects. A record outlives its object while pods are charged there, and is
 * forgotten when neither is left.
 */
import type { NodeObject } from '../model/cluster-objects.ts';
import type { VendorKey } from '../model/device.ts';
import { noHostAmounts } from '../model/host-amounts.ts';
import type { NodeView } from '../model/node-view.ts';
import { countOf, mebibytesOf, milliOf } from '../model/quantity.ts';
import { countedResources, type Discovery, type Vendor } from '../vendors/vendor.ts';
import { ChangeLog } from './change-log.ts';
import { cordonedIds, fingerprintOf, nextInventory, sameInventory } from './inventory.ts';
import { NodeRecord } from './node-record.ts';

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

/** Nodes that a caller asks about. */
export interface NamedNodes {
  readonly names: readonly string[];
  /** Whether they are a run of all nodes in the caller's own order, or only some of one. */
  readonly inOrder: boolean;
}

/** False ends the walk. */
export type LookAtNode = (name: string, view: NodeView | undefined) => boolean;

export class NodeTable {
  readonly #vendors: readonly Vendor[];
  readonly #records = new Map<string, NodeRecord>();
  readonly #fingerprints = new Map<string, string>();
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
        this.changes.note(name);
        return (this.#generation += 1);
      });
      this.#records.set(name, record);
    }
    return record;
  }

  view(name: string): NodeView | undefined {
    const record = this.#records.get(name);
    return record?.known === true ? record.view() : undefined;
  }

  /**
   * The views of many nodes, one after the other, while `look` says so; answers whether it came to the last. Callers name
   * thousands of nodes again and again in an order that hardly changes, so each is looked for where it came last time,
   * right behind the one before: comparing two names is far cheaper than finding one among all.
   */
  eachView({ names, inOrder }: NamedNodes, look: LookAtNode): boolean {
    let before: NodeRecord | undefined;
    for (const name of names) {
      let record = soonAfter(before, name);
      if (record === undefined) {
        record = this.#records.get(name);
        if (before !== undefined && inOrder) before.next = record;
      }
      before = record;
      if (!look(name, record?.known === true ? record.view() : undefined)) return false;
    }
    return true;
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
    // Others may still point here; by its name it is found again only as the record that it is.
    record.forgotten = true;
    this.#freeSlots.push(record.slot);
  }

  #applyAllocatable(record: NodeRecord, node: NodeObject): void {
    const counts = new Map(
      this.#vendors
        .flatMap(countedResources)
        .map((resource) => [resource, countOf(node.allocatable[resource])]),
    );
    record.setAllocatable(counts, {
      cpuMilli: milliOf(node.allocatable['cpu']),
      memoryMiB: mebibytesOf(node.allocatable['memory']),
      pods: countOf(node.allocatable['pods']),
    });
  }
}

/** How many nodes a list may leave out between two that it names. */
const mostHops = 4;

function soonAfter(before: NodeRecord | undefined, name: string): NodeRecord | undefined {
  let record = before?.next;
  for (let hops = 0; hops < mostHops && record !== undefined; hops += 1) {
    if (record.name === name && !record.forgotten) return record;
    record = record.next;
  }
  return undefined;
}

/** What of a vendor's annotations could not be read, whether or not the devices are known. */
function problemOf(discovery: Discovery): string | undefined {
  return discovery.kind === 'malformed' || discovery.kind === 'devices' ? discovery.problem : undefined;
}
