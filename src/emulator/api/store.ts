/**
 * The emulator's memory: collections under one counter, so that a resourceVersion orders changes of all resources as
 * etcd's revision does. It knows versions and keys and nothing of kinds; rules live in the writers above it. All of it
 * is synchronous: between reading an object and replacing it nothing else happens.
 */
import { type ApiObject, keyOf, withMeta } from './api-object.ts';
import { Collection, type StoreEvent } from './collection.ts';

export class ObjectStore {
  readonly #historyLimit: number;
  readonly #collections = new Map<string, Collection>();
  #version = 1;

  /** `historyLimit` is the number of changes kept for each collection. */
  constructor(historyLimit: number) {
    this.#historyLimit = historyLimit;
  }

  /** The version of the last change. */
  get version(): number {
    return this.#version;
  }

  collection(name: string): Collection {
    let found = this.#collections.get(name);
    if (found === undefined) {
      found = new Collection(this.#historyLimit);
      this.#collections.set(name, found);
    }
    return found;
  }

  /** Stores an object as new or in place of the one with its key; the result carries its version. */
  put(collection: string, object: ApiObject): ApiObject {
    const previous = this.collection(collection).find(keyOf(object.metadata));
    const stored = this.#stamped(object);
    this.#record(
      collection,
      previous === undefined
        ? { type: 'ADDED', version: this.#version, object: stored }
        : { type: 'MODIFIED', version: this.#version, object: stored, previous },
    );
    return stored;
  }

  /** Takes an object out; the result is its last state with the version of the deletion. */
  remove(collection: string, object: ApiObject): ApiObject {
    const last = this.#stamped(object);
    this.#record(collection, { type: 'DELETED', version: this.#version, object: last, previous: object });
    return last;
  }

  /** Makes every version before the present one too old for list and watch, as etcd's compaction does. */
  forgetHistory(): void {
    for (const collection of this.#collections.values()) collection.forgetHistory(this.#version);
  }

  #stamped(object: ApiObject): ApiObject {
    this.#version += 1;
    return withMeta(object, { resourceVersion: String(this.#version) });
  }

  #record(collection: string, event: StoreEvent): void {
    this.collection(collection).record(event);
  }
}
