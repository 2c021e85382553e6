/**
 * Watches: one JSON event a line, from a version on or from the present state. An object that a selector begins or
 * ceases to match is ADDED or DELETED, whatever it really underwent. A client that does not read is cut off when its
 * unsent events exceed a bound; it comes back with its last version, as after any other end.
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../model/clock.ts';
import { type ApiObject, withMeta } from './api-object.ts';
import type { StoreEvent } from './collection.ts';
import type { Selection, WatchQuery } from './list-query.ts';
import type { AnswerForm } from './negotiation.ts';
import type { OpenWatches } from './open-watches.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { expired } from './status.ts';
import type { ObjectStore } from './store.ts';
import { tableOf } from './tables.ts';
import { objectText } from './wire-form.ts';

export interface WatchDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly openWatches: OpenWatches;
  /** How often a watch that allows bookmarks gets one; one more precedes its end by time-out. */
  readonly bookmarkSeconds: number;
  /** Unsent bytes at which a client is cut off. */
  readonly watchBufferBytes: number;
}

export interface WatchRequest {
  readonly resource: Resource;
  readonly selection: Selection;
  readonly query: WatchQuery;
  readonly form: AnswerForm;
  readonly includeObject: string;
}

type EventType = StoreEvent['type'];

/** Where the client leaves it open; the API server's own bound is random, between 30 and 60 minutes. */
const defaultTimeoutSeconds = 30 * 60;

const initialEventsEnd = { annotations: { 'k8s.io/initial-events-end': 'true' } };

/** Answers with a stream that ends by time-out, by the client, or by a fault. A version too old ends it with 410. */
export function serveWatch(deps: WatchDeps, request: WatchRequest, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  new Watch(deps, request, response).start();
}

class Watch {
  readonly #deps: WatchDeps;
  readonly #request: WatchRequest;
  readonly #response: ServerResponse;
  readonly #cleanups: (() => void)[] = [];
  #columnsSent = false;
  #over = false;

  constructor(deps: WatchDeps, request: WatchRequest, response: ServerResponse) {
    this.#deps = deps;
    this.#request = request;
    this.#response = response;
  }

  start(): void {
    const { store, clock, openWatches } = this.#deps;
    const { resource, query } = this.#request;
    const collection = store.collection(resource.collection);
    // A version from before this emulator's start has no meaning here: the client shall list anew.
    const known = query.version === undefined || query.version <= store.version;
    const missed = known ? collection.eventsAfter(query.version ?? store.version) : undefined;
    if (missed === undefined) {
      this.#sendLine({ type: 'ERROR', text: JSON.stringify(expired('watch').status) });
      this.#end();
      return;
    }
    this.#cleanups.push(
      openWatches.add(this.#response),
      collection.subscribe((event) => {
        this.#sendEvent(event);
      }),
      clock.after((query.timeoutSeconds ?? defaultTimeoutSeconds) * 1000, () => {
        if (query.bookmarks) this.#sendBookmark();
        this.#end();
      }),
    );
    this.#response.on('close', () => {
      this.#cleanUp();
    });
    if (query.version === undefined || query.initialEvents) this.#sendPresentState();
    else for (const event of missed) this.#sendEvent(event);
    if (query.initialEvents && query.bookmarks) this.#sendBookmark(initialEventsEnd);
    if (query.bookmarks) this.#scheduleBookmark();
  }

  #sendPresentState(): void {
    const { store } = this.#deps;
    const { resource, selection } = this.#request;
    for (const object of store.collection(resource.collection).at(store.version) ?? []) {
      if (selection.matches(object)) this.#sendObject('ADDED', object);
    }
  }

  #sendEvent({ type, object, previous, version }: StoreEvent): void {
    const { matches } = this.#request.selection;
    const before = previous !== undefined && matches(previous);
    const after = type !== 'DELETED' && matches(object);
    if (before && after) this.#sendObject('MODIFIED', object);
    else if (after) this.#sendObject('ADDED', object);
    else if (before && type === 'DELETED') this.#sendObject('DELETED', object);
    else if (before) this.#sendObject('DELETED', withMeta(previous, { resourceVersion: String(version) }));
  }

  #sendObject(type: EventType, object: ApiObject): void {
    const { resource, form } = this.#request;
    const text =
      form === 'table'
        ? this.#tableText([object], object.metadata.resourceVersion ?? '')
        : objectText(resource, object);
    this.#sendLine({ type, text });
  }

  #tableText(objects: readonly ApiObject[], resourceVersion: string): string {
    const { resource, includeObject } = this.#request;
    const withColumns = !this.#columnsSent;
    this.#columnsSent = true;
    const nowMs = this.#deps.clock.nowMs();
    return JSON.stringify(
      tableOf(resource, objects, { resourceVersion }, { nowMs, includeObject, withColumns }),
    );
  }

  #scheduleBookmark(): void {
    const { clock, bookmarkSeconds } = this.#deps;
    this.#cleanups.push(
      clock.after(bookmarkSeconds * 1000, () => {
        this.#sendBookmark();
        this.#scheduleBookmark();
      }),
    );
  }

  /** Everything up to the present version has been sent, since events are sent as they happen. */
  #sendBookmark(more: object = {}): void {
    const { resource, form } = this.#request;
    const resourceVersion = String(this.#deps.store.version);
    const text =
      form === 'table'
        ? this.#tableText([], resourceVersion)
        : JSON.stringify({
            kind: resource.kind,
            apiVersion: apiVersionOf(resource),
            metadata: { resourceVersion, ...more },
          });
    this.#sendLine({ type: 'BOOKMARK', text });
  }

  #sendLine({
    type,
    text,
  }: {
    readonly type: EventType | 'BOOKMARK' | 'ERROR';
    readonly text: string;
  }): void {
    if (this.#over) return;
    this.#response.write(`{"type":"${type}","object":${text}}\n`);
    if (this.#response.writableLength > this.#deps.watchBufferBytes) {
      this.#cleanUp();
      this.#response.destroy();
    }
  }

  #end(): void {
    this.#cleanUp();
    this.#response.end();
  }

  #cleanUp(): void {
    this.#over = true;
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
  }
}
