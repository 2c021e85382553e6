/**
 * The MIG instances that exist on one machine's cards, with the rules of the hardware: an instance has one of the
 * card's profiles, stands where that profile may stand, and overlaps no other. Who wants one that cannot be is told
 * why; nothing is moved or made smaller.
 */
import type { Device } from '../../model/device.ts';
import { type MigInstance, overlaps } from '../../model/mig.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { nvmlUuid } from './nvml-uuid.ts';
import type { MadeIds } from './reservation-annotation.ts';

export interface LiveInstance extends MigInstance, MadeIds {
  readonly deviceId: string;
  /** The pod whose end is the instance's. */
  readonly podUid: string;
}

export class MigInstances {
  readonly #live = new Set<LiveInstance>();
  /** How many were ever made, so that no two have the same name. */
  #count = 0;

  /** A pod's instance on this card at this place, if there is one. */
  find(podUid: string, deviceId: string, { profile, placement }: MigInstance): LiveInstance | undefined {
    return [...this.#live].find(
      (instance) =>
        instance.podUid === podUid &&
        instance.deviceId === deviceId &&
        instance.profile === profile &&
        instance.placement.start === placement.start &&
        instance.placement.size === placement.size,
    );
  }

  /** Cuts an instance out of the card. Refuses what the hardware cannot do. */
  create(card: Device, wanted: MigInstance, podUid: string): Parsed<LiveInstance> {
    const { profile: name, placement } = wanted;
    const { start, size } = placement;
    const profile = card.migProfiles?.find((known) => known.name === name);
    if (profile === undefined) return unparsable(`card ${card.id} has no MIG profile ${name}`);
    if (!profile.placements.some((possible) => possible.start === start && possible.size === size)) {
      return unparsable(`MIG profile ${name} of card ${card.id} cannot be placed at ${start} with ${size}`);
    }
    const own = [...this.#live].filter(({ deviceId }) => deviceId === card.id);
    const other = own.find((instance) => overlaps(instance.placement, placement));
    if (other !== undefined) {
      return unparsable(
        `MIG profile ${name} at ${start} of card ${card.id} overlaps ${other.profile} at ${other.placement.start}`,
      );
    }
    const instance = {
      deviceId: card.id,
      podUid,
      profile: name,
      placement,
      migUuid: this.#newUuid(card.id),
      gpuInstanceId: firstFree(own),
      computeInstanceId: 0,
    };
    this.#live.add(instance);
    return parsed(instance);
  }

  /** Adopted instances have names of the same kind. */
  #newUuid(deviceId: string): string {
    for (;;) {
      this.#count += 1;
      const uuid = nvmlUuid('MIG', `${deviceId}/${this.#count}`);
      if (![...this.#live].some(({ migUuid }) => migUuid === uuid)) return uuid;
    }
  }

  /** Takes over one that was there before this agent. */
  adopt(instance: LiveInstance): void {
    this.#live.add(instance);
  }

  destroy(instance: LiveInstance): void {
    this.#live.delete(instance);
  }

  /** The pod has ended. May be called for any pod. */
  destroyOf(podUid: string): void {
    for (const instance of this.#live) {
      if (instance.podUid === podUid) this.#live.delete(instance);
    }
  }
}

/** Counted per card, from 0. */
function firstFree(own: readonly LiveInstance[]): number {
  let id = 0;
  while (own.some(({ gpuInstanceId }) => gpuInstanceId === id)) id += 1;
  return id;
}
