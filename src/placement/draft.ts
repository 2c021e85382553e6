/**
 * A node's cards as the containers planned so far leave them. Sidecars and app containers stay in it; what a plain init
 * container uses is given back when it ends, except MIG instances: the plugin makes those of all containers at once.
 */
import type { Share } from '../model/allocation.ts';
import type { ContainerRole } from '../model/container-role.ts';
import { type DeviceUsage, noUsage } from '../model/device.ts';
import type { MigPlacement } from '../model/mig.ts';
import type { NodeView } from '../model/node-view.ts';

/** What is taken of one card. */
export interface CardState {
  readonly used: DeviceUsage;
  readonly occupied: readonly MigPlacement[];
}

export class Draft {
  readonly #cards: CardState[];
  #beforeInit: readonly CardState[] | undefined;

  constructor(view: NodeView) {
    this.#cards = [...view.devices];
  }

  begin(role: ContainerRole): void {
    this.#beforeInit = role === 'init' ? [...this.#cards] : undefined;
  }

  end(): void {
    for (const [index, { used }] of (this.#beforeInit ?? []).entries()) {
      this.#cards[index] = { used, occupied: this.at(index).occupied };
    }
    this.#beforeInit = undefined;
  }

  /** The card at a position among the view's devices. */
  at(index: number): CardState {
    return this.#cards[index] ?? { used: noUsage, occupied: [] };
  }

  take(index: number, share: Share): void {
    this.#cards[index] = withShare(this.at(index), share);
  }

  /** What is used of every card, in the order of the view's devices. */
  usage(): readonly DeviceUsage[] {
    return this.#cards.map(({ used }) => used);
  }
}

export function withShare({ used, occupied }: CardState, { memoryMiB, corePercent, mig }: Share): CardState {
  return {
    used: {
      slots: used.slots + 1,
      memoryMiB: used.memoryMiB + memoryMiB,
      corePercent: used.corePercent + corePercent,
    },
    occupied: mig === undefined ? occupied : [...occupied, mig.placement],
  };
}
