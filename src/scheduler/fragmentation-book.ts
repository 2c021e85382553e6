/**
 * How much of what is idle the expected pods can use, read again and again: what a node adds is worked out when the node
 * has changed, and summed up at every reading. Classes are told in words, those of equal words as one.
 */
import { compareText, type Device, type VendorKey } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import { classWords } from '../placement/fragmentation/class-words.ts';
import {
  type FragmentationMeasure,
  makeFragmentationMeasure,
} from '../placement/fragmentation/fragmentation-measure.ts';
import type { WeightedClass } from '../placement/fragmentation/request-class.ts';
import { kindKey } from '../placement/fragmentation/supply.ts';
import type { CardRulesByVendor } from '../vendors/card-rules.ts';

/** Of one family, so many of the most frequent classes are told one by one. */
export const mostClasses = 16;

export interface FragmentationSources {
  /** All nodes as they are now. */
  readonly views: () => Iterable<NodeView>;
  /** The workload in force; another one is another object. */
  readonly classes: () => readonly WeightedClass[];
  readonly cardRules?: CardRulesByVendor;
}

export interface VendorFragmentation {
  readonly vendor: VendorKey;
  /** In thousandths of a card. */
  readonly idleMilli: number;
  readonly fragmentedMilli: number;
  /** By class in words, the most frequent first: what of the idle capacity it cannot use. */
  readonly uselessMilli: ReadonlyMap<string, number>;
}

/** What one node adds to one family. */
interface NodePart {
  readonly vendor: VendorKey;
  readonly idleMilli: number;
  readonly fragmentedMilli: number;
  /** By group. */
  readonly uselessMilli: readonly number[];
}

interface KnownNode {
  readonly generation: number;
  readonly parts: readonly NodePart[];
}

interface ClassGroup {
  readonly words: string;
  /** Of each class in the group, its place in the measure and its part of the group's weight. */
  readonly members: readonly { readonly position: number; readonly part: number }[];
}

export class FragmentationBook {
  readonly #sources: FragmentationSources;
  #classes: readonly WeightedClass[] | undefined;
  #measure: FragmentationMeasure = makeFragmentationMeasure([]);
  #groups: ReadonlyMap<VendorKey, readonly ClassGroup[]> = new Map();
  /** One card of each kind that was seen. */
  readonly #kinds = new Map<string, Device>();
  #nodes = new Map<string, KnownNode>();

  constructor(sources: FragmentationSources) {
    this.#sources = sources;
  }

  /** All at once; with many nodes that takes a while. */
  read(): readonly VendorFragmentation[] {
    for (const view of this.begin()) this.look(view);
    return this.sums();
  }

  /** Takes in the cluster as it is. Answers the nodes that have to be looked at before the sums are right. */
  begin(): readonly NodeView[] {
    const views = [...this.#sources.views()];
    const classes = this.#sources.classes();
    if (this.#seesNewKinds(views) || classes !== this.#classes) this.#measureBy(classes);
    const before = this.#nodes;
    this.#nodes = new Map();
    const changed: NodeView[] = [];
    for (const view of views) {
      const known = before.get(view.name);
      if (known?.generation === view.generation) this.#nodes.set(view.name, known);
      else changed.push(view);
    }
    return changed;
  }

  look(view: NodeView): void {
    this.#nodes.set(view.name, { generation: view.generation, parts: this.#partsOf(view) });
  }

  /** Every family of which there are cards, and for whose cards some class asks. */
  sums(): readonly VendorFragmentation[] {
    const sums = new Map<VendorKey, { idle: number; fragmented: number; useless: number[] }>();
    for (const { parts } of this.#nodes.values()) {
      for (const { vendor, idleMilli, fragmentedMilli, uselessMilli } of parts) {
        let sum = sums.get(vendor);
        if (sum === undefined) {
          sum = { idle: 0, fragmented: 0, useless: uselessMilli.map(() => 0) };
          sums.set(vendor, sum);
        }
        sum.idle += idleMilli;
        sum.fragmented += fragmentedMilli;
        for (let at = 0; at < uselessMilli.length; at += 1)
          sum.useless[at] = (sum.useless[at] ?? 0) + (uselessMilli[at] ?? 0);
      }
    }
    return [...sums].map(([vendor, { idle, fragmented, useless }]) => ({
      vendor,
      idleMilli: idle,
      fragmentedMilli: fragmented,
      uselessMilli: new Map(this.#groups.get(vendor)?.map(({ words }, at) => [words, useless[at] ?? 0])),
    }));
  }

  #seesNewKinds(views: readonly NodeView[]): boolean {
    const before = this.#kinds.size;
    for (const { name, generation, devices } of views) {
      if (this.#nodes.get(name)?.generation === generation) continue;
      for (const { device } of devices) this.#kinds.set(kindKey(device), device);
    }
    return this.#kinds.size > before;
  }

  #measureBy(classes: readonly WeightedClass[]): void {
    this.#classes = classes;
    this.#measure = makeFragmentationMeasure(classes, this.#sources.cardRules);
    this.#groups = groupsOf(this.#measure.classes, [...this.#kinds.values()]);
    this.#nodes.clear();
  }

  #partsOf(view: NodeView): readonly NodePart[] {
    const useless = this.#measure.uselessByClass(view);
    const vendors = new Set(view.devices.map(({ device }) => device.vendor));
    return [...vendors].flatMap((vendor): readonly NodePart[] => {
      const groups = this.#groups.get(vendor);
      if (groups === undefined) return [];
      return [
        {
          vendor,
          idleMilli: this.#measure.idleMilli(view, vendor),
          fragmentedMilli: this.#measure.fragmentedMilli(view, vendor),
          uselessMilli: groups.map(({ members }) =>
            members.reduce((sum, { position, part }) => sum + part * (useless[position] ?? 0), 0),
          ),
        },
      ];
    });
  }
}

function groupsOf(
  classes: readonly WeightedClass[],
  kinds: readonly Device[],
): ReadonlyMap<VendorKey, readonly ClassGroup[]> {
  const placed = classes.map((entry, position) => ({ entry, position }));
  const groups = new Map<VendorKey, readonly ClassGroup[]>();
  for (const [vendor, own] of Map.groupBy(placed, ({ entry }) => entry.vendor)) {
    if (vendor === undefined) continue;
    const byWords = Map.groupBy(own, ({ entry }) => classWords(entry, kinds));
    const heaviest = [...byWords]
      .map(([words, members]) => {
        const weight = members.reduce((sum, { entry }) => sum + entry.weight, 0);
        const parts = members.map(({ entry, position }) => ({ position, part: entry.weight / weight }));
        return { words, weight, members: parts };
      })
      .sort((a, b) => b.weight - a.weight || compareText(a.words, b.words));
    groups.set(vendor, heaviest.slice(0, mostClasses));
  }
  return groups;
}
