/**
 * How much of a node's idle cards the expected workload cannot use there (Weng et al., "Beware of Fragmentation",
 * USENIX ATC 2023, F_n(M)), with cards of several dimensions and families. To a class that does not fit on the node,
 * for want of CPU or of enough cards, everything idle of its family is useless, else what is idle on cards that are too
 * full for it; to pods that ask for no device everything is. The mean over the classes, by how often each comes, is the
 * fragmentation. Each family is measured against its own classes and those without devices. Host memory is left out,
 * as in the paper.
 */
import type { VendorKey } from '../../model/device.ts';
import type { NodeView } from '../../model/node-view.ts';
import { type CardRulesByVendor, noCardRules } from '../../vendors/card-rules.ts';
import { type CardGroup, makeCardGroup } from './card-group.ts';
import { computeWeight } from './card-scale.ts';
import { wholeCard } from './cutting-stock.ts';
import { GroupBook } from './group-book.ts';
import { type GroupSums, NodePicture } from './node-picture.ts';
import { mergeClasses, type WeightedClass } from './request-class.ts';

export interface FragmentationMeasure {
  /** What it measures against: no two are alike. */
  readonly classes: readonly WeightedClass[];
  /** What of the idle cards the expected workload cannot use, in thousandths of a card; of one family where it is named. */
  fragmentedMilli(view: NodeView, vendor?: VendorKey): number;
  /** Idle parts of cards, in thousandths of a card; of one family where it is named. */
  idleMilli(view: NodeView, vendor?: VendorKey): number;
  /**
   * What of the idle cards of its family a class cannot use, in thousandths of a card, by `classes`; of all families for
   * one that asks for no device.
   */
  uselessByClass(view: NodeView): readonly number[];
}

/** A group with what part of the pods that are measured against it each of its classes is. */
interface MeasuredGroup extends CardGroup {
  readonly uses: readonly {
    /** Among all classes of the measure. */
    readonly position: number;
    readonly need: number;
    readonly count: number;
    readonly cpuMilli: number;
    readonly popularity: number;
  }[];
}

/** @param classes what pods are expected to ask for; see `typicalClasses` for the paper's choice */
export function makeFragmentationMeasure(
  classes: readonly WeightedClass[],
  cardRules: CardRulesByVendor = noCardRules,
): FragmentationMeasure {
  const merged = mergeClasses(classes);
  const book = new GroupBook((vendor, devices): MeasuredGroup => {
    const positions = [...merged.keys()].filter((position) => merged[position]?.vendor === vendor);
    const own = positions.flatMap((position) => merged[position] ?? []);
    const pods = merged.reduce(
      (sum, entry) => (entry.vendor === vendor || entry.vendor === undefined ? sum + entry.weight : sum),
      0,
    );
    const group = makeCardGroup(vendor, devices, {
      classes: own,
      computeWeight: computeWeight(merged, vendor),
      rules: cardRules.get(vendor),
      roomPrices: () => noPrices,
    });
    const uses = group.classes.flatMap(({ position, need }) => {
      const entry = own[position];
      if (entry === undefined) return [];
      const { count, cpuMilli, weight } = entry;
      return [{ position: positions[position] ?? 0, need, count, cpuMilli, popularity: weight / pods }];
    });
    return { ...group, uses };
  });
  const picture = new NodePicture((view) => book.of(view));
  const sumsOf = (view: NodeView, vendor?: VendorKey): readonly GroupSums<MeasuredGroup>[] => {
    if (picture.view !== view) picture.refresh(view);
    return vendor === undefined ? picture.sums : picture.sums.filter(({ group }) => group.vendor === vendor);
  };
  return {
    classes: merged,
    fragmentedMilli: (view, vendor) => {
      const cpu = freeCpu(view);
      let fragmented = 0;
      for (const sums of sumsOf(view, vendor)) {
        fragmented += sums.idleMilli;
        for (const use of sums.group.uses) fragmented -= use.popularity * usefulMilli(sums, use, cpu);
      }
      return fragmented;
    },
    idleMilli: (view, vendor) => sumsOf(view, vendor).reduce((sum, { idleMilli }) => sum + idleMilli, 0),
    uselessByClass: (view) => {
      const cpu = freeCpu(view);
      const sums = sumsOf(view);
      const useless = merged.map(({ vendor }) =>
        sums.reduce(
          (sum, { group, idleMilli }) =>
            vendor === undefined || vendor === group.vendor ? sum + idleMilli : sum,
          0,
        ),
      );
      for (const one of sums) {
        for (const use of one.group.uses) {
          useless[use.position] = (useless[use.position] ?? 0) - usefulMilli(one, use, cpu);
        }
      }
      return useless;
    },
  };
}

const noPrices = new Float64Array(wholeCard + 1);

function freeCpu({ hostFree }: NodeView): number {
  return Math.max(0, hostFree.cpuMilli);
}

function usefulMilli(
  { fit, cards }: GroupSums,
  { need, count, cpuMilli }: MeasuredGroup['uses'][number],
  cpu: number,
): number {
  return cpuMilli <= cpu && (cards[need] ?? 0) >= count ? (fit[need] ?? 0) : 0;
}
