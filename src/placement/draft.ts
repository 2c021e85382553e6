/**
 * A node's cards as the containers planned so far leave them. Sidecars and app containers stay in it; what a plain init
 * container uses is given back when it ends, except MIG instances, which the plugin makes for all containers at once, and
 * the kinds of its shares.
 */
import type { Share } from '../model/allocation.ts';
import type { ContainerRole } from '../model/container-role.ts';
import { type Device, type DeviceUsage, noUsage } from '../model/device.ts';
import type { MigPlacement } from '../model/mig.ts';
import type { CardPicture } from '../vendors/card-rules.ts';

/** What is taken of one card. */
export interface CardState {
  readonly used: DeviceUsage;
  readonly occupied: readonly MigPlacement[];
  readonly kinds: readonly string[];
}

const noCard: CardState = { used: noUsage, occupied: [], kinds: [] };

export class Draft {
  /** The view's own cards until something is taken of them. */
  #cards: readonly CardState[];
  #used: DeviceUsage;
  #beforeInit: { readonly cards: readonly CardState[]; readonly used: DeviceUsage } | undefined;

  constructor({ devices, used }: { readonly devices: readonly CardState[]; readonly used: DeviceUsage }) {
    this.#cards = devices;
    this.#used = used;
  }

  /** The same cards, to try something on that stays out of this draft. */
  fork(): Draft {
    return new Draft({ devices: this.#cards, used: this.#used });
  }

  begin(role: ContainerRole): void {
    this.#beforeInit = role === 'init' ? { cards: this.#cards, used: this.#used } : undefined;
  }

  end(): void {
    const before = this.#beforeInit;
    if (before === undefined) return;
    this.#cards = this.#cards.map(({ occupied, kinds }, index) => ({
      used: before.cards[index]?.used ?? noUsage,
      occupied,
      kinds,
    }));
    this.#used = before.used;
    this.#beforeInit = undefined;
  }

  /** The card at a position among the view's devices. */
  at(index: number): CardState {
    return this.#cards[index] ?? noCard;
  }

  take(index: number, share: Share): void {
    const cards = [...this.#cards];
    cards[index] = withShare(this.at(index), share);
    this.#cards = cards;
    this.#used = plus(this.#used, share);
  }

  /** What is used of all cards together. */
  used(): DeviceUsage {
    return this.#used;
  }
}

function plus(used: DeviceUsage, { memoryMiB, corePercent }: Share): DeviceUsage {
  return {
    slots: used.slots + 1,
    memoryMiB: used.memoryMiB + memoryMiB,
    corePercent: used.corePercent + corePercent,
  };
}

export function withShare({ used, occupied, kinds }: CardState, share: Share): CardState {
  const { mig, kind } = share;
  return {
    used: plus(used, share),
    occupied: mig === undefined ? occupied : [...occupied, mig.placement],
    kinds: kind === undefined ? kinds : [...kinds, kind],
  };
}

/** The card as the hooks of its family see it. */
export function pictureOf(device: Device, { used, kinds }: CardState): CardPicture {
  return { device, used, kinds };
}
