/**
 * Looks at nodes and pods alone, after every event: what the bound pods' annotations add up to must stay within what
 * their cards have. It shares no code with the server, so that the server's mistakes are not its own.
 */
import { instancesOf, isOver, partsOf, type PodState } from './pods.ts';

interface Card {
  readonly count: number;
  readonly devmem: number;
  readonly devcore: number;
  readonly mode: string;
}

/** Reads both forms of the register annotation (spec §1.2, §1.3). */
function cardsOf(register: string): readonly (Card & { readonly id: string })[] {
  if (register.startsWith('[')) return JSON.parse(register) as readonly (Card & { readonly id: string })[];
  return register
    .split(':')
    .slice(0, -1)
    .map((record) => {
      const [id = '', count, devmem, devcore, , , , , mode = ''] = record.split(',');
      return { id, count: Number(count), devmem: Number(devmem), devcore: Number(devcore), mode };
    });
}

export class CommitmentJudge {
  readonly #cards = new Map<string, Card>();
  readonly #pods = new Map<string, PodState>();
  /** What an allocation was when it was first seen: it must never change. */
  readonly #given = new Map<string, string>();
  readonly #faults = new Set<string>();

  /** What must never happen, a sentence each. */
  get faults(): readonly string[] {
    return [...this.#faults];
  }

  seeNode(name: string, register: string | undefined): void {
    for (const card of cardsOf(register ?? '[]')) this.#cards.set(`${name}/${card.id}`, card);
  }

  seePod(pod: PodState): void {
    this.#pods.set(pod.metadata.uid, pod);
    this.#checkGift(pod);
    if (pod.spec.nodeName !== undefined) this.#checkNode(pod.spec.nodeName);
  }

  losePod(uid: string): void {
    this.#pods.delete(uid);
  }

  #checkGift(pod: PodState): void {
    const { name, uid } = pod.metadata;
    const parts = JSON.stringify([pod.spec.nodeName, partsOf(pod)]);
    if (pod.spec.nodeName === undefined) {
      if (partsOf(pod).length > 0) this.#faults.add(`pod ${name} has cards but no node`);
      return;
    }
    const before = this.#given.get(uid);
    this.#given.set(uid, before ?? parts);
    if (before !== undefined && before !== parts) {
      this.#faults.add(`pod ${name}: its allocation changed from ${before} to ${parts}`);
    }
  }

  #checkNode(node: string): void {
    const used = new Map<string, { slots: number; memoryMiB: number; corePercent: number }>();
    for (const pod of this.#pods.values()) {
      if (pod.spec.nodeName !== node || isOver(pod)) continue;
      for (const { device, memoryMiB, corePercent } of partsOf(pod).flat()) {
        const sum = used.get(device) ?? { slots: 0, memoryMiB: 0, corePercent: 0 };
        used.set(device, {
          slots: sum.slots + 1,
          memoryMiB: sum.memoryMiB + memoryMiB,
          corePercent: sum.corePercent + corePercent,
        });
      }
    }
    this.#checkSlices(node);
    for (const [device, { slots, memoryMiB, corePercent }] of used) {
      const card = this.#cards.get(`${node}/${device}`);
      if (card === undefined) {
        this.#faults.add(`node ${node} has no card ${device}`);
        continue;
      }
      // The compute of MIG profiles is rounded up; on such a card the slices are what can be over-committed.
      const cores = card.mode === 'mig' ? 0 : corePercent;
      if (slots > card.count || memoryMiB > card.devmem || cores > card.devcore) {
        this.#faults.add(
          `card ${device} of ${node} is over-committed: ${slots} slots, ${memoryMiB} MiB, ${corePercent} %`,
        );
      }
    }
  }

  /** No slice of a card is reserved twice, and every device of a MIG card has its slices. */
  #checkSlices(node: string): void {
    const taken = new Map<string, string>();
    for (const pod of this.#pods.values()) {
      if (pod.spec.nodeName !== node || isOver(pod)) continue;
      const { name } = pod.metadata;
      const reserved = instancesOf(pod);
      const devices = partsOf(pod).flat();
      const cut = devices.filter(({ device }) => this.#cards.get(`${node}/${device}`)?.mode === 'mig');
      if (cut.length !== reserved.length) {
        this.#faults.add(
          `pod ${name} has ${cut.length} devices in MIG mode and ${reserved.length} reservations`,
        );
      }
      for (const { gpuUUID, placement } of reserved) {
        for (let slice = placement.start; slice < placement.start + placement.size; slice += 1) {
          const key = `${gpuUUID}/${slice}`;
          const other = taken.get(key);
          if (other !== undefined)
            this.#faults.add(`slice ${slice} of ${gpuUUID} went to ${other} and ${name}`);
          taken.set(key, name);
        }
      }
    }
  }
}
