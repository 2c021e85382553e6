/**
 * A small client of the Kubernetes REST API over Node's own HTTP: single requests, and streams of lines for watches.
 * It never retries, follows no redirect and never throws for what the network or the server does: the result says how
 * it went, and the caller decides. It knows no resource types and does not depend on the big client library.
 */
import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import type { Clock } from '../model/clock.ts';
import type { ApiAccess } from './api-access.ts';
import { ByteRoom } from './byte-room.ts';
import { Exchange, ExchangeFailure } from './exchange.ts';
import { LineSplitter } from './line-splitter.ts';
import { refusalOf, type RestFailure, type RestResult } from './rest-result.ts';
import { type Shape, Skimmer } from './skim.ts';

export type PatchType =
  'application/json-patch+json' | 'application/merge-patch+json' | 'application/strategic-merge-patch+json';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Target {
  /** Absolute, its segments encoded, e.g. `/api/v1/nodes/n1`. */
  readonly path: string;
  readonly query?: Query;
  /** The only parts of the answer, or of its lines, that are read where it is JSON; all where left out. */
  readonly shape?: Shape;
  readonly signal?: AbortSignal;
}

export type RestRequest = Target & {
  readonly body?: unknown;
  /** For the whole exchange, the answer's last byte included. */
  readonly timeoutMs: number;
} & (
    | { readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'; readonly contentType?: string }
    /** The server's default is JSON Patch, which is never what one forgot to say. */
    | { readonly method: 'PATCH'; readonly contentType: PatchType }
  );

export interface StreamRequest extends Target {
  /** Until the head of the answer. */
  readonly openTimeoutMs: number;
  /** The longest time without a single byte; then the connection counts as lost. */
  readonly silenceMs: number;
  /** Called once, when the server has agreed to the stream. */
  readonly onOpen?: () => void;
  /** Called per line, in order; the next chunk is read after it. `false` ends the stream. */
  readonly onLine: (line: string) => boolean;
}

export type StreamEnd =
  /** By the server; `cutLine` tells that it stopped in the middle of a line, which is not handed out. */
  | { readonly kind: 'ended'; readonly cutLine: boolean }
  /** By `onLine`. */
  | { readonly kind: 'stopped' }
  | RestFailure;

export interface RestClientOptions {
  readonly access: ApiAccess;
  readonly clock: Clock;
  /** Of Tessera, for the user agent. */
  readonly version: string;
  /** The largest answer, and the longest line of a stream; 64 MiB where left out. */
  readonly maxBytes?: number;
}

/** Idle connections are closed before servers do it (90 s in the API server), so that no write meets a closed one. */
const idleConnectionMs = 30_000;
/** First TCP probe of a silent connection; a peer that is gone is noticed some ten seconds later. */
const keepAliveProbeMs = 15_000;
const mostConnections = 128;
const mebibyte = 1024 * 1024;

export class RestClient {
  readonly #access: ApiAccess;
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #maxBytes: number;
  readonly #target: Pick<RequestOptions, 'protocol' | 'hostname' | 'port'>;
  /** In front of every path. */
  readonly #prefix: string;
  readonly #agent: HttpAgent;
  readonly #skimmer = new Skimmer();
  /** For the next answer that has a shape, as the large ones have; undefined while one is read into it. */
  #room: ByteRoom | undefined;

  constructor({ access, clock, version, maxBytes = 64 * mebibyte }: RestClientOptions) {
    this.#access = access;
    this.#clock = clock;
    this.#userAgent = `tessera/${version}`;
    this.#maxBytes = maxBytes;
    const base = new URL(access.server);
    const { protocol, hostname, port } = urlToHttpOptions(base);
    this.#target = { protocol: protocol ?? 'https:', hostname, port };
    this.#prefix = base.pathname.replace(/\/$/, '');
    const pooling = {
      keepAlive: true,
      keepAliveMsecs: keepAliveProbeMs,
      timeout: idleConnectionMs,
      maxSockets: mostConnections,
    };
    this.#agent = base.protocol === 'https:' ? new HttpsAgent(pooling) : new HttpAgent(pooling);
  }

  /** One request. A 401 makes the next one use fresh credentials. */
  async request(request: RestRequest): Promise<RestResult> {
    const exchange = this.#exchange(request.method, request);
    exchange.limitTime(request.timeoutMs);
    const room = this.#roomFor(request);
    const result = await failuresAsResults(exchange, async () => {
      const response = await this.#open(exchange, request);
      const bytes = await exchange.read(response, this.#maxBytes, room);
      const status = response.statusCode ?? 0;
      if (status < 200 || status > 299) return this.#refusal(response, decoded(response, bytes));
      const body = decoded(response, bytes, (json) => this.#textOf(json, request.shape));
      if (body === undefined) throw exchange.unreadable('the answer is not the JSON it claims to be');
      return { kind: 'ok', status, body } as const;
    });
    if (request.shape !== undefined) this.#room = room;
    return result;
  }

  /** A GET whose answer is lines without end. Resolves when the stream has ended and its connection is given up. */
  async stream(request: StreamRequest): Promise<StreamEnd> {
    const exchange = this.#exchange('GET', request);
    exchange.limitTime(request.openTimeoutMs);
    return failuresAsResults<StreamEnd>(exchange, async () => {
      const response = await this.#open(exchange, { ...request, method: 'GET' });
      if (response.statusCode !== 200) {
        const bytes = await exchange.read(response, this.#maxBytes);
        return this.#refusal(response, decoded(response, bytes));
      }
      response.socket.setKeepAlive(true, keepAliveProbeMs);
      exchange.limitSilence(request.silenceMs);
      request.onOpen?.();
      const splitter = new LineSplitter(this.#maxBytes);
      for await (const chunk of exchange.chunks(response)) {
        for (const line of linesOf(splitter, chunk, exchange)) {
          if (!request.onLine(this.#textOf(line, request.shape))) return { kind: 'stopped' };
        }
      }
      return { kind: 'ended', cutLine: splitter.heldBytes > 0 };
    });
  }

  /** Closes all connections; requests under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  #roomFor({ shape }: Target): ByteRoom {
    const room = shape === undefined ? undefined : this.#room;
    if (room !== undefined) this.#room = undefined;
    return room ?? new ByteRoom();
  }

  /** JSON cut to its shape; what is no JSON is left to its reader. */
  #textOf(bytes: Buffer, shape: Shape = 'whole'): string {
    return this.#skimmer.skim(bytes, shape) ?? bytes.toString('utf8');
  }

  #exchange(method: string, { path, signal }: Target): Exchange {
    return new Exchange({
      subject: `${method} ${path}`,
      clock: this.#clock,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #open(
    exchange: Exchange,
    request: Target & { method: string; body?: unknown; contentType?: string },
  ): Promise<IncomingMessage> {
    const { headers, tls, agent } = await exchange.prepare(() => this.#access.authorize());
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    return exchange.open(
      {
        ...this.#target,
        path: `${this.#prefix}${request.path}${queryText(request.query)}`,
        method: request.method,
        agent: agent ?? this.#agent,
        ...tls,
        headers: {
          ...headers,
          accept: 'application/json',
          'user-agent': this.#userAgent,
          ...(body === undefined
            ? {}
            : {
                'content-type': request.contentType ?? 'application/json',
                'content-length': Buffer.byteLength(body),
              }),
        },
      },
      body,
    );
  }

  #refusal(response: IncomingMessage, body: unknown): RestFailure {
    const status = response.statusCode ?? 0;
    if (status === 401) this.#access.renew();
    return refusalOf(status, response.headers, body);
  }
}

/** Runs the steps of an exchange and closes it. What the network did becomes the result; a bug still throws. */
async function failuresAsResults<T>(exchange: Exchange, steps: () => Promise<T>): Promise<T | RestFailure> {
  try {
    return await steps();
  } catch (error) {
    if (error instanceof ExchangeFailure) return error.failure;
    throw error;
  } finally {
    exchange.close();
  }
}

function* linesOf(splitter: LineSplitter, chunk: Buffer, exchange: Exchange): Iterable<Buffer> {
  try {
    yield* splitter.push(chunk);
  } catch (error) {
    if (error instanceof RangeError) throw exchange.oversized(error.message);
    throw error;
  }
}

function queryText(query: Query | undefined): string {
  if (query === undefined) return '';
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.append(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

/** JSON where the answer says so, else text; undefined when it says so and is not. */
function decoded(
  response: IncomingMessage,
  bytes: Buffer,
  textOf: (json: Buffer) => string = (json) => json.toString('utf8'),
): unknown {
  if (!/\bjson\b/.test(response.headers['content-type'] ?? '')) return bytes.toString('utf8');
  try {
    return JSON.parse(textOf(bytes));
  } catch {
    return undefined;
  }
}
