/**
 * What the watch says of every node's lock and version, and a way to wait for the next word on one node. The writer
 * compares and swaps against this, so an uncontended bind needs no read.
 */
import type { NodeObject } from '../model/cluster-objects.ts';
import { nodeLockAnnotation } from '../vendors/node-lock.ts';

export interface WatchedNode {
  readonly resourceVersion: string;
  readonly lock: string | undefined;
}

export class NodeWatch {
  readonly #nodes = new Map<string, WatchedNode>();
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Takes a node from the watch, from a read or from the answer to a write. */
  see(node: NodeObject): void {
    this.#nodes.set(node.name, {
      resourceVersion: node.resourceVersion,
      lock: node.annotations[nodeLockAnnotation],
    });
    this.wake(node.name);
  }

  forget(name: string): void {
    this.#nodes.delete(name);
    this.wake(name);
  }

  find(name: string): WatchedNode | undefined {
    return this.#nodes.get(name);
  }

  /** Resolves at the next change of the node, or when the signal is aborted. Never rejects. */
  changed(name: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(name) ?? new Set();
      this.#waiting.set(name, waiting);
      const done = () => {
        waiting.delete(done);
        if (waiting.size === 0 && this.#waiting.get(name) === waiting) this.#waiting.delete(name);
        signal.removeEventListener('abort', done);
        resolve();
      };
      waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** Lets everyone who waits for the node look again, e.g. because the owner of its lock has changed. */
  wake(name: string): void {
    for (const done of [...(this.#waiting.get(name) ?? [])]) done();
  }
}
