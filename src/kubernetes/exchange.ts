/**
 * One request and its answer under a deadline. It knows what a caller must learn when things go wrong: why the
 * exchange ended, and whether the request had left this machine by then. Every failure of the network is thrown as an
 * `ExchangeFailure`; anything else that is thrown is a bug of whoever threw it.
 */
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../model/clock.ts';
import { ByteRoom } from './byte-room.ts';
import { errorCode, errorText } from './error-text.ts';
import type { RestFailure } from './rest-result.ts';

/** A failure on its way out of the exchange. */
export class ExchangeFailure extends Error {
  override readonly name = 'ExchangeFailure';
  readonly failure: RestFailure;

  constructor(failure: RestFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

export interface ExchangeOptions {
  /** What is asked of the server, for messages, e.g. `GET /api/v1/nodes`. */
  readonly subject: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

interface Cut {
  readonly kind: 'timeout' | 'aborted';
  readonly message: string;
}

export class Exchange {
  readonly #subject: string;
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => {
    this.#cutShort({ kind: 'aborted', message: `${this.#subject}: given up by the caller` });
  };
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #cut: Cut | undefined;
  #onCut: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #heardMs = 0;
  /** Whether bytes of the request may have reached the server. */
  #sent = false;

  constructor({ subject, clock, signal }: ExchangeOptions) {
    this.#subject = subject;
    this.#clock = clock;
    this.#signal = signal;
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort);
  }

  /** The whole answer must be here by then. */
  limitTime(timeoutMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(timeoutMs, () => {
      this.#cutShort({ kind: 'timeout', message: `${this.#subject}: no answer within ${timeoutMs} ms` });
    });
  }

  /** Replaces the time limit: from now on only a silence of this length ends the exchange. */
  limitSilence(silenceMs: number): void {
    this.#cancelTimer?.();
    this.#heardMs = this.#clock.nowMs();
    const watch = (delayMs: number) => {
      this.#cancelTimer = this.#clock.after(delayMs, () => {
        const leftMs = this.#heardMs + silenceMs - this.#clock.nowMs();
        if (leftMs > 0) watch(leftMs);
        else this.#cutShort({ kind: 'timeout', message: `${this.#subject}: silent for ${silenceMs} ms` });
      });
    };
    watch(silenceMs);
  }

  /** Waits for something that comes before the request, within the same limits. */
  async prepare<T>(preparation: () => Promise<T>): Promise<T> {
    return this.#guarded(preparation);
  }

  /** Sends the request and waits for the head of the answer. */
  async open(options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
    const response = await this.#guarded(
      () =>
        new Promise<IncomingMessage>((resolve, reject) => {
          const send = options.protocol === 'https:' ? httpsRequest : httpRequest;
          const request = send(options, resolve);
          this.#request = request;
          // Stays for as long as the request does: an error that comes later is told by the answer's stream, too.
          request.on('error', reject);
          request.once('socket', (socket) => {
            this.#noteSent(socket);
          });
          request.end(body);
        }),
    );
    this.#response = response;
    return response;
  }

  /** The answer's bytes as they come; the next ones are not read before the caller asks for them. */
  async *chunks(response: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
    const source = response[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
    for (;;) {
      const next = await this.#guarded(() => source.next());
      if (next.done === true) return;
      this.#heardMs = this.#clock.nowMs();
      yield next.value;
    }
  }

  /** The whole answer, put into `room` in place of what was there. */
  async read(response: IncomingMessage, maxBytes: number, room = new ByteRoom()): Promise<Buffer> {
    room.clear();
    // By events: an answer mostly comes in one piece, and an iterator would cost more than everything else about it.
    const fits = await this.#guarded(
      () =>
        new Promise<boolean>((resolve, reject) => {
          response.on('data', (chunk: Buffer) => {
            if (room.length + chunk.length > maxBytes) resolve(false);
            else room.append(chunk);
          });
          response.once('end', () => {
            resolve(true);
          });
          response.once('error', reject);
        }),
    );
    if (!fits) throw this.oversized(`answer of more than ${maxBytes} bytes`);
    return room.bytes;
  }

  /** Must be called in the end; a connection whose answer was not read to its end is closed. */
  close(): void {
    this.#cancelTimer?.();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (this.#response?.readableEnded !== true) this.#destroy();
  }

  oversized(what: string): ExchangeFailure {
    return new ExchangeFailure({
      kind: 'oversized',
      message: `${this.#subject}: ${what}`,
      ambiguous: this.#sent,
    });
  }

  unreadable(what: string): ExchangeFailure {
    return new ExchangeFailure({
      kind: 'transport',
      message: `${this.#subject}: ${what}`,
      ambiguous: this.#sent,
    });
  }

  /** Runs one step, which fails at once when the exchange is cut short. */
  async #guarded<T>(step: () => Promise<T>): Promise<T> {
    if (this.#cut !== undefined) throw this.#failure(undefined);
    const cut = new Promise<never>((_, reject) => {
      this.#onCut = () => {
        reject(new Error('cut short'));
      };
    });
    try {
      return await Promise.race([step(), cut]);
    } catch (error) {
      throw this.#failure(error);
    } finally {
      this.#onCut = undefined;
    }
  }

  #failure(error: unknown): ExchangeFailure {
    const ambiguous = this.#sent;
    if (this.#cut !== undefined) return new ExchangeFailure({ ...this.#cut, ambiguous });
    const code = errorCode(error);
    return new ExchangeFailure({
      kind: 'transport',
      ...(code === undefined ? {} : { code }),
      message: `${this.#subject}: ${errorText(error)}`,
      ambiguous,
    });
  }

  #cutShort(cut: Cut): void {
    if (this.#cut !== undefined) return;
    this.#cut = cut;
    this.#onCut?.();
    this.#destroy();
  }

  #destroy(): void {
    // The answer first: destroyed with its reader gone, it must not report an error that nobody listens to.
    this.#response?.on('error', () => undefined);
    this.#response?.destroy();
    this.#request?.destroy();
  }

  /** A pooled connection takes the request at once; a new one only after its last handshake. */
  #noteSent(socket: Socket): void {
    const note = () => {
      this.#sent = true;
    };
    if (!socket.connecting) note();
    else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', note);
  }
}
