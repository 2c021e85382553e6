/**
 * What all ledger entries of a node weigh together. Kept by device key and apart from the inventory, so a card that
 * vanishes and returns finds its charges again. `add` and `subtract` undo each other exactly.
 */
import type { HeldSlices } from '../model/allocation.ts';
import { compareText, type DeviceUsage, noUsage, type VendorKey } from '../model/device.ts';
import { type HostAmounts, noHostAmounts } from '../model/host-amounts.ts';
import type { MigPlacement } from '../model/mig.ts';

/** What one ledger entry weighs on its node. */
export interface NodeLoad extends HeldSlices {
  readonly usage: ReadonlyMap<string, DeviceUsage>;
  readonly withheld: ReadonlyMap<VendorKey, number>;
  /** Amounts of count resources, by resource name. */
  readonly counts: ReadonlyMap<string, number>;
  readonly host: HostAmounts;
}

/** What is held of one card. */
interface CardSum {
  readonly usage: DeviceUsage;
  readonly slices: readonly MigPlacement[];
  readonly uncut: number;
  readonly kinds: readonly string[];
}

/** Sums in plain objects with their members in order: equal sums have equal JSON. */
export interface SumsPicture {
  /** By `deviceKey`. */
  readonly cards: Readonly<Record<string, CardSum>>;
  readonly withheld: Readonly<Record<VendorKey, number>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly host: HostAmounts;
}

const noSlices: readonly MigPlacement[] = [];
const noKinds: readonly string[] = [];
/** As on nearly every node. */
const noneWithheld: ReadonlyMap<VendorKey, number> = new Map();
const nothingHeld: CardSum = { usage: noUsage, slices: noSlices, uncut: 0, kinds: noKinds };

export class NodeSums {
  #cards = new Map<string, CardSum>();
  #withheld: ReadonlyMap<VendorKey, number> = noneWithheld;
  #counts = new Map<string, number>();
  #host = noHostAmounts;

  static of(loads: Iterable<NodeLoad>): NodeSums {
    const sums = new NodeSums();
    for (const load of loads) sums.add(load);
    return sums;
  }

  /** The same sums, apart from these. */
  copy(): NodeSums {
    const copy = new NodeSums();
    copy.#cards = new Map(this.#cards);
    copy.#withheld = this.#withheld;
    copy.#counts = new Map(this.#counts);
    copy.#host = this.#host;
    return copy;
  }

  picture(): SumsPicture {
    const cards = [...this.#cards].map(([key, { usage, slices, uncut, kinds }]) => {
      const { slots, memoryMiB, corePercent } = usage;
      const inOrder = slices
        .map(({ start, size }) => ({ start, size }))
        .sort((a, b) => a.start - b.start || a.size - b.size);
      return [
        key,
        { usage: { slots, memoryMiB, corePercent }, slices: inOrder, uncut, kinds: kinds.toSorted() },
      ] as const;
    });
    return {
      cards: inOrderOfKeys(cards),
      withheld: inOrderOfKeys(this.#withheld),
      counts: inOrderOfKeys(this.#counts),
      host: this.#host,
    };
  }

  get host(): HostAmounts {
    return this.#host;
  }

  get withheld(): ReadonlyMap<VendorKey, number> {
    return this.#withheld;
  }

  usage(key: string): DeviceUsage {
    return this.#card(key).usage;
  }

  slices(key: string): readonly MigPlacement[] {
    return this.#card(key).slices;
  }

  uncut(key: string): number {
    return this.#card(key).uncut;
  }

  kinds(key: string): readonly string[] {
    return this.#card(key).kinds;
  }

  count(resource: string): number {
    return this.#counts.get(resource) ?? 0;
  }

  add(load: NodeLoad): void {
    this.#sum(load, 1);
  }

  /** Takes back exactly what `add` was given. */
  subtract(load: NodeLoad): void {
    this.#sum(load, -1);
  }

  #card(key: string): CardSum {
    return this.#cards.get(key) ?? nothingHeld;
  }

  #setCard(key: string, sum: CardSum): void {
    if (holdsNothing(sum)) this.#cards.delete(key);
    else this.#cards.set(key, sum);
  }

  #sum(load: NodeLoad, sign: 1 | -1): void {
    for (const key of new Set([...load.usage.keys(), ...load.slices.keys(), ...load.uncut.keys()])) {
      const { usage, slices, uncut, kinds } = this.#card(key);
      const added = load.slices.get(key) ?? noSlices;
      const kindsAdded = load.kinds.get(key) ?? noKinds;
      this.#setCard(key, {
        usage: addUsage(usage, load.usage.get(key) ?? noUsage, sign),
        slices: sign === 1 ? joined(slices, added) : without(slices, added, isSamePlacement),
        uncut: uncut + sign * (load.uncut.get(key) ?? 0),
        kinds: sign === 1 ? joined(kinds, kindsAdded) : without(kinds, kindsAdded, Object.is),
      });
    }
    if (load.withheld.size > 0) {
      const withheld = new Map(this.#withheld);
      addCounts(withheld, load.withheld, sign);
      this.#withheld = withheld.size === 0 ? noneWithheld : withheld;
    }
    addCounts(this.#counts, load.counts, sign);
    this.#host = {
      cpuMilli: this.#host.cpuMilli + sign * load.host.cpuMilli,
      memoryMiB: this.#host.memoryMiB + sign * load.host.memoryMiB,
      pods: this.#host.pods + sign * load.host.pods,
    };
  }
}

function inOrderOfKeys<T>(members: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  return Object.fromEntries([...members].sort(([a], [b]) => compareText(a, b)));
}

function holdsNothing({ usage, slices, uncut }: CardSum): boolean {
  const { slots, memoryMiB, corePercent } = usage;
  return slots === 0 && memoryMiB === 0 && corePercent === 0 && slices.length === 0 && uncut === 0;
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

function joined<T>(all: readonly T[], more: readonly T[]): readonly T[] {
  return more.length === 0 ? all : [...all, ...more];
}

function isSamePlacement(a: MigPlacement, b: MigPlacement): boolean {
  return a.start === b.start && a.size === b.size;
}

/** A list with each of some members taken out once. */
function without<T>(all: readonly T[], some: readonly T[], isSame: (a: T, b: T) => boolean): readonly T[] {
  if (some.length === 0) return all;
  const left = [...all];
  for (const gone of some) {
    const place = left.findIndex((one) => isSame(one, gone));
    if (place >= 0) left.splice(place, 1);
  }
  return left;
}
