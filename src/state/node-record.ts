/**
 * One node in the cache: what it announces, what is used of it, and the view the planner gets. Usage is kept by
 * device key and apart from the inventory, so a card that vanishes and returns finds its charges again.
 */
import type { Device, DeviceUsage, VendorKey } from '../model/device.ts';
import { compareDevices, compareText, deviceKey, noUsage } from '../model/device.ts';
import { type DeviceView, makeNodeView, type NodeView } from '../model/node-view.ts';
import type { VendorInventory } from './inventory.ts';

/** Host resources in use or on offer: CPU in thousandths of a core, memory in MiB. */
export interface HostAmounts {
  readonly cpuMilli: number;
  readonly memoryMiB: number;
  readonly pods: number;
}

export const noHostAmounts: HostAmounts = { cpuMilli: 0, memoryMiB: 0, pods: 0 };

/** What one ledger entry weighs on its node. */
export interface NodeLoad {
  readonly usage: ReadonlyMap<string, DeviceUsage>;
  readonly withheld: ReadonlyMap<VendorKey, number>;
  /** Amounts of count resources, by resource name. */
  readonly counts: ReadonlyMap<string, number>;
  readonly host: HostAmounts;
}

export class NodeRecord {
  readonly name: string;
  /** False while only pods name this node and its own object is not known. */
  known = false;

  #allocatableCounts: ReadonlyMap<string, number> = new Map();
  #hostAllocatable: HostAmounts = noHostAmounts;
  readonly #nextGeneration: () => number;
  #generation: number;
  #inventoryGeneration: number;
  #inventories = new Map<VendorKey, VendorInventory>();
  #devices: readonly Device[] = [];
  #deviceByKey = new Map<string, Device>();
  readonly #usage = new Map<string, DeviceUsage>();
  readonly #withheld = new Map<VendorKey, number>();
  readonly #counts = new Map<string, number>();
  #host: HostAmounts = noHostAmounts;
  #view: NodeView | undefined;
  #idleView: NodeView | undefined;

  /** @param nextGeneration gives ever larger numbers, so that a node that returns is not taken for its former self */
  constructor(name: string, nextGeneration: () => number) {
    this.name = name;
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
    return this.#host;
  }

  device(vendor: VendorKey, id: string): Device | undefined {
    return this.#deviceByKey.get(deviceKey(vendor, id));
  }

  /** Replaces one vendor's devices; undefined removes the vendor from the node. */
  setInventory(vendor: VendorKey, inventory: VendorInventory | undefined): void {
    if (inventory === undefined) this.#inventories.delete(vendor);
    else this.#inventories.set(vendor, inventory);
    this.#devices = [...this.#inventories.values()]
      .filter(({ unavailable }) => unavailable === undefined)
      .flatMap(({ devices }) => devices)
      .sort(compareDevices);
    this.#deviceByKey = new Map(this.#devices.map((device) => [deviceKey(device.vendor, device.id), device]));
    this.#idleView = undefined;
    this.touch();
    this.#inventoryGeneration = this.#generation;
  }

  setAllocatable(counts: ReadonlyMap<string, number>, host: HostAmounts): void {
    this.#hostAllocatable = host;
    const same = [...counts].every(([name, count]) => this.#allocatableCounts.get(name) === count);
    if (same && counts.size === this.#allocatableCounts.size) return;
    this.#allocatableCounts = counts;
    this.#idleView = undefined;
    this.touch();
  }

  inventory(vendor: VendorKey): VendorInventory | undefined {
    return this.#inventories.get(vendor);
  }

  add(load: NodeLoad): void {
    this.#apply(load, 1);
  }

  /** Takes back exactly what `add` was given. */
  subtract(load: NodeLoad): void {
    this.#apply(load, -1);
  }

  /** Invalidates the view after a change of a public field. */
  touch(): void {
    this.#generation = this.#nextGeneration();
    this.#view = undefined;
  }

  view(): NodeView {
    this.#view ??= this.#makeView();
    return this.#view;
  }

  /** The first of the given devices on which more is used than it has. */
  overCommitted(keys: Iterable<string>): string | undefined {
    for (const key of keys) {
      const device = this.#deviceByKey.get(key);
      const used = this.#usage.get(key);
      if (device === undefined || used === undefined) continue;
      const { slots, memoryMiB, corePercent } = used;
      if (slots > device.slots || memoryMiB > device.memoryMiB || corePercent > device.corePercent)
        return key;
    }
    return undefined;
  }

  /** The node as it would be with nothing on it and every card in health: what it could ever serve. */
  idleView(): NodeView {
    this.#idleView ??= makeNodeView({
      ...this.view(),
      devices: this.#devices.map((device) => ({
        device: { ...device, healthy: true },
        used: noUsage,
        withheld: false,
      })),
      countFree: this.#allocatableCounts,
    });
    return this.#idleView;
  }

  #apply(load: NodeLoad, sign: 1 | -1): void {
    for (const [key, usage] of load.usage) {
      const sum = addUsage(this.#usage.get(key) ?? noUsage, usage, sign);
      if (sum.slots === 0 && sum.memoryMiB === 0 && sum.corePercent === 0) this.#usage.delete(key);
      else this.#usage.set(key, sum);
    }
    addCounts(this.#withheld, load.withheld, sign);
    addCounts(this.#counts, load.counts, sign);
    this.#host = {
      cpuMilli: this.#host.cpuMilli + sign * load.host.cpuMilli,
      memoryMiB: this.#host.memoryMiB + sign * load.host.memoryMiB,
      pods: this.#host.pods + sign * load.host.pods,
    };
    this.touch();
  }

  #makeView(): NodeView {
    const withheld = this.#withheldKeys();
    const devices: DeviceView[] = this.#devices.map((device) => {
      const key = deviceKey(device.vendor, device.id);
      return { device, used: this.#usage.get(key) ?? noUsage, withheld: withheld.has(key) };
    });
    const countFree = new Map<string, number>();
    for (const [resource, allocatable] of this.#allocatableCounts) {
      countFree.set(resource, allocatable - (this.#counts.get(resource) ?? 0));
    }
    const unavailable = new Map<VendorKey, string>();
    for (const [vendor, inventory] of this.#inventories) {
      if (inventory.unavailable !== undefined) unavailable.set(vendor, inventory.unavailable);
    }
    return makeNodeView({ name: this.name, generation: this.#generation, devices, countFree, unavailable });
  }

  /** The cards set aside for pods on unknown cards: the least used ones, as those are the likeliest to be theirs. */
  #withheldKeys(): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const [vendor, count] of this.#withheld) {
      this.#devices
        .filter((device) => device.vendor === vendor)
        .map((device) => {
          const key = deviceKey(vendor, device.id);
          return { key, slots: (this.#usage.get(key) ?? noUsage).slots, index: device.index };
        })
        .sort((a, b) => a.slots - b.slots || a.index - b.index || compareText(a.key, b.key))
        .slice(0, count)
        .forEach(({ key }) => keys.add(key));
    }
    return keys;
  }
}

function addUsage(a: DeviceUsage, b: DeviceUsage, sign: 1 | -1): DeviceUsage {
  return {
    slots: a.slots + sign * b.slots,
    memoryMiB: a.memoryMiB + sign * b.memoryMiB,
    corePercent: a.corePercent + sign * b.corePercent,
  };
}

function addCounts(sums: Map<string, number>, amounts: ReadonlyMap<string, number>, sign: 1 | -1): void {
  for (const [name, amount] of amounts) {
    const sum = (sums.get(name) ?? 0) + sign * amount;
    if (sum === 0) sums.delete(name);
    else sums.set(name, sum);
  }
}
