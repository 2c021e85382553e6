/**
 * The scoring of policy `fragmentation`: a placement is as good as the idle price of the node falls by it, in whole
 * steps of a few thousandths of a card, so that differences too small to mean anything are ties and go by the order of
 * nodes. Of a node's cards the one is taken with which it falls most, of equals the fullest. What is expected of the
 * pods to come is fixed when a scoring is made; another workload or other cards make another one.
 */
import type { VendorKey } from '../../model/device.ts';
import type { NodeView } from '../../model/node-view.ts';
import { type CardRulesByVendor, noCardRules } from '../../vendors/card-rules.ts';
import type { Moment, Scoring } from '../scoring.ts';
import type { CardRow } from './card-rows.ts';
import { GroupBook } from './group-book.ts';
import { idlePrice, makePricedGroup, type PricedGroup } from './idle-price.ts';
import { GroupSums, NodePicture } from './node-picture.ts';
import { mergeClasses, type WeightedClass } from './request-class.ts';
import { ofVendor, type Supply } from './supply.ts';
import { type VendorDemand, vendorDemand } from './vendor-demand.ts';

/** Thousandths of a card in a step. */
const stepMilli = 3;
/** What rounding may have taken from a fall that is a whole number of steps. */
const leastFall = 1e-6;
/** Steps at which a node is rated halfway between the middle and the end of the scale. */
const halfwaySteps = 500;

/**
 * @param classes what pods are expected to ask for
 * @param supply the cards of the cluster; kinds that are not among them are judged as if they were rare
 */
export function makeFragmentationScoring(
  classes: readonly WeightedClass[],
  supply: Supply,
  cardRules: CardRulesByVendor = noCardRules,
): Scoring {
  const merged = mergeClasses(classes.map((entry) => withinNode(entry, supply)));
  const demands = new Map<VendorKey, VendorDemand>();
  const demandOf = (vendor: VendorKey): VendorDemand => {
    let demand = demands.get(vendor);
    if (demand === undefined) {
      demand = vendorDemand(vendor, merged, supply, cardRules.get(vendor));
      demands.set(vendor, demand);
    }
    return demand;
  };
  const book = new GroupBook((vendor, devices) =>
    makePricedGroup(demandOf(vendor), devices, cardRules.get(vendor)),
  );
  const pictures = new Pictures((view) => book.of(view));
  const asked = new SharesAsked();

  return {
    rateShare: (moment, index, share) => {
      const { view, draft } = moment;
      const { picture, price } = pictures.of(view);
      const before = picture.rowAt(index);
      const row = picture.rowWith(draft, index, share);
      if (before === undefined || row === undefined) return 0;
      asked.about(moment);
      const known = asked.find(before, row);
      if (known !== undefined) return known;
      const fall = price - idlePrice(picture.sumsWith(draft, index, row), cpuAfter(moment));
      // Of equals the one with the least idle; it has 1000 at most.
      const rating = stepsOf(fall) + (1000 - before.idleMilli) / 1001;
      asked.note(before, row, rating);
      return rating;
    },
    rateNode: (moment) => {
      const { picture, price } = pictures.of(moment.view);
      return ratingOf(stepsOf(price - idlePrice(picture.sumsWith(moment.draft), cpuAfter(moment))));
    },
  };
}

/** Anybody may ask for more cards than any node has: what waits for ever must not count for hundreds that come. */
function withinNode(entry: WeightedClass, supply: Supply): WeightedClass {
  const kinds = entry.vendor === undefined ? [] : ofVendor(supply, entry.vendor);
  const most = kinds.reduce((sum, { mostOnNode }) => Math.max(sum, mostOnNode), 1);
  return kinds.length === 0 || entry.count <= most ? entry : { ...entry, count: most };
}

/** The fall of the idle price in whole steps, rounded down. */
export function stepsOf(fallMilli: number): number {
  return Math.floor(fallMilli / stepMilli + leastFall);
}

/** 0 to 100, both exclusive; more for more steps, however many they are. */
export function ratingOf(steps: number): number {
  return 50 + (50 * steps) / (halfwaySteps + Math.abs(steps));
}

function cpuAfter({ view, request }: Moment): number {
  return view.hostFree.cpuMilli - request.host.cpuMilli;
}

interface Priced {
  readonly picture: NodePicture<PricedGroup>;
  price: number;
}

/** The pictures of nodes with what their idle cards cost: of nodes as they are by slot, else of the one asked about last. */
class Pictures {
  readonly #groupsOf: (view: NodeView) => readonly PricedGroup[];
  /** One decision is worked on at a time, so all nodes do it in the same place. */
  readonly #scratch = new Map<PricedGroup, GroupSums<PricedGroup>>();
  readonly #bySlot: (Priced | undefined)[] = [];
  #other: Priced | undefined;

  constructor(groupsOf: (view: NodeView) => readonly PricedGroup[]) {
    this.#groupsOf = groupsOf;
  }

  of(view: NodeView): Priced {
    const { slot } = view;
    const known = slot === undefined ? this.#other : this.#bySlot[slot];
    if (known?.picture.view === view) return known;
    const priced = known ?? { picture: new NodePicture(this.#groupsOf, this.#scratchOf), price: 0 };
    priced.picture.refresh(view);
    priced.price = idlePrice(priced.picture.sums, view.hostFree.cpuMilli);
    if (known === undefined) this.#keep(slot, priced);
    return priced;
  }

  readonly #scratchOf = (group: PricedGroup): GroupSums<PricedGroup> => {
    let sums = this.#scratch.get(group);
    if (sums === undefined) {
      sums = new GroupSums(group);
      this.#scratch.set(group, sums);
    }
    return sums;
  };

  #keep(slot: number | undefined, priced: Priced): void {
    if (slot === undefined) {
      this.#other = priced;
      return;
    }
    // An array with holes would be a slow one.
    while (this.#bySlot.length < slot) this.#bySlot.push(undefined);
    this.#bySlot[slot] = priced;
  }
}

/** What was answered about the cards of one draft at one moment: equal cards are judged once. */
class SharesAsked {
  #draft: Moment['draft'] | undefined;
  #used: unknown;
  #request: Moment['request'] | undefined;
  readonly #before: CardRow[] = [];
  readonly #after: CardRow[] = [];
  readonly #ratings: number[] = [];

  about({ draft, request }: Moment): void {
    const used = draft.used();
    if (draft === this.#draft && used === this.#used && request === this.#request) return;
    this.#draft = draft;
    this.#used = used;
    this.#request = request;
    this.#before.length = 0;
    this.#after.length = 0;
    this.#ratings.length = 0;
  }

  find(before: CardRow, after: CardRow): number | undefined {
    for (let at = 0; at < this.#before.length; at += 1) {
      if (this.#before[at] === before && this.#after[at] === after) return this.#ratings[at];
    }
    return undefined;
  }

  note(before: CardRow, after: CardRow, rating: number): void {
    this.#before.push(before);
    this.#after.push(after);
    this.#ratings.push(rating);
  }
}
