/**
 * Every state that the API server has stored of pods and nodes, as its watches tell it. Versions are numbers of one
 * store, so changes of both kinds have one order. It is what a test judges by when "at no time" is claimed. A server
 * that has been restarted has forgotten the past; what may have been missed then is marked as a gap.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { RestClient } from '../../../src/kubernetes/rest-client.ts';
import { failureText } from '../../../src/kubernetes/rest-result.ts';
import type { Cluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import type { PodState } from './pods.ts';

export interface NodeState {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

export type Change = { readonly version: number } & (
  | { readonly kind: 'pod'; readonly pod: PodState; readonly gone: boolean }
  | { readonly kind: 'node'; readonly node: NodeState }
  /** What was known of this kind may be out of date; its objects follow as they are later. */
  | { readonly kind: 'gap'; readonly of: WatchedKind }
);

type WatchedKind = 'pod' | 'node';

interface Stored {
  readonly metadata: { readonly resourceVersion: string };
}

interface WatchEvent {
  readonly type: string;
  readonly object: Stored & { readonly code?: number };
}

const collections: Readonly<Record<WatchedKind, string>> = { pod: '/api/v1/pods', node: '/api/v1/nodes' };
const timeoutMs = 10_000;
const silenceMs = 600_000;
const reopenMs = 100;
const expired = 410;

export class History {
  readonly #client: RestClient;
  readonly #changes: Change[] = [];
  readonly #versions = new Set<string>();
  /** Of which the server no longer knows the changes since its last one. */
  readonly #forgotten = new Set<WatchedKind>();
  readonly #stopping = new AbortController();
  readonly #watches: Promise<void>[] = [];

  private constructor(client: RestClient) {
    this.#client = client;
  }

  /** Records from now on; objects that exist are its first changes. Ends with the cluster. */
  static async start(cluster: Cluster): Promise<History> {
    const history = new History(cluster.client());
    for (const kind of ['pod', 'node'] as const) {
      const version = await history.#addAll(kind);
      history.#watches.push(history.#watch(kind, version));
    }
    cluster.onStop(async () => {
      history.#stopping.abort();
      await Promise.all(history.#watches);
    });
    return history;
  }

  /** All changes up to what the server holds now, in the order in which they happened. */
  async changes(): Promise<readonly Change[]> {
    for (const kind of ['pod', 'node'] as const) {
      const { items } = await this.#list(kind);
      await eventually(`the watch of ${kind}s has caught up`, () => {
        const behind = items.filter(({ metadata }) => !this.#versions.has(metadata.resourceVersion));
        return Promise.resolve(behind.length === 0 ? { done: true } : { not: `${behind.length} behind` });
      });
    }
    return this.#changes.toSorted((a, b) => a.version - b.version);
  }

  async #list(kind: WatchedKind): Promise<{ readonly items: readonly Stored[]; readonly version: string }> {
    const result = await this.#client.request({ method: 'GET', path: collections[kind], timeoutMs });
    if (result.kind !== 'ok') throw new Error(`listing ${kind}s: ${failureText(result)}`);
    const { items, metadata } = result.body as { items: readonly Stored[] } & Stored;
    return { items, version: metadata.resourceVersion };
  }

  /** All objects as they are at one version, which is returned. */
  async #addAll(kind: WatchedKind): Promise<string> {
    const { items, version } = await this.#list(kind);
    for (const item of items) this.#add(kind, item, { version, gone: false });
    return version;
  }

  /** Goes on where it ended when the server goes away, or with a gap if the server has forgotten that. */
  async #watch(kind: WatchedKind, from: string): Promise<void> {
    let version = from;
    while (!this.#stopping.signal.aborted) {
      await this.#client.stream({
        path: collections[kind],
        query: { watch: true, resourceVersion: version },
        signal: this.#stopping.signal,
        openTimeoutMs: timeoutMs,
        silenceMs,
        onLine: (line) => {
          const { type, object } = JSON.parse(line) as WatchEvent;
          if (type === 'ERROR') {
            if (object.code === expired) this.#forgotten.add(kind);
            return false;
          }
          version = object.metadata.resourceVersion;
          this.#add(kind, object, { version, gone: type === 'DELETED' });
          return true;
        },
      });
      await pause(reopenMs);
      if (this.#forgotten.delete(kind)) {
        this.#changes.push({ kind: 'gap', of: kind, version: Number(version) });
        version = await this.#addAll(kind);
      }
    }
  }

  #add(kind: WatchedKind, object: Stored, at: { readonly version: string; readonly gone: boolean }): void {
    this.#versions.add(object.metadata.resourceVersion);
    const { gone } = at;
    const version = Number(at.version);
    this.#changes.push(
      kind === 'pod'
        ? { version, gone, kind, pod: object as unknown as PodState }
        : { version, kind, node: object as unknown as NodeState },
    );
  }
}
