/** The sMLU profiles and instances that exist on one machine's Cambricon cards (vendors §3.8), with their numbers. */

/** Of the card in a slot, so much. */
export interface SmluProfile {
  readonly slot: number;
  readonly cores: number;
  /** In the plugin's units. */
  readonly memoryUnits: number;
}

interface SmluInstance {
  readonly podUid: string;
  readonly slot: number;
  readonly id: number;
}

export class SmluInstances {
  /** Made once and then used again. */
  readonly #profiles = new Map<string, number>();
  #live: readonly SmluInstance[] = [];

  /** Makes an instance; its name is `profile_handle_slot_instance`. */
  create({ slot, cores, memoryUnits }: SmluProfile, podUid: string): string {
    const key = `${slot}_${cores}_${memoryUnits}`;
    const profile = this.#profiles.get(key) ?? this.#profiles.size + 1;
    this.#profiles.set(key, profile);
    let id = 1;
    while (this.#live.some((instance) => instance.slot === slot && instance.id === id)) id += 1;
    this.#live = [...this.#live, { podUid, slot, id }];
    return `${profile}_${id * 256 + slot}_${slot}_${id}`;
  }

  destroyOf(podUid: string): void {
    this.#live = this.#live.filter((instance) => instance.podUid !== podUid);
  }
}
