/**
 * Whose locks a node has borne while a stray waited there. The device plugin hands out the devices of the lock's owner to
 * whichever pod kubelet asks for, and takes the lock away afterwards; so when a stray has started, those owners are the
 * pods whose devices it may have. What happened before the stray was seen, or between two words on the node, is not known.
 */
import { type NamespacedName, podName } from '../model/cluster-objects.ts';
import type { Stray } from '../state/strays.ts';

interface Watched {
  readonly stray: Stray;
  /** By namespaced name. */
  readonly owners: Map<string, NamespacedName>;
}

export class LockWitness {
  /** By node, then by the stray's UID; nodes without strays are absent. */
  readonly #watched = new Map<string, Map<string, Watched>>();

  /** A stray has come to its node, whose locks are those pods' now. */
  came(stray: Stray, owners: readonly NamespacedName[]): void {
    const watched = { stray, owners: new Map<string, NamespacedName>() };
    note(watched, owners);
    const ofNode = this.#watched.get(stray.node) ?? new Map<string, Watched>();
    this.#watched.set(stray.node, ofNode.set(stray.podUid, watched));
  }

  /** Takes the pods whose locks a node bears now. */
  see(node: string, owners: readonly NamespacedName[]): void {
    for (const watched of this.#watched.get(node)?.values() ?? []) note(watched, owners);
  }

  /** The stray is none any more. Answers the owners, in the order in which they came. */
  left({ node, podUid }: Stray): readonly NamespacedName[] {
    const ofNode = this.#watched.get(node);
    const owners = [...(ofNode?.get(podUid)?.owners.values() ?? [])];
    ofNode?.delete(podUid);
    if (ofNode?.size === 0) this.#watched.delete(node);
    return owners;
  }
}

function note({ stray, owners }: Watched, now: readonly NamespacedName[]): void {
  for (const { namespace, name } of now) {
    const text = podName({ namespace, name });
    // Somebody else's scheduler may have locked the node for the stray itself.
    if (text !== podName(stray)) owners.set(text, { namespace, name });
  }
}
