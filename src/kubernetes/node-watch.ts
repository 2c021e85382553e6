/**
 * What the watch says of every node's locks, fence and version, and a way to wait for the next word on one node. The
 * writer compares and swaps against this, so an uncontended bind needs no read.
 */
import type { NodeObject, TextMap } from '../model/cluster-objects.ts';
import {
  fenceAnnotation,
  type LockHolder,
  lockHolderOf,
  type NodeLockProtocol,
} from '../vendors/node-lock.ts';
import { Changes } from './changes.ts';

/** The part of a node that commits change. */
export type NodeTrace = Pick<NodeObject, 'name' | 'resourceVersion' | 'annotations'>;

export interface WatchedNode {
  readonly resourceVersion: string;
  /** Those that are there, by their annotation. */
  readonly locks: TextMap;
  /** Of those whose values name nobody, whose they are, by their annotation; where that is known. */
  readonly holders: LockHolders;
  readonly fence: string | undefined;
  /** Of every kind the lock that was there last, whether or not it still is. */
  readonly lastLocks: TextMap;
}

type LockHolders = Readonly<Record<string, LockHolder>>;

const noLocks: TextMap = {};
const noHolders: LockHolders = {};

export class NodeWatch {
  readonly #protocols: readonly NodeLockProtocol[];
  readonly #nodes = new Map<string, WatchedNode>();
  readonly #changes = new Changes();
  /** Nodes with a lock. */
  readonly #locked = new Set<string>();

  /** @param protocols of all locks that are looked at */
  constructor(protocols: readonly NodeLockProtocol[]) {
    this.#protocols = protocols;
  }

  /** Takes a node from the watch, from a read or from the answer to a write. */
  see({ name, resourceVersion, annotations }: NodeTrace): void {
    const locks = this.#locksIn(annotations);
    const before = this.#nodes.get(name)?.lastLocks ?? noLocks;
    const lastLocks = locks === noLocks ? before : { ...before, ...locks };
    const holders = locks === noLocks ? noHolders : this.#holdersIn(annotations);
    const fence = annotations[fenceAnnotation];
    this.#nodes.set(name, { resourceVersion, locks, holders, fence, lastLocks });
    if (locks === noLocks) this.#locked.delete(name);
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

  #locksIn(annotations: TextMap): TextMap {
    let locks: Record<string, string> | undefined;
    for (const { annotation } of this.#protocols) {
      const value = annotations[annotation];
      if (value !== undefined) (locks ??= {})[annotation] = value;
    }
    return locks ?? noLocks;
  }

  #holdersIn(annotations: TextMap): LockHolders {
    let holders: Record<string, LockHolder> | undefined;
    for (const protocol of this.#protocols) {
      const holder = lockHolderOf(protocol, annotations);
      if (holder !== undefined) (holders ??= {})[protocol.annotation] = holder;
    }
    return holders ?? noHolders;
  }
}
