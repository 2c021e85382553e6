/**
 * Whether somebody else may have committed on a node since we last knew all of its pods. Every commit leaves its term on
 * the node, in the same write as the locks; a node that bears another term than ours, or one of whose last locks is not
 * the one we wrote, may have pods that our watch has not shown. Only knowing all pods once, under the lock, ends the doubt.
 */
import type { TextMap } from '../model/cluster-objects.ts';
import { termOfFence } from '../vendors/node-lock.ts';
import type { WatchedNode } from './node-watch.ts';

interface Known {
  readonly term: string;
  readonly locks: TextMap;
}

export class Fences {
  readonly #known = new Map<string, Known>();

  /** By what the node bore before we wrote to it. */
  mayBeBehind(node: string, seen: WatchedNode, term: string): boolean {
    const known = this.#known.get(node);
    if (known?.term !== term || seen.fence === undefined || termOfFence(seen.fence) !== term) return true;
    return !isSame(seen.lastLocks, known.locks);
  }

  isTrusted(node: string): boolean {
    return this.#known.has(node);
  }

  /** Until all of its pods are known again, e.g. after a conflict. */
  doubt(node: string): void {
    this.#known.delete(node);
  }

  /** All pods of the node are known, and these are the locks that were there last. */
  trust(node: string, term: string, locks: TextMap): void {
    this.#known.set(node, { term, locks });
  }
}

function isSame(a: TextMap, b: TextMap): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
