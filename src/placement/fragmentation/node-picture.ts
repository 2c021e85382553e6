/**
 * A node's idle cards in sums, family by family: what is idle, what that is worth, and for every need how much of it and
 * how many cards could serve it. Made once per picture of a node; what a placement would change of it is worked out
 * from the cards that it touches. All sums are of numbers that add up exactly, so it does not matter in which order or
 * from which side they were reached.
 */
import type { Share } from '../../model/allocation.ts';
import type { NodeView } from '../../model/node-view.ts';
import type { Draft } from '../draft.ts';
import type { CardGroup } from './card-group.ts';
import type { CardRow, CardRows } from './card-rows.ts';

export class GroupSums<G extends CardGroup = CardGroup> {
  readonly group: G;
  /** Thousandths of a card. */
  idleMilli = 0;
  worthMilli = 0;
  /** By need: what of the idle parts is on cards that could serve it. */
  readonly fit: Float64Array;
  /** By need: how many cards could. */
  readonly cards: Int32Array;

  constructor(group: G) {
    this.group = group;
    this.fit = new Float64Array(group.needs);
    this.cards = new Int32Array(group.needs);
  }

  clear(): void {
    this.idleMilli = 0;
    this.worthMilli = 0;
    this.fit.fill(0);
    this.cards.fill(0);
  }

  copy({ idleMilli, worthMilli, fit, cards }: GroupSums): void {
    this.idleMilli = idleMilli;
    this.worthMilli = worthMilli;
    this.fit.set(fit);
    this.cards.set(cards);
  }

  /** One card is in another state; without a state before it is a further card. */
  change(before: CardRow | undefined, after: CardRow): void {
    const { fit, cards } = this;
    const { fit: fitAfter, serves: servesAfter } = after;
    this.idleMilli += after.idleMilli;
    this.worthMilli += after.worthMilli;
    if (before === undefined) {
      for (let need = 0; need < fit.length; need += 1) {
        fit[need] = (fit[need] ?? 0) + (fitAfter[need] ?? 0);
        cards[need] = (cards[need] ?? 0) + (servesAfter[need] ?? 0);
      }
      return;
    }
    const { fit: fitBefore, serves: servesBefore } = before;
    this.idleMilli -= before.idleMilli;
    this.worthMilli -= before.worthMilli;
    for (let need = 0; need < fit.length; need += 1) {
      fit[need] = (fit[need] ?? 0) + (fitAfter[need] ?? 0) - (fitBefore[need] ?? 0);
      cards[need] = (cards[need] ?? 0) + (servesAfter[need] ?? 0) - (servesBefore[need] ?? 0);
    }
  }
}

/** A card on the node, and where it is counted. */
interface Place {
  readonly rows: CardRows;
  /** Which of the groups. */
  readonly at: number;
}

export class NodePicture<G extends CardGroup = CardGroup> {
  readonly #groupsOf: (view: NodeView) => readonly G[];
  readonly #scratchOf: (group: G) => GroupSums<G>;
  #view: NodeView | undefined;
  #places: readonly Place[] = [];
  #rows: CardRow[] = [];
  #sums: readonly GroupSums<G>[] = [];
  #changed: readonly GroupSums<G>[] = [];

  /**
   * @param groupsOf one group per family that has cards on the node
   * @param scratchOf sums to work on; pictures may share them
   */
  constructor(
    groupsOf: (view: NodeView) => readonly G[],
    scratchOf = (group: G): GroupSums<G> => new GroupSums(group),
  ) {
    this.#groupsOf = groupsOf;
    this.#scratchOf = scratchOf;
  }

  get view(): NodeView | undefined {
    return this.#view;
  }

  /** Of the node as it is. */
  get sums(): readonly GroupSums<G>[] {
    return this.#sums;
  }

  /** Takes in another picture of a node, mostly a later one of the same node. */
  refresh(view: NodeView): void {
    const before = this.#view;
    this.#view = view;
    const { devices } = view;
    const isSame =
      before?.devices.length === devices.length &&
      devices.every(({ device }, index) => device === before.devices[index]?.device);
    if (!isSame) {
      this.#begin(view);
      return;
    }
    for (const [index, card] of devices.entries()) {
      if (card === before.devices[index]) continue;
      const place = this.#places[index];
      if (place === undefined) continue;
      const row = place.rows.of(card, card);
      this.#sums[place.at]?.change(this.#rows[index], row);
      this.#rows[index] = row;
    }
  }

  #begin(view: NodeView): void {
    const groups = this.#groupsOf(view);
    const sums = this.#sums;
    if (groups.length === sums.length && groups.every((group, at) => group === sums[at]?.group)) {
      for (const one of sums) one.clear();
    } else {
      this.#sums = groups.map((group) => new GroupSums(group));
      this.#changed = groups.map(this.#scratchOf);
    }
    this.#places = view.devices.map(({ device }) => {
      const at = groups.findIndex(({ vendor }) => vendor === device.vendor);
      const rows = groups[at]?.rowsOf(device);
      if (rows === undefined) throw new Error(`no group for cards of ${device.vendor}`);
      return { rows, at };
    });
    this.#rows = this.#places.map(({ rows, at }, index) => {
      const card = view.devices[index];
      const row = card === undefined ? rows.nothing : rows.of(card, card);
      this.#sums[at]?.change(undefined, row);
      return row;
    });
  }

  /** What a card is as the view shows it. */
  rowAt(index: number): CardRow | undefined {
    return this.#rows[index];
  }

  /** What the card would be with one share more than a draft has on it. */
  rowWith(draft: Draft, index: number, share: Share): CardRow | undefined {
    const card = this.#view?.devices[index];
    return card === undefined ? undefined : this.#places[index]?.rows.ofMore(card, draft.at(index), share);
  }

  /**
   * The sums with the cards as a draft has them, but for one that is in a state of its own. They hold until this,
   * or a picture with the same scratch, is asked again.
   */
  sumsWith(draft: Draft, index?: number, row?: CardRow): readonly GroupSums<G>[] {
    for (let at = 0; at < this.#changed.length; at += 1) {
      const sums = this.#sums[at];
      if (sums !== undefined) this.#changed[at]?.copy(sums);
    }
    const devices = this.#view?.devices ?? [];
    for (let at = 0; at < devices.length; at += 1) {
      const card = devices[at];
      const place = this.#places[at];
      if (card === undefined || place === undefined) continue;
      const state = draft.at(at);
      const after = at === index ? row : state === card ? undefined : place.rows.of(card, state);
      if (after !== undefined) this.#changed[place.at]?.change(this.#rows[at], after);
    }
    return this.#changed;
  }
}
