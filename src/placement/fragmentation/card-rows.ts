/**
 * What a card of a kind is good for in each state it can be in: what its idle part amounts to and is worth, and which of
 * the needs that are asked about it could serve. A state is looked at once and remembered; many cards share one.
 */
import type { Share } from '../../model/allocation.ts';
import type { Device } from '../../model/device.ts';
import { isCut, type MigPlacement } from '../../model/mig.ts';
import type { DeviceView } from '../../model/node-view.ts';
import type { CardRules } from '../../vendors/card-rules.ts';
import { type CardState, withShare } from '../draft.ts';
import { refuseCard } from '../fit-card.ts';
import { type CardNeed, fitsPlain } from './card-need.ts';
import { type CardScale, partMilli, roomOf } from './card-scale.ts';

export interface CardRow {
  /** Thousandths of the card that are free; 0 where nobody could be given any of it. */
  readonly idleMilli: number;
  /** What they are worth at the prices of room, in thousandths of a card. */
  readonly worthMilli: number;
  /** By need: `idleMilli` where the card could serve it, else 0. */
  readonly fit: Float64Array;
  /** By need: 1 where the card could serve it, else 0. */
  readonly serves: Int32Array;
}

export interface CardKind {
  /** Any card of the kind. */
  readonly device: Device;
  readonly scale: CardScale;
  /** By hundredths of a card. */
  readonly roomPrices: ArrayLike<number>;
  /** Undefined where no card of the kind would do, even idle. */
  readonly needs: readonly (CardNeed | undefined)[];
  readonly rules?: CardRules | undefined;
}

/** States beyond this many are forgotten all at once; looking again costs little. */
const mostRows = 4096;

export class CardRows {
  /** The row of a card of which nobody can be given anything. */
  readonly nothing: CardRow;
  readonly #kind: CardKind;
  readonly #isCut: boolean;
  readonly #plain = new Map<number, CardRow>();
  readonly #cut = new Map<string, CardRow>();

  constructor(kind: CardKind) {
    this.#kind = kind;
    this.#isCut = isCut(kind.device);
    const count = kind.needs.length;
    this.nothing = {
      idleMilli: 0,
      worthMilli: 0,
      fit: new Float64Array(count),
      serves: new Int32Array(count),
    };
  }

  /** Of a card of the kind with something in use. */
  of(card: DeviceView, state: CardState): CardRow {
    const { slots, memoryMiB, corePercent } = state.used;
    return this.#isCut ? this.#ofCut(card, state) : this.#ofPlain(card, slots, memoryMiB, corePercent);
  }

  /** The same with one share more. */
  ofMore(card: DeviceView, state: CardState, share: Share): CardRow {
    const { slots, memoryMiB, corePercent } = state.used;
    return this.#isCut
      ? this.#ofCut(card, withShare(state, share))
      : this.#ofPlain(card, slots + 1, memoryMiB + share.memoryMiB, corePercent + share.corePercent);
  }

  #ofPlain(card: DeviceView, slots: number, memoryMiB: number, cores: number): CardRow {
    const { device } = card;
    const freeMiB = device.memoryMiB - memoryMiB;
    const freeCores = device.corePercent - cores;
    if (isClosed(card) || slots >= device.slots || freeMiB < 0 || freeCores < 0) return this.nothing;
    const key = (freeMiB * coresRange + freeCores) * 2 + (slots === 0 ? 1 : 0);
    let row = this.#plain.get(key);
    if (row === undefined) {
      row = this.#row(freeMiB, freeCores, (need) => fitsPlain(need, freeMiB, freeCores, slots === 0));
      if (this.#plain.size >= mostRows) this.#plain.clear();
      this.#plain.set(key, row);
    }
    return row;
  }

  #ofCut(card: DeviceView, state: CardState): CardRow {
    const { device } = card;
    const { slots, memoryMiB, corePercent } = state.used;
    if (isClosed(card) || slots >= device.slots || device.migProfiles === undefined) return this.nothing;
    const key = `${slots}/${memoryMiB}/${corePercent}/${placesText(state.occupied)}`;
    let row = this.#cut.get(key);
    if (row === undefined) {
      const { rules } = this.#kind;
      const question = { selector: undefined, idleOnly: false, rules };
      row = this.#row(
        Math.max(0, device.memoryMiB - memoryMiB),
        Math.max(0, device.corePercent - corePercent),
        ({ request }) => refuseCard(card, state, { ...question, request }) === undefined,
      );
      if (this.#cut.size >= mostRows) this.#cut.clear();
      this.#cut.set(key, row);
    }
    return row;
  }

  #row(freeMiB: number, freeCores: number, canServe: (need: CardNeed) => boolean): CardRow {
    const { scale, roomPrices, needs } = this.#kind;
    const idleMilli = partMilli(scale, freeMiB, freeCores);
    const serves = Int32Array.from(needs, (need) => (need !== undefined && canServe(need) ? 1 : 0));
    return {
      idleMilli,
      worthMilli: roomPrices[roomOf(scale, freeMiB, freeCores)] ?? 0,
      fit: Float64Array.from(serves, (fits) => fits * idleMilli),
      serves,
    };
  }
}

/** No card has more units of compute. */
const coresRange = 1 << 16;

/** Whatever is used, nobody is given anything of it. */
function isClosed({ device, unclear, cordoned, withheld }: DeviceView): boolean {
  return !device.healthy || unclear || cordoned || withheld;
}

function placesText(occupied: readonly MigPlacement[]): string {
  return occupied
    .map(({ start, size }) => `${start}+${size}`)
    .sort()
    .join();
}
