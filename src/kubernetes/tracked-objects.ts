/**
 * What one feed has handed on so far. It keeps who an object is and its version, nothing of its content, and turns what the
 * server says into the least that its handler must hear: a version seen before is skipped, an object that came back
 * under its name with another UID is first reported gone, and after a complete list so is whatever was not in it.
 */
import { NamespacedMap } from '../model/namespaced-map.ts';
import type { Parsed } from '../model/result.ts';
import { identityOf, type ObjectIdentity } from './list-watch-format.ts';

/** How it is known that an object is gone: the server said so, or it was missed where it should have been. */
export type Departure = 'told' | 'missed';

export interface ObjectHandler<T> {
  /** The object as it is now. */
  upsert(item: T): void;
  /** The object is gone; the identity is that of its last version known. */
  remove(identity: ObjectIdentity, departure: Departure): void;
  /** An object that cannot be read. What was handed on of it before stays in force. */
  malformed(identity: ObjectIdentity, problem: string): void;
  /** A list is about to be asked for; told again when it begins anew. Must not throw. */
  listBegins?(): void;
  /** Everything that was there when the list began has been handed on, or reported gone. Must not throw. */
  listEnds?(): void;
}

export interface TrackedObjectsOptions<T> {
  readonly parse: (raw: unknown) => Parsed<T>;
  readonly handler: ObjectHandler<T>;
  /** The handler threw over this object: a bug, which must not stop the other objects. */
  readonly onFailed: (identity: ObjectIdentity, error: unknown) => void;
}

interface Known {
  readonly uid: string;
  readonly resourceVersion: string;
  /** The list in which it was last seen, or after which it came. */
  round: number;
}

export class TrackedObjects<T> {
  readonly #options: TrackedObjectsOptions<T>;
  readonly #known = new NamespacedMap<Known>();
  #round = 0;

  constructor(options: TrackedObjectsOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#known.size;
  }

  /** A list begins. One that is never completed removes nothing. */
  beginList(): void {
    this.#options.handler.listBegins?.();
    this.#round += 1;
  }

  /** The list is complete: what it did not show is gone. */
  completeList(): void {
    for (const [{ namespace, name }, { uid, resourceVersion, round }] of this.#known.entries()) {
      if (round !== this.#round) this.#remove({ namespace, name, uid, resourceVersion }, 'missed');
    }
    this.#options.handler.listEnds?.();
  }

  /** Takes an object as it is now, and answers who it is. */
  apply(raw: unknown): ObjectIdentity {
    const { parse, handler } = this.#options;
    const identity = identityOf(raw);
    if (identity.name === '') {
      handler.malformed(identity, 'an object without a name');
      return identity;
    }
    const { namespace, name, uid, resourceVersion } = identity;
    const known = this.#known.get(identity);
    if (known?.uid === uid && isSameVersion(known, identity)) {
      known.round = this.#round;
      return identity;
    }
    if (known !== undefined && known.uid !== uid) {
      this.#remove({ namespace, name, uid: known.uid, resourceVersion: known.resourceVersion }, 'missed');
    }
    this.#known.set(identity, { uid, resourceVersion, round: this.#round });
    const item = parse(raw);
    if (item.ok) {
      this.#guarded(identity, () => {
        handler.upsert(item.value);
      });
    } else {
      handler.malformed(identity, item.problem);
    }
    return identity;
  }

  /**
   * Takes a deletion, and answers who is gone. Objects that were never seen are reported, too, since others than this
   * feed may know them; a former bearer of the name is not, it was reported when the name came back.
   */
  delete(raw: unknown): ObjectIdentity {
    const identity = identityOf(raw);
    const known = this.#known.get(identity);
    if (known === undefined || known.uid === identity.uid) this.#remove(identity, 'told');
    return identity;
  }

  #remove(identity: ObjectIdentity, departure: Departure): void {
    this.#known.delete(identity);
    this.#guarded(identity, () => {
      this.#options.handler.remove(identity, departure);
    });
  }

  #guarded(identity: ObjectIdentity, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.onFailed(identity, error);
    }
  }
}

/** Versions are compared for equality alone: after a restore of the server's store they may go back. */
function isSameVersion(known: Known, next: ObjectIdentity): boolean {
  return next.resourceVersion !== '' && known.resourceVersion === next.resourceVersion;
}
