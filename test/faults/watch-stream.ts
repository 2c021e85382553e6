/**
 * A watch over the simulated network: its lines arrive in their order, each some time after it was written. It can
 * break off, fall silent without an end, and begin with lines that were seen before, as a new connection may.
 */
import type { Express } from 'express';
import type { StreamEnd, StreamRequest } from '../../src/kubernetes/rest-client.ts';
import { refusalOf } from '../../src/kubernetes/rest-result.ts';
import { callApp } from './in-process-app.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface WatchStreamOptions {
  readonly app: Express;
  readonly process: SimulatedProcess;
  readonly time: VirtualTime;
  readonly request: StreamRequest;
  readonly url: string;
  /** Until the server hears of it. */
  readonly tripMs: number;
  /** How long the next piece is under way. */
  readonly lagMs: () => number;
  /** Lines that come before all others: repeated from the connection before. */
  readonly repeated: readonly string[];
  /** Called once, inside the process. */
  readonly onEnd: (end: StreamEnd) => void;
}

export class WatchStream {
  readonly #options: WatchStreamOptions;
  #closeCall: () => void = () => undefined;
  #cancelSilence: () => void = () => undefined;
  #lastArrivalMs = 0;
  #heardMs = 0;
  #isSilent = false;
  #isOver = false;

  constructor(options: WatchStreamOptions) {
    this.#options = options;
    options.request.signal?.addEventListener('abort', this.#abort);
  }

  get path(): string {
    return this.#options.request.path;
  }

  open(): void {
    const { app, time, url, tripMs, request, repeated } = this.#options;
    if (request.signal?.aborted === true) {
      this.#abort();
      return;
    }
    this.#heardMs = time.nowMs();
    this.#watchSilence();
    time.after(tripMs, () => {
      if (this.#isOver) return;
      for (const line of repeated) {
        this.#arrive(() => {
          this.#take(line);
        });
      }
      this.#closeCall = callApp(
        app,
        { method: 'GET', url, headers: { accept: 'application/json' } },
        {
          onPiece: (text) => {
            this.#arrive(() => {
              this.#take(text);
            });
          },
          onEnd: (status, headers, text) => {
            const end: StreamEnd =
              status === 200
                ? { kind: 'ended', cutLine: false }
                : refusalOf(status, { 'retry-after': headers['retry-after'] ?? '' }, JSON.parse(text));
            this.#arrive(() => {
              this.#end(end);
            });
          },
          onBroken: () => {
            this.breakOff();
          },
        },
      );
    });
  }

  /** The connection is lost, which the process notices, even where nothing came through it any more. */
  breakOff(): void {
    this.#isSilent = false;
    this.#arrive(() => {
      this.#end({ kind: 'transport', code: 'ECONNRESET', message: 'the watch broke off', ambiguous: true });
    });
    this.#closeCall();
  }

  /** The connection is lost, and nobody notices. */
  silence(): void {
    this.#isSilent = true;
  }

  /** The process is gone. */
  hangUp(): void {
    this.#isOver = true;
    this.#cancelSilence();
    this.#closeCall();
  }

  readonly #abort = () => {
    this.#end({ kind: 'aborted', message: 'given up', ambiguous: true });
  };

  /** Never before what was written earlier. */
  #arrive(action: () => void): void {
    if (this.#isSilent) return;
    const { time, process, lagMs } = this.#options;
    const nowMs = time.exactMs;
    const atMs = Math.max(this.#lastArrivalMs, nowMs + lagMs());
    this.#lastArrivalMs = atMs;
    time.after(atMs - nowMs, () => {
      if (this.#isSilent) return;
      process.deliver(() => {
        if (!this.#isOver) action();
      });
    });
  }

  #take(text: string): void {
    this.#heardMs = this.#options.time.nowMs();
    for (const line of text.split('\n')) {
      if (line === '' || this.#isOver) continue;
      if (!this.#options.request.onLine(line)) this.#end({ kind: 'stopped' });
    }
  }

  #end(end: StreamEnd): void {
    if (this.#isOver) return;
    this.hangUp();
    this.#options.request.signal?.removeEventListener('abort', this.#abort);
    this.#options.onEnd(end);
  }

  #watchSilence(): void {
    const { process, time, request } = this.#options;
    const watch = (delayMs: number) => {
      this.#cancelSilence = process.clock.after(delayMs, () => {
        const leftMs = this.#heardMs + request.silenceMs - time.nowMs();
        if (leftMs > 0) watch(leftMs);
        else this.#end({ kind: 'timeout', message: 'the watch was silent', ambiguous: true });
      });
    };
    watch(request.silenceMs);
  }
}
