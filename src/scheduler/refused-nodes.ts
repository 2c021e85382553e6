/**
 * The nodes that a call refuses, by why. Thousands of nodes are refused for a handful of reasons, and equal refusals
 * mostly are one object, so the names are kept in a list per refusal instead of an entry per node.
 */
import type { Refusal } from '../model/reason.ts';

export class RefusedNodes implements Iterable<readonly [node: string, refusal: Refusal]> {
  readonly #names = new Map<Refusal, string[]>();
  #size = 0;
  /** Neighbours are often refused alike. */
  #last: { readonly refusal: Refusal; readonly names: string[] } | undefined;

  static of(entries: Iterable<readonly [node: string, refusal: Refusal]>): RefusedNodes {
    const refused = new RefusedNodes();
    for (const [node, refusal] of entries) refused.add(node, refusal);
    return refused;
  }

  get size(): number {
    return this.#size;
  }

  add(node: string, refusal: Refusal): void {
    this.#size += 1;
    if (this.#last?.refusal !== refusal) this.#last = { refusal, names: this.#namesOf(refusal) };
    this.#last.names.push(node);
  }

  /** Names by refusal, in the order of their first node. */
  groups(): Iterable<readonly [refusal: Refusal, names: readonly string[]]> {
    return this.#names;
  }

  *[Symbol.iterator](): Iterator<readonly [node: string, refusal: Refusal]> {
    for (const [refusal, names] of this.#names) for (const name of names) yield [name, refusal];
  }

  #namesOf(refusal: Refusal): string[] {
    let names = this.#names.get(refusal);
    if (names === undefined) this.#names.set(refusal, (names = []));
    return names;
  }
}
