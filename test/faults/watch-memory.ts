/**
 * The last events of each watch, so that the next connection can begin with them: a client may be told again what it
 * was told last. Of each object only its newest event is repeated, since no object ever goes back in time.
 */
import type { StreamRequest } from '../../src/kubernetes/rest-client.ts';

interface Remembered {
  readonly line: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

const mostRemembered = 6;

export class WatchMemory {
  readonly #byPath = new Map<string, readonly Remembered[]>();

  see(path: string, line: string): void {
    const { type, object } = JSON.parse(line) as {
      readonly type: string;
      readonly object: { readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string } };
    };
    const { uid, resourceVersion } = object.metadata ?? {};
    const before = this.#byPath.get(path) ?? [];
    // After a bookmark or an error the next watch goes on from elsewhere.
    if (type === 'BOOKMARK' || type === 'ERROR' || uid === undefined || resourceVersion === undefined) {
      this.#byPath.delete(path);
      return;
    }
    const others = before.filter((remembered) => remembered.uid !== uid);
    this.#byPath.set(path, [...others, { line, uid, resourceVersion }].slice(-mostRemembered));
  }

  /** The events that end where this watch goes on; none when it begins elsewhere, such as after a list. */
  lastBefore({ path, query }: StreamRequest): readonly string[] {
    const remembered = this.#byPath.get(path) ?? [];
    if (remembered.at(-1)?.resourceVersion !== query?.['resourceVersion']) return [];
    return remembered.map(({ line }) => line);
  }
}
