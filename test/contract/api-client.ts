/**
 * A plain HTTP client of a Kubernetes API, so that what the suite says about a server does not depend on any client
 * library. A watch hands out its events one by one; waiting for one that never comes fails the test by its time-out.
 */
import {
  Agent as HttpAgent,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** How to reach a server, and the one thing that its API cannot be asked for. */
export interface Connection {
  /** e.g. `https://127.0.0.1:6443` */
  readonly baseUrl: string;
  /** Sent with every request, e.g. a bearer token. */
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM of the authority that signed the server's certificate. */
  readonly authority?: string;
  /** PEM of a client certificate. */
  readonly client?: { readonly certificate: string; readonly key: string };
  /**
   * Makes every earlier version of config maps too old for lists and watches. On a real server: compact etcd at the
   * current revision, with the watch cache off for them (`--watch-cache-sizes=configmaps#0`).
   */
  forgetHistory(): Promise<void>;
  close(): Promise<void>;
}

export type Json = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Parsed JSON; the text where it is none. */
  readonly body: Json;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Json;
}

export interface SendOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}

export class ApiClient {
  readonly #connection: Connection;
  readonly #agent: HttpAgent;
  readonly #watches = new Set<Watch>();

  constructor(connection: Connection) {
    this.#connection = connection;
    const { baseUrl, authority, client } = connection;
    this.#agent = baseUrl.startsWith('https:')
      ? new HttpsAgent({
          keepAlive: true,
          ...(authority === undefined ? {} : { ca: authority }),
          ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
        })
      : new HttpAgent({ keepAlive: true });
  }

  async send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const response = await this.#request(method, path, options);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    let body: Json;
    try {
      body = JSON.parse(text) as Json;
    } catch {
      body = { text };
    }
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  }

  /** Opens a watch; resolves when the server has begun to answer. */
  async watch(path: string, options: SendOptions = {}): Promise<Watch> {
    const watch = new Watch(await this.#request('GET', path, options));
    this.#watches.add(watch);
    return watch;
  }

  forgetHistory(): Promise<void> {
    return this.#connection.forgetHistory();
  }

  async close(): Promise<void> {
    for (const watch of this.#watches) watch.close();
    this.#agent.destroy();
    await this.#connection.close();
  }

  #request(
    method: string,
    path: string,
    { body, contentType, accept }: SendOptions,
  ): Promise<IncomingMessage> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const options: RequestOptions = {
      method,
      agent: this.#agent,
      headers: {
        ...this.#connection.headers,
        accept: accept ?? 'application/json',
        ...(text === undefined
          ? {}
          : {
              'content-type': contentType ?? 'application/json',
              // Node frames the body of a DELETE only when it is told the length.
              'content-length': Buffer.byteLength(text),
            }),
      },
    };
    const url = new URL(path, this.#connection.baseUrl);
    return new Promise((resolve, reject) => {
      const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
      open(url, options, resolve).on('error', reject).end(text);
    });
  }
}

export class Watch {
  readonly status: number;
  readonly #response: IncomingMessage;
  readonly #events: WatchEvent[] = [];
  #waiting: ((event: WatchEvent | undefined) => void) | undefined;
  #rest = '';
  #ended = false;

  constructor(response: IncomingMessage) {
    this.status = response.statusCode ?? 0;
    this.#response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.#read(text);
    });
    for (const end of ['end', 'close', 'error']) {
      response.on(end, () => {
        this.#ended = true;
        this.#waiting?.(undefined);
        this.#waiting = undefined;
      });
    }
  }

  /** The next event, or undefined once the stream has ended. */
  next(): Promise<WatchEvent | undefined> {
    const event = this.#events.shift();
    if (event !== undefined || this.#ended) return Promise.resolve(event);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** The events up to and with the first for which `isLast` holds, or up to the end of the stream. */
  async until(isLast: (event: WatchEvent) => boolean): Promise<readonly WatchEvent[]> {
    const events: WatchEvent[] = [];
    for (let event = await this.next(); event !== undefined; event = await this.next()) {
      events.push(event);
      if (isLast(event)) break;
    }
    return events;
  }

  close(): void {
    this.#response.destroy();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as WatchEvent;
      if (this.#waiting === undefined) this.#events.push(event);
      else this.#waiting(event);
      this.#waiting = undefined;
    }
  }
}
