/**
 * One lease, candidates for it, and a time of their own: messages that take long or are lost, and processes that stand
 * still while time goes on, as SIGSTOP leaves them. Nothing happens by itself; a test moves from event to event.
 */
import type {
  RestClient,
  RestRequest,
  StreamEnd,
  StreamRequest,
} from '../../../src/kubernetes/rest-client.ts';
import type { RestResult } from '../../../src/kubernetes/rest-result.ts';
import type { Clock } from '../../../src/model/clock.ts';

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

interface Stored {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly spec: { readonly holderIdentity?: string };
}

interface Watcher {
  readonly process: LeaseProcess;
  readonly onLine: (line: string) => void;
  lastMs: number;
}

export interface Network {
  /** How long the next message is on its way. */
  readonly delayMs: () => number;
  /** Whether the next message never arrives. */
  readonly isLost: () => boolean;
}

export class LeaseWorld {
  network: Network;
  nowMs = 0;
  lease: Stored | undefined;
  #version = 0;
  readonly #events = new Set<Event>();
  readonly #watchers = new Set<Watcher>();

  constructor(network: Network) {
    this.network = network;
  }

  at(delayMs: number, run: () => void): () => void {
    const event = { atMs: this.nowMs + Math.max(0, delayMs), run };
    this.#events.add(event);
    return () => this.#events.delete(event);
  }

  /** Plays all events up to a time, and calls `check` after each. */
  async playUntil(untilMs: number, check: () => void): Promise<void> {
    await settled();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.atMs > untilMs) break;
      this.#events.delete(next);
      this.nowMs = next.atMs;
      next.run();
      await settled();
      check();
    }
    this.nowMs = untilMs;
    check();
  }

  /** What the API server does with a request that has arrived. */
  serve({ method, path, body }: RestRequest): RestResult {
    const refusal = (status: number): RestResult => ({ kind: 'status', status, reason: '', message: '' });
    const answer = (value: unknown): RestResult => ({ kind: 'ok', status: 200, body: value });
    if (method === 'GET' && path.endsWith('/leases')) {
      const metadata = { resourceVersion: String(this.#version) };
      return answer({ metadata, items: this.lease === undefined ? [] : [this.lease] });
    }
    if (method === 'GET') return this.lease === undefined ? refusal(404) : answer(this.lease);
    const written = body as Stored;
    const isCurrent =
      method === 'POST'
        ? this.lease === undefined
        : written.metadata.resourceVersion === this.lease?.metadata.resourceVersion;
    if (!isCurrent) return refusal(409);
    this.#version += 1;
    const metadata = { name: 'lease', resourceVersion: String(this.#version) };
    this.lease = { metadata, spec: written.spec };
    this.#tell(JSON.stringify({ type: 'MODIFIED', object: this.lease }));
    return answer(this.lease);
  }

  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** In order, whatever each takes. */
  #tell(line: string): void {
    for (const watcher of this.#watchers) {
      watcher.lastMs = Math.max(watcher.lastMs, this.nowMs + this.network.delayMs());
      this.at(watcher.lastMs - this.nowMs, () => {
        watcher.process.run(() => {
          watcher.onLine(line);
        });
      });
    }
  }

  #next(): Event | undefined {
    let first: Event | undefined;
    for (const event of this.#events) if (first === undefined || event.atMs < first.atMs) first = event;
    return first;
  }
}

/** Whatever follows from what has happened has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** What a candidate runs in: its clock, its connection, and whether it stands still. */
export class LeaseProcess {
  readonly #world: LeaseWorld;
  /** Of its clock, against all others. */
  readonly #aheadMs: number;
  #held: (() => void)[] | undefined;

  constructor(world: LeaseWorld, aheadMs: number) {
    this.#world = world;
    this.#aheadMs = aheadMs;
  }

  readonly clock: Clock = {
    nowMs: () => this.#world.nowMs + this.#aheadMs,
    after: (delayMs, action) => {
      let cancelled = false;
      const cancel = this.#world.at(delayMs, () => {
        this.run(() => {
          if (!cancelled) action();
        });
      });
      return () => {
        cancelled = true;
        cancel();
      };
    },
  };

  readonly client: Pick<RestClient, 'request' | 'stream'> = {
    request: (request) => this.#request(request),
    stream: (request) => this.#stream(request),
  };

  /** Does something in the process, now or when it goes on. */
  run(action: () => void): void {
    if (this.#held === undefined) action();
    else this.#held.push(action);
  }

  standStill(): void {
    this.#held ??= [];
  }

  goOn(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const action of held) action();
  }

  #request(request: RestRequest): Promise<RestResult> {
    const { network } = this.#world;
    return new Promise((resolve) => {
      const end = (result: RestResult) => {
        cancel();
        resolve(result);
      };
      const cancel = this.clock.after(request.timeoutMs, () => {
        resolve({ kind: 'timeout', message: 'no answer', ambiguous: true });
      });
      request.signal?.addEventListener('abort', () => {
        end({ kind: 'aborted', message: 'aborted', ambiguous: true });
      });
      if (network.isLost()) return;
      this.#world.at(network.delayMs(), () => {
        const result = this.#world.serve(request);
        if (network.isLost()) return;
        this.#world.at(network.delayMs(), () => {
          this.run(() => {
            end(result);
          });
        });
      });
    });
  }

  #stream({ onLine, signal }: StreamRequest): Promise<StreamEnd> {
    return new Promise((resolve) => {
      const stop = this.#world.watch({ process: this, onLine, lastMs: 0 });
      signal?.addEventListener('abort', () => {
        stop();
        resolve({ kind: 'aborted', message: 'aborted', ambiguous: false });
      });
    });
  }
}
