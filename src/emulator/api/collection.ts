/**
 * All objects of one resource with a bounded history of their changes. The history answers two questions: what
 * happened after a version (watch), and how the collection stood at one (pages of one list, all from one moment): the
 * present with the later changes undone. A version from before the history is answered with undefined, never guessed.
 */
import { type ApiObject, keyOf } from './api-object.ts';

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly version: number;
  /** For DELETED the last state, with the version of the deletion. */
  readonly object: ApiObject;
  /** The state before; absent for ADDED. */
  readonly previous?: ApiObject;
}

/** Sorted states kept for the next pages of lists under way. */
const keptSnapshots = 4;

export class Collection {
  readonly #historyLimit: number;
  readonly #objects = new Map<string, ApiObject>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  /** By the version of the last change they include, oldest first. */
  readonly #snapshots = new Map<number, readonly ApiObject[]>();
  #history: StoreEvent[] = [];
  /** Changes up to this version are forgotten. */
  #forgotten = 0;
  #changed = 0;

  /** `historyLimit` is the least number of changes that are kept; up to twice as many are. */
  constructor(historyLimit: number) {
    this.#historyLimit = historyLimit;
  }

  find(key: string): ApiObject | undefined {
    return this.#objects.get(key);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** The object that was not written for the longest time. */
  get stalest(): ApiObject | undefined {
    return this.#objects.values().next().value;
  }

  record(event: StoreEvent): void {
    const key = keyOf(event.object.metadata);
    // Taken out first, so that the map's order is the order of the last writes.
    this.#objects.delete(key);
    if (event.type !== 'DELETED') this.#objects.set(key, event.object);
    this.#changed = event.version;
    this.#history.push(event);
    if (this.#history.length > 2 * this.#historyLimit) this.#forgetAllBut(this.#historyLimit);
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Calls back, synchronously, for every later change; the returned function ends it. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The changes after a version, oldest first; undefined when some of them are forgotten. */
  eventsAfter(version: number): readonly StoreEvent[] | undefined {
    if (version < this.#forgotten) return undefined;
    return this.#history.slice(this.#firstAfter(version));
  }

  /** The objects at a version in the order of their keys; undefined when that is forgotten. */
  at(version: number): readonly ApiObject[] | undefined {
    if (version < this.#forgotten) return undefined;
    const first = this.#firstAfter(version);
    const included = version >= this.#changed ? this.#changed : (this.#history[first - 1]?.version ?? 0);
    const kept = this.#snapshots.get(included);
    if (kept !== undefined) return kept;
    const snapshot = sortedByKey(this.#undone(first));
    this.#snapshots.set(included, snapshot);
    const [oldest] = this.#snapshots.keys();
    if (this.#snapshots.size > keptSnapshots && oldest !== undefined) this.#snapshots.delete(oldest);
    return snapshot;
  }

  /** The objects of the present that a predicate accepts, in the order of their keys; no snapshot is made for it. */
  select(accepts: (object: ApiObject) => boolean): readonly ApiObject[] {
    return sortedByKey([...this.#objects].filter(([, object]) => accepts(object)));
  }

  /** From now on, versions before `version` are too old. */
  forgetHistory(version: number): void {
    this.#history = [];
    this.#snapshots.clear();
    this.#forgotten = version;
  }

  #undone(first: number): Map<string, ApiObject> {
    const objects = new Map(this.#objects);
    for (const event of this.#history.slice(first).reverse()) {
      const key = keyOf(event.object.metadata);
      if (event.previous === undefined) objects.delete(key);
      else objects.set(key, event.previous);
    }
    return objects;
  }

  /** Index of the first change after a version. */
  #firstAfter(version: number): number {
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#history[middle]?.version ?? 0) <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #forgetAllBut(count: number): void {
    const dropped = this.#history.length - count;
    this.#forgotten = this.#history[dropped - 1]?.version ?? this.#forgotten;
    this.#history = this.#history.slice(dropped);
    this.#snapshots.clear();
  }
}

function sortedByKey(objects: Iterable<readonly [key: string, object: ApiObject]>): readonly ApiObject[] {
  return [...objects].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, object]) => object);
}
