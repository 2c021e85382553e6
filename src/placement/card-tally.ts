/**
 * What became of one vendor's cards while some were chosen for a container: how many there are, how many were refused
 * for which reason, what is picked so far. A refusal is made from it.
 */
import type { Share } from '../model/allocation.ts';
import { noUsage, type VendorKey } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { QuotaLimit } from '../model/quota.ts';
import type { CardReason, Refusal } from '../model/reason.ts';
import type { ContainerRequest, DeviceRequest } from '../model/request.ts';

interface Subject {
  readonly view: NodeView;
  readonly container: ContainerRequest;
  readonly wanted: DeviceRequest;
}

export class Tally {
  /** The limit that last stood in the way. */
  quota: QuotaLimit | undefined;
  /** As quotas count it. */
  picked = noUsage;
  readonly #about: Subject;
  readonly #cards: number;
  readonly #refused: Partial<Record<CardReason, number>> = {};

  /** @param cards how many of the vendor the node has */
  constructor(about: Subject, cards: number) {
    this.#about = about;
    this.#cards = cards;
  }

  refuse(reason: CardReason, cards = 1): void {
    if (cards > 0) this.#refused[reason] = (this.#refused[reason] ?? 0) + cards;
  }

  accept({ memoryMiB, corePercent, askedPercent = corePercent }: Share): void {
    this.picked = {
      slots: this.picked.slots + 1,
      memoryMiB: this.picked.memoryMiB + memoryMiB,
      corePercent: this.picked.corePercent + askedPercent,
    };
  }

  /** Another NUMA node is tried; what was picked so far is put back. */
  leaveGroup(): void {
    this.refuse('NumaNotFit', this.picked.slots);
    this.picked = noUsage;
  }

  tooFewCards(): Refusal {
    return this.#cards === 0
      ? this.#unregistered()
      : { code: 'NodeInsufficientDevice', ...this.#subject(), cards: this.#cards };
  }

  /** @param accepted how many cards would do */
  refusal(accepted = this.picked.slots): Refusal {
    if (this.#cards === 0) return this.#unregistered();
    return {
      code: 'AllocatedCardsInsufficientRequest',
      ...this.#subject(),
      cards: this.#cards,
      accepted,
      refused: this.#refused,
      ...(this.quota === undefined ? {} : { quota: this.quota }),
    };
  }

  #subject(): { readonly container: string; readonly vendor: VendorKey; readonly wanted: number } {
    const { container, wanted } = this.#about;
    return { container: container.name, vendor: wanted.vendor, wanted: wanted.count };
  }

  #unregistered(): Refusal {
    const { view, wanted } = this.#about;
    const detail = view.unavailable.get(wanted.vendor);
    return { code: 'NodeUnregistered', vendor: wanted.vendor, ...(detail === undefined ? {} : { detail }) };
  }
}
