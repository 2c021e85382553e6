/**
 * Looks at nodes and pods alone, after every event: what the bound pods' annotations add up to must stay within what
 * their cards have. It shares no code with the server, so that the server's mistakes are not its own.
 */
import { isOver, partsOf, type PodState } from './pods.ts';

interface Card {
  readonly count: number;
  readonly devmem: number;
  readonly devcore: number;
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
    const cards = JSON.parse(register ?? '[]') as readonly (Card & { readonly id: string })[];
    for (const card of cards) this.#cards.set(`${name}/${card.id}`, card);
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
    for (const [device, { slots, memoryMiB, corePercent }] of used) {
      const card = this.#cards.get(`${node}/${device}`);
      if (card === undefined) this.#faults.add(`node ${node} has no card ${device}`);
      else if (slots > card.count || memoryMiB > card.devmem || corePercent > card.devcore) {
        this.#faults.add(
          `card ${device} of ${node} is over-committed: ${slots} slots, ${memoryMiB} MiB, ${corePercent} %`,
        );
      }
    }
  }
}
