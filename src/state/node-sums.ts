/**
 * What all ledger entries of a node weigh together. Kept by device key and apart from the inventory, so a card that
 * vanishes and returns finds its charges again. `add` and `subtract` undo each other exactly.
 */
import type { HeldSlices } from '../model/allocation.ts';
import { type DeviceUsage, noUsage, type VendorKey } from '../model/device.ts';
import type { MigPlacement } from '../model/mig.ts';

/** Host resources in use or on offer: CPU in thousandths of a core, memory in MiB. */
export interface HostAmounts {
  readonly cpuMilli: number;
  readonly memoryMiB: number;
  readonly pods: number;
}

export const noHostAmounts: HostAmounts = { cpuMilli: 0, memoryMiB: 0, pods: 0 };

/** What one ledger entry weighs on its node. */
export interface NodeLoad extends HeldSlices {
  readonly usage: ReadonlyMap<string, DeviceUsage>;
  readonly withheld: ReadonlyMap<VendorKey, number>;
  /** Amounts of count resources, by resource name. */
  readonly counts: ReadonlyMap<string, number>;
  readonly host: HostAmounts;
}

const noSlices: readonly MigPlacement[] = [];

export class NodeSums {
  #usage = new Map<string, DeviceUsage>();
  #slices = new Map<string, readonly MigPlacement[]>();
  #uncut = new Map<string, number>();
  #withheld = new Map<VendorKey, number>();
  #counts = new Map<string, number>();
  #host = noHostAmounts;

  /** The same sums, apart from these. */
  copy(): NodeSums {
    const copy = new NodeSums();
    copy.#usage = new Map(this.#usage);
    copy.#slices = new Map(this.#slices);
    copy.#uncut = new Map(this.#uncut);
    copy.#withheld = new Map(this.#withheld);
    copy.#counts = new Map(this.#counts);
    copy.#host = this.#host;
    return copy;
  }

  get host(): HostAmounts {
    return this.#host;
  }

  get withheld(): ReadonlyMap<VendorKey, number> {
    return this.#withheld;
  }

  usage(key: string): DeviceUsage {
    return this.#usage.get(key) ?? noUsage;
  }

  slices(key: string): readonly MigPlacement[] {
    return this.#slices.get(key) ?? noSlices;
  }

  uncut(key: string): number {
    return this.#uncut.get(key) ?? 0;
  }

  count(resource: string): number {
    return this.#counts.get(resource) ?? 0;
  }

  add(load: NodeLoad): void {
    for (const [key, placements] of load.slices) this.#slices.set(key, [...this.slices(key), ...placements]);
    this.#sum(load, 1);
  }

  /** Takes back exactly what `add` was given. */
  subtract(load: NodeLoad): void {
    for (const [key, placements] of load.slices) {
      const left = without(this.slices(key), placements);
      if (left.length === 0) this.#slices.delete(key);
      else this.#slices.set(key, left);
    }
    this.#sum(load, -1);
  }

  #sum(load: NodeLoad, sign: 1 | -1): void {
    for (const [key, usage] of load.usage) {
      const sum = addUsage(this.usage(key), usage, sign);
      if (sum.slots === 0 && sum.memoryMiB === 0 && sum.corePercent === 0) this.#usage.delete(key);
      else this.#usage.set(key, sum);
    }
    addCounts(this.#uncut, load.uncut, sign);
    addCounts(this.#withheld, load.withheld, sign);
    addCounts(this.#counts, load.counts, sign);
    this.#host = {
      cpuMilli: this.#host.cpuMilli + sign * load.host.cpuMilli,
      memoryMiB: this.#host.memoryMiB + sign * load.host.memoryMiB,
      pods: this.#host.pods + sign * load.host.pods,
    };
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

/** A list with each of some members taken out once. */
function without(all: readonly MigPlacement[], some: readonly MigPlacement[]): readonly MigPlacement[] {
  const left = [...all];
  for (const gone of some) {
    const place = left.findIndex(({ start, size }) => start === gone.start && size === gone.size);
    if (place >= 0) left.splice(place, 1);
  }
  return left;
}
