/**
 * A map by namespace and name. Kept in two levels, so that it holds on to the names as its callers have them and makes
 * no text of its own per object: a cluster has few namespaces and very many pods.
 */
import type { NamespacedName } from './cluster-objects.ts';

export class NamespacedMap<T> {
  readonly #byNamespace = new Map<string, Map<string, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get({ namespace, name }: NamespacedName): T | undefined {
    return this.#byNamespace.get(namespace)?.get(name);
  }

  set({ namespace, name }: NamespacedName, value: T): void {
    let byName = this.#byNamespace.get(namespace);
    if (byName === undefined) {
      byName = new Map();
      this.#byNamespace.set(namespace, byName);
    }
    if (!byName.has(name)) this.#size += 1;
    byName.set(name, value);
  }

  delete({ namespace, name }: NamespacedName): void {
    const byName = this.#byNamespace.get(namespace);
    if (byName?.delete(name) !== true) return;
    this.#size -= 1;
    if (byName.size === 0) this.#byNamespace.delete(namespace);
  }

  /** In no particular order; entries may be deleted meanwhile. */
  *entries(): Iterable<readonly [NamespacedName, T]> {
    for (const [namespace, byName] of this.#byNamespace) {
      for (const [name, value] of byName) yield [{ namespace, name }, value];
    }
  }
}
