/**
 * How much of what is idle the expected pods can use: by family, the very figures of the server's gauges; by card type;
 * and by request class with what still fits.
 */
import type { VendorKey } from '../../model/device.ts';
import { asPossible, type DeviceView, makeNodeView, type NodeView } from '../../model/node-view.ts';
import { classWords } from '../../placement/fragmentation/class-words.ts';
import { makeFragmentationMeasure } from '../../placement/fragmentation/fragmentation-measure.ts';
import type { WeightedClass } from '../../placement/fragmentation/request-class.ts';
import { supplyOf } from '../../placement/fragmentation/supply.ts';
import { FragmentationBook, type VendorFragmentation } from '../../scheduler/fragmentation-book.ts';
import type { LookedAtCluster } from '../looked-at-cluster.ts';
import { type ClassRoom, roomFor } from './class-room.ts';

/** Cards and what of them is idle; parts of cards in thousandths. */
export interface IdleCards {
  readonly cards: number;
  /** In health, not cordoned, and with nothing on them. */
  readonly wholeIdle: number;
  readonly idleMilli: number;
  /** What of the idle parts the expected pods cannot use. */
  readonly fragmentedMilli: number;
}

export interface TypeReport extends IdleCards {
  readonly type: string;
}

export interface ClassReport extends ClassRoom {
  readonly words: string;
  /** Of all pods that ask for the family's cards, in percent. */
  readonly podsPercent: number;
  /** What of the idle parts such pods cannot use. */
  readonly uselessMilli: number;
}

export interface VendorReport extends IdleCards {
  readonly vendor: VendorKey;
  readonly types: readonly TypeReport[];
  /** The most frequent first. */
  readonly classes: readonly ClassReport[];
}

export interface FragmentationReport {
  /** Whether the workload stands in the configuration, or is taken from the cluster's pods. */
  readonly workload: 'given' | 'learnt';
  readonly nodes: number;
  readonly vendors: readonly VendorReport[];
}

export function fragmentationOf(cluster: LookedAtCluster): FragmentationReport {
  const { config, state, fragmentation } = cluster;
  const views = [...state.nodeNames()].flatMap((name) => state.view(name) ?? []);
  const book = new FragmentationBook(fragmentation);
  return {
    workload: config.fragmentation.workload.length > 0 ? 'given' : 'learnt',
    nodes: views.length,
    vendors: book.read().map((read) => vendorReport(read, views, cluster)),
  };
}

function vendorReport(
  { vendor, idleMilli, fragmentedMilli, uselessMilli }: VendorFragmentation,
  views: readonly NodeView[],
  cluster: LookedAtCluster,
): VendorReport {
  const { fragmentation } = cluster;
  const measure = makeFragmentationMeasure(fragmentation.classes(), fragmentation.cardRules);
  const isOwn = ({ device }: DeviceView) => device.vendor === vendor;
  const own = views.map((view) => withOnly(view, isOwn)).filter(({ devices }) => devices.length > 0);
  const types = new Set(own.flatMap(({ devices }) => devices.map(({ device }) => device.type)));
  return {
    vendor,
    ...cardsOf(own),
    idleMilli,
    fragmentedMilli,
    types: [...types].sort().map((type) => {
      const ofType = own.map((view) => withOnly(view, ({ device }) => device.type === type));
      const sum = (amountOf: (view: NodeView) => number) =>
        ofType.reduce((total, view) => total + amountOf(view), 0);
      return {
        type,
        ...cardsOf(ofType),
        idleMilli: sum((view) => measure.idleMilli(view, vendor)),
        fragmentedMilli: sum((view) => measure.fragmentedMilli(view, vendor)),
      };
    }),
    classes: classReports(
      fragmentation.classes().filter((entry) => entry.vendor === vendor),
      uselessMilli,
      own,
      cluster,
    ),
  };
}

function withOnly(view: NodeView, isKept: (card: DeviceView) => boolean): NodeView {
  const devices = view.devices.filter(isKept);
  return devices.length === view.devices.length ? view : makeNodeView({ ...asPossible(view), devices });
}

function cardsOf(views: readonly NodeView[]): Pick<IdleCards, 'cards' | 'wholeIdle'> {
  const cards = views.flatMap(({ devices }) => devices);
  return { cards: cards.length, wholeIdle: cards.filter(isWhollyIdle).length };
}

function isWhollyIdle({ device, used, withheld, cordoned }: DeviceView): boolean {
  const { slots, memoryMiB, corePercent } = used;
  return device.healthy && !cordoned && !withheld && slots === 0 && memoryMiB === 0 && corePercent === 0;
}

/** One per form of words, as the gauges have it; room is looked for as the most frequent of them asks for it. */
function classReports(
  classes: readonly WeightedClass[],
  uselessMilli: ReadonlyMap<string, number>,
  views: readonly NodeView[],
  { policies, vendors }: LookedAtCluster,
): readonly ClassReport[] {
  const kinds = supplyOf(views).map(({ device }) => device);
  const byWords = Map.groupBy(classes, (entry) => classWords(entry, kinds));
  const total = weightOf(classes);
  return [...uselessMilli].flatMap(([words, useless]): readonly ClassReport[] => {
    const group = byWords.get(words) ?? [];
    const [first] = group.toSorted((a, b) => b.weight - a.weight);
    if (first === undefined) return [];
    const podsPercent = (100 * weightOf(group)) / total;
    return [{ words, podsPercent, uselessMilli: useless, ...roomFor(first, views, { policies, vendors }) }];
  });
}

function weightOf(classes: readonly WeightedClass[]): number {
  return classes.reduce((sum, { weight }) => sum + weight, 0);
}
