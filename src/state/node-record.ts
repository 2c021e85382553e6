/** One node in the cache: what it announces, what is used of it, and the view the planner gets. */
import type { Device, VendorKey } from '../model/device.ts';
import { compareDevices, compareText, deviceKey, noUsage } from '../model/device.ts';
import { type HostAmounts, hostLess, isSameHost, noHostAmounts } from '../model/host-amounts.ts';
import { isCut, overlaps } from '../model/mig.ts';
import { type DeviceView, makeNodeView, type NodeView } from '../model/node-view.ts';
import type { VendorInventory } from './inventory.ts';
import { type NodeLoad, NodeSums, type SumsPicture } from './node-sums.ts';

export class NodeRecord {
  readonly name: string;
  /** See `NodeView.slot`. */
  readonly slot: number;
  /** False while only pods name this node and its own object is not known. */
  known = false;
  /** True once the table has let go of it: a node that comes back under the name has another record. */
  forgotten = false;
  /** The node that callers mostly name after this one; a guess, to be compared by name. */
  next: NodeRecord | undefined;

  #allocatableCounts: ReadonlyMap<string, number> = new Map();
  #hostAllocatable: HostAmounts = noHostAmounts;
  readonly #nextGeneration: () => number;
  #generation: number;
  #inventoryGeneration: number;
  #inventories = new Map<VendorKey, VendorInventory>();
  #devices: readonly Device[] = [];
  #deviceById: ReadonlyMap<VendorKey, ReadonlyMap<string, Device>> = new Map();
  #cordoned: ReadonlySet<string> = new Set();
  #sums = new NodeSums();
  #view: NodeView | undefined;
  #idleView: NodeView | undefined;

  /** @param nextGeneration gives ever larger numbers, so that a node that returns is not taken for its former self */
  constructor(name: string, slot: number, nextGeneration: () => number) {
    this.name = name;
    this.slot = slot;
    this.#nextGeneration = nextGeneration;
    this.#generation = nextGeneration();
    this.#inventoryGeneration = this.#generation;
  }

  /** Grows with every change that can alter a verdict. */
  get generation(): number {
    return this.#generation;
  }

  /** Grows only when the devices themselves change. */
  get inventoryGeneration(): number {
    return this.#inventoryGeneration;
  }

  get hostAllocatable(): HostAmounts {
    return this.#hostAllocatable;
  }

  get hostUsed(): HostAmounts {
    return this.#sums.host;
  }

  device(vendor: VendorKey, id: string): Device | undefined {
    return this.#deviceById.get(vendor)?.get(id);
  }

  /** Replaces one vendor's devices; undefined removes the vendor from the node. */
  setInventory(vendor: VendorKey, inventory: VendorInventory | undefined): void {
    if (inventory === undefined) this.#inventories.delete(vendor);
    else this.#inventories.set(vendor, inventory);
    const offered = [...this.#inventories].filter(([, { unavailable }]) => unavailable === undefined);
    this.#devices = offered.flatMap(([, { devices }]) => devices).sort(compareDevices);
    this.#cordoned = new Set(
      offered.flatMap(([, { devices, cordoned }]) =>
        devices.filter(({ id }) => cordoned.has(id)).map((device) => deviceKey(device.vendor, device.id)),
      ),
    );
    this.#deviceById = new Map(
      offered.map(([key, { devices }]) => [key, new Map(devices.map((device) => [device.id, device]))]),
    );
    this.#idleView = undefined;
    this.touch();
    this.#inventoryGeneration = this.#generation;
  }

  setAllocatable(counts: ReadonlyMap<string, number>, host: HostAmounts): void {
    const same = [...counts].every(([name, count]) => this.#allocatableCounts.get(name) === count);
    if (same && counts.size === this.#allocatableCounts.size && isSameHost(host, this.#hostAllocatable))
      return;
    this.#hostAllocatable = host;
    this.#allocatableCounts = counts;
    this.#idleView = undefined;
    this.touch();
  }

  inventory(vendor: VendorKey): VendorInventory | undefined {
    return this.#inventories.get(vendor);
  }

  add(load: NodeLoad): void {
    this.#sums.add(load);
    this.touch();
  }

  /** Takes back exactly what `add` was given. */
  subtract(load: NodeLoad): void {
    this.#sums.subtract(load);
    this.touch();
  }

  /** What is held here, as a picture that can be compared with another. */
  get held(): SumsPicture {
    return this.#sums.picture();
  }

  /** Forgets what was summed up, and sums up these instead. */
  recount(loads: Iterable<NodeLoad>): void {
    this.#sums = NodeSums.of(loads);
    this.touch();
  }

  /** Invalidates the view after a change of a public field. */
  touch(): void {
    this.#generation = this.#nextGeneration();
    this.#view = undefined;
  }

  view(): NodeView {
    this.#view ??= { ...this.#makeView(this.#sums), slot: this.slot };
    return this.#view;
  }

  /** The node as it would be without some of what is on it. */
  viewWithout(loads: Iterable<NodeLoad>): NodeView {
    const sums = this.#sums.copy();
    for (const load of loads) sums.subtract(load);
    return this.#makeView(sums);
  }

  /**
   * The first of the given devices on which more is used than it has. On a MIG card the slices decide about compute:
   * the percentages of profiles are rounded up, so a full card may add up to more than 100.
   */
  overCommitted(keys: Iterable<string>): string | undefined {
    const asked = new Set(keys);
    for (const device of this.#devices) {
      const key = deviceKey(device.vendor, device.id);
      if (!asked.has(key)) continue;
      const { slots, memoryMiB, corePercent } = this.#sums.usage(key);
      const slices = this.#sums.slices(key);
      const tooMuchCompute =
        slices.length > 0
          ? slices.some((a, index) => slices.slice(index + 1).some((b) => overlaps(a, b)))
          : corePercent > device.corePercent;
      if (slots > device.slots || memoryMiB > device.memoryMiB || tooMuchCompute) return key;
    }
    return undefined;
  }

  /** The node as it would be with nothing on it and every card in health: what it could ever serve. */
  idleView(): NodeView {
    this.#idleView ??= makeNodeView({
      ...this.#makeView(this.#sums),
      devices: this.#devices.map((device) => ({
        device: { ...device, healthy: true },
        used: noUsage,
        withheld: false,
        cordoned: false,
        occupied: [],
        kinds: [],
        unclear: false,
      })),
      countFree: this.#allocatableCounts,
      hostFree: this.#hostAllocatable,
    });
    return this.#idleView;
  }

  #makeView(sums: NodeSums): NodeView {
    const withheld = this.#withheldKeys(sums);
    const devices: DeviceView[] = this.#devices.map((device) => {
      const key = deviceKey(device.vendor, device.id);
      const occupied = sums.slices(key);
      return {
        // Copies lie beside each other in memory; thousands of views are read in one call.
        device: { ...device },
        used: { ...sums.usage(key) },
        withheld: withheld.has(key),
        cordoned: this.#cordoned.has(key),
        occupied,
        kinds: sums.kinds(key),
        // A share without its slices, or slices of a card that is not cut: nobody knows what is free.
        unclear: isCut(device) ? sums.uncut(key) > 0 : occupied.length > 0,
      };
    });
    const countFree = new Map<string, number>();
    for (const [resource, allocatable] of this.#allocatableCounts) {
      countFree.set(resource, allocatable - sums.count(resource));
    }
    const unavailable = new Map<VendorKey, string>();
    for (const [vendor, inventory] of this.#inventories) {
      if (inventory.unavailable !== undefined) unavailable.set(vendor, inventory.unavailable);
    }
    const hostFree = hostLess(this.#hostAllocatable, sums.host);
    return makeNodeView({
      name: this.name,
      generation: this.#generation,
      devices,
      countFree,
      hostFree,
      unavailable,
    });
  }

  /** The cards set aside for pods on unknown cards: the least used ones, as those are the likeliest to be theirs. */
  #withheldKeys(sums: NodeSums): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const [vendor, count] of sums.withheld) {
      this.#devices
        .filter((device) => device.vendor === vendor)
        .map((device) => {
          const key = deviceKey(vendor, device.id);
          return { key, slots: sums.usage(key).slots, index: device.index };
        })
        .sort((a, b) => a.slots - b.slots || a.index - b.index || compareText(a.key, b.key))
        .slice(0, count)
        .forEach(({ key }) => keys.add(key));
    }
    return keys;
  }
}
