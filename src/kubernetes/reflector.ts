/**
 * Keeps a handler up to date with all objects of one kind: a list in pages, then a watch from where the list ended,
 * for as long as it takes. Pages are handed on one by one and not kept; the next one is under way meanwhile. Any end of a watch resumes it from the last
 * version seen; only when the server has forgotten that version (410), or a line could not be read, is everything
 * listed again. It never gives up, never runs hot, and reports rather than throws.
 */
import type { Clock } from '../model/clock.ts';
import type { Parsed } from '../model/result.ts';
import type { Log } from '../telemetry/logger.ts';
import { Backoff, pause } from './backoff.ts';
import {
  type Interruption,
  interruptionOf,
  isPassing,
  type ReflectorSignal,
  signalOf,
} from './interruption.ts';
import {
  eventShape,
  type ListPage,
  type ObjectIdentity,
  pageShape,
  parseListPage,
  parseWatchEvent,
} from './list-watch-format.ts';
import type { Query, RestClient, StreamEnd } from './rest-client.ts';
import { failureText, type RestResult } from './rest-result.ts';
import type { Shape } from './skim.ts';
import { type ObjectHandler, TrackedObjects } from './tracked-objects.ts';

export interface ReflectorOptions<T> {
  /** What is watched, for logs, e.g. `pods`. */
  readonly kind: string;
  readonly client: Pick<RestClient, 'request' | 'stream'>;
  /** Of the collection, e.g. `/api/v1/pods`. */
  readonly path: string;
  /** Selectors. */
  readonly query?: Query;
  /** Objects per page; 500 where left out. */
  readonly pageSize?: number;
  readonly parse: (raw: unknown) => Parsed<T>;
  /** What `parse` reads of an object, the identity with it; everything where left out. */
  readonly shape?: Shape;
  readonly handler: ObjectHandler<T>;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  /** For counting. */
  readonly onSignal?: (signal: ReflectorSignal) => void;
}

const defaultPageSize = 500;
const pageTimeoutMs = 60_000;
const openTimeoutMs = 30_000;
/** The API server sends a bookmark about every minute, so three minutes without a byte mean a lost connection. */
const silenceMs = 180_000;
/** Spread, so that the watches of many replicas do not end at the same time. */
const shortestWatchSeconds = 300;
const longestWatchSeconds = 600;
const firstPauseMs = 200;
const longestPauseMs = 30_000;
/** A watch that held for this long has worked, whatever ended it. */
/** A watch that brought as many lines has worked, however it ended. */
const goodLines = 20;
const settledMs = 10_000;
/** Watches refused one after the other, whatever for, before the version itself is suspected. */
const refusalsBeforeList = 5;

export class Reflector<T> {
  readonly #options: ReflectorOptions<T>;
  readonly #objects: TrackedObjects<T>;
  readonly #pageShape: Shape;
  readonly #eventShape: Shape;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  /** Settles after the first complete list, or when stopped before it. Never rejects. */
  readonly synced: Promise<'synced' | 'stopped'>;
  #settleSynced: (result: 'synced' | 'stopped') => void = () => undefined;
  #pageSize: number;
  /** Where a watch goes on; undefined when everything must be listed. */
  #resourceVersion: string | undefined;
  #refusals = 0;
  #running: Promise<void> | undefined;

  constructor(options: ReflectorOptions<T>) {
    const { handler, parse, shape = 'whole', random, log, kind } = options;
    this.#options = options;
    this.#pageShape = pageShape(shape);
    this.#eventShape = eventShape(shape);
    this.synced = new Promise((resolve) => {
      this.#settleSynced = resolve;
    });
    this.#pageSize = options.pageSize ?? defaultPageSize;
    this.#backoff = new Backoff({ baseMs: firstPauseMs, maxMs: longestPauseMs, random });
    this.#objects = new TrackedObjects({
      parse,
      handler,
      onFailed: ({ namespace, name }, error) => {
        log.error({ feed: kind, namespace, name, err: error }, 'object could not be applied');
      },
    });
  }

  /** Objects known now. */
  get size(): number {
    return this.#objects.size;
  }

  /** Begins to list. Has no effect when started or stopped before. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends all requests and waits until nothing of them is left. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#settleSynced('stopped');
    await this.#running;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (this.#resourceVersion === undefined) await this.#list();
      else await this.#watch(this.#resourceVersion);
    }
  }

  // --- the list

  /** Lists everything, unless the list must begin anew; a page that fails for a passing reason is asked for again. */
  async #list(): Promise<void> {
    const { clock, log, kind, onSignal } = this.#options;
    const startedMs = clock.nowMs();
    let resourceVersion: string | undefined;
    let continueToken: string | undefined;
    this.#objects.beginList();
    let asked = this.#page(continueToken);
    for (;;) {
      const page = await asked;
      if (this.#stopped) return;
      if (page.kind === 'interrupted') {
        await this.#interrupt(page.by);
        if (page.by.listAgain === true) return;
        asked = this.#page(continueToken);
        continue;
      }
      // The version of the first page is at most as new as what later pages show, so the watch misses nothing.
      resourceVersion ??= page.resourceVersion;
      continueToken = page.continueToken;
      // The server makes the next page while this one is taken.
      if (continueToken !== undefined) asked = this.#page(continueToken);
      for (const item of page.items) this.#objects.apply(item);
      if (continueToken === undefined) break;
    }
    this.#objects.completeList();
    this.#resourceVersion = resourceVersion;
    this.#refusals = 0;
    log.info({ feed: kind, objects: this.size, tookMs: clock.nowMs() - startedMs }, 'listed');
    onSignal?.('listed');
    this.#settleSynced('synced');
  }

  async #page(
    continueToken: string | undefined,
  ): Promise<
    ({ readonly kind: 'page' } & ListPage) | { readonly kind: 'interrupted'; readonly by: Interruption }
  > {
    const result = await this.#request(continueToken);
    if (result.kind === 'oversized' && this.#pageSize > 1) {
      // Someone fills the cluster with large objects; smaller pages must do.
      this.#pageSize = Math.ceil(this.#pageSize / 2);
      return this.#page(continueToken);
    }
    if (result.kind !== 'ok') {
      // A token that ran out, or is refused for another cause, is of no use a second time.
      const listAgain = result.kind === 'status' && !isPassing(result.status);
      return { kind: 'interrupted', by: { ...interruptionOf(result), listAgain } };
    }
    const page = parseListPage(result.body);
    if (page.ok) return { kind: 'page', ...page.value };
    return { kind: 'interrupted', by: { signal: 'interrupted', cause: `not a list: ${page.problem}` } };
  }

  #request(continueToken: string | undefined): Promise<RestResult> {
    const { client, path, query } = this.#options;
    return client.request({
      method: 'GET',
      path,
      query: { ...query, limit: this.#pageSize, continue: continueToken },
      shape: this.#pageShape,
      timeoutMs: pageTimeoutMs,
      signal: this.#stopping.signal,
    });
  }

  // --- the watch

  async #watch(resourceVersion: string): Promise<void> {
    const { client, path, query, clock, random } = this.#options;
    const startedMs = clock.nowMs();
    let interruption: Interruption | undefined;
    let lines = 0;
    const end = await client.stream({
      path,
      query: {
        ...query,
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion,
        timeoutSeconds:
          shortestWatchSeconds + Math.floor(random() * (longestWatchSeconds - shortestWatchSeconds)),
      },
      shape: this.#eventShape,
      openTimeoutMs,
      silenceMs,
      signal: this.#stopping.signal,
      onLine: (line) => {
        if (this.#stopped) return false;
        interruption = this.#takeLine(line);
        lines += 1;
        return interruption === undefined;
      },
    });
    if (this.#stopped) return;
    const cause = interruption ?? this.#endOf(end);
    const worked = lines >= (cause.expected === true ? 1 : goodLines);
    if (worked || clock.nowMs() - startedMs >= settledMs) {
      this.#backoff.reset();
      this.#refusals = 0;
    }
    if (cause.listAgain === true) this.#resourceVersion = undefined;
    await this.#interrupt(cause);
  }

  /** Takes one event; answers why the watch cannot go on after it. */
  #takeLine(line: string): Interruption | undefined {
    const event = parseWatchEvent(line);
    if (!event.ok) {
      return { signal: 'broken-line', cause: `broken line: ${event.problem}`, listAgain: true };
    }
    switch (event.value.kind) {
      case 'applied':
        this.#advance(this.#objects.apply(event.value.object));
        return undefined;
      case 'deleted':
        this.#advance(this.#objects.delete(event.value.object));
        return undefined;
      case 'bookmark':
        this.#resourceVersion = event.value.resourceVersion;
        return undefined;
      case 'error': {
        const { status, message } = event.value;
        return this.#refusalOf(status, `the server ended the watch with ${status}: ${message}`);
      }
    }
  }

  #advance({ resourceVersion }: ObjectIdentity): void {
    if (resourceVersion !== '') this.#resourceVersion = resourceVersion;
  }

  #endOf(end: StreamEnd): Interruption {
    switch (end.kind) {
      case 'ended':
        return end.cutLine
          ? { signal: 'interrupted', cause: 'the server stopped in the middle of a line' }
          : { cause: 'the server ended the watch', expected: true };
      case 'stopped':
        // Only `#takeLine` stops a stream, and then tells why.
        throw new Error('a watch was stopped for no cause');
      case 'status':
        return { ...interruptionOf(end), ...this.#refusalOf(end.status, failureText(end)) };
      case 'transport':
      case 'timeout':
      case 'aborted':
        return interruptionOf(end);
      case 'oversized':
        return { ...interruptionOf(end), listAgain: true };
    }
  }

  /** The server's refusal of a watch, and whether it speaks against the version that we ask for. */
  #refusalOf(status: number, cause: string): Interruption {
    this.#refusals += 1;
    const listAgain = !isPassing(status) || this.#refusals >= refusalsBeforeList;
    return { signal: signalOf(status), cause, listAgain };
  }

  // --- between attempts

  async #interrupt({ signal, cause, expected, retryAfterMs = 0, listAgain }: Interruption): Promise<void> {
    const { clock, log, kind, onSignal } = this.#options;
    const pauseMs = Math.max(this.#backoff.nextMs(), Math.min(retryAfterMs, longestPauseMs));
    const fields = { feed: kind, cause, pauseMs, listAgain: listAgain === true };
    if (expected === true) log.debug(fields, 'watch ended');
    else log.warn(fields, 'feed interrupted');
    if (signal !== undefined) onSignal?.(signal);
    await pause(clock, pauseMs, this.#stopping.signal);
  }
}
