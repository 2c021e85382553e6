/**
 * What the watch says of every node's lock, fence and version, and a way to wait for the next word on one node. The
 * writer compares and swaps against this, so an uncontended bind needs no read.
 */
import type { NodeObject } from '../model/cluster-objects.ts';
import { fenceAnnotation, nodeLockAnnotation } from '../vendors/node-lock.ts';
import { Changes } from './changes.ts';

/** The part of a node that commits change. */
export type NodeTrace = Pick<NodeObject, 'name' | 'resourceVersion' | 'annotations'>;

export interface WatchedNode {
  readonly resourceVersion: string;
  readonly lock: string | undefined;
  readonly fence: string | undefined;
  /** The lock that was there last, whether or not it still is. */
  readonly lastLock: string | undefined;
}

export class NodeWatch {
  readonly #nodes = new Map<string, WatchedNode>();
  readonly #changes = new Changes();
  /** Nodes with a lock. */
  readonly #locked = new Set<string>();

  /** Takes a node from the watch, from a read or from the answer to a write. */
  see({ name, resourceVersion, annotations }: NodeTrace): void {
    const lock = annotations[nodeLockAnnotation];
    const lastLock = lock ?? this.#nodes.get(name)?.lastLock;
    this.#nodes.set(name, { resourceVersion, lock, fence: annotations[fenceAnnotation], lastLock });
    if (lock === undefined) this.#locked.delete(name);
    else this.#locked.add(name);
    this.wake(name);
  }

  forget(name: string): void {
    this.#nodes.delete(name);
    this.#locked.delete(name);
    this.wake(name);
  }

  find(name: string): WatchedNode | undefined {
    return this.#nodes.get(name);
  }

  /** Names of the nodes with a lock, in no particular order. */
  locked(): Iterable<string> {
    return this.#locked;
  }

  /** Resolves at the next change of the node, or when the signal is aborted. Never rejects. */
  changed(name: string, signal: AbortSignal): Promise<void> {
    return this.#changes.next(name, signal);
  }

  /** Lets everyone who waits for the node look again, e.g. because the owner of its lock has changed. */
  wake(name: string): void {
    this.#changes.tell(name);
  }
}
