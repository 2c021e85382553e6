/**
 * An API server that does nothing by itself: every request waits until the test that expects it takes it and answers,
 * in parts and with faults if it likes. Real HTTP on a free port of the loopback, so that what breaks in these tests
 * is what breaks on a network.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type PeerCertificate, TLSSocket } from 'node:tls';

export interface StatusFields {
  readonly reason?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that waits for the test to answer it. */
export class PendingRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** As it was sent. */
  readonly body: string;
  /** The client's port, which tells connections apart. */
  readonly port: number;
  /** The common name in the client's certificate, where it showed one. */
  readonly certificateName: string | undefined;
  /** Resolves when the exchange is over on this side: answered, or given up by the client. */
  readonly closed: Promise<void>;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse, body: string) {
    const url = new URL(request.url ?? '/', 'http://test');
    this.method = request.method ?? '';
    this.path = url.pathname;
    this.query = url.searchParams;
    this.headers = request.headers;
    this.body = body;
    this.port = request.socket.remotePort ?? 0;
    this.certificateName = certificateNameOf(request.socket);
    this.#response = response;
    this.closed = new Promise((resolve) => {
      response.once('close', resolve);
    });
  }

  json(value: unknown, status = 200): void {
    this.text(JSON.stringify(value), { status, contentType: 'application/json' });
  }

  text(body: string, { status = 200, contentType = 'text/plain' } = {}): void {
    this.#response.writeHead(status, { 'content-type': contentType }).end(body);
  }

  /** Refuses with a `Status` object. */
  refuse(
    status: number,
    { reason = '', message = 'refused by the test', headers = {} }: StatusFields = {},
  ): void {
    const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: status, reason, message };
    this.#response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body));
  }

  /** Answers with a page of a list; with `continueToken` it is not the last one. */
  page(items: readonly unknown[], { resourceVersion = '1', continueToken = '' } = {}): void {
    const metadata = { resourceVersion, ...(continueToken === '' ? {} : { continue: continueToken }) };
    this.json({ kind: 'List', apiVersion: 'v1', metadata, items });
  }

  /** Agrees to a watch. */
  watch(): WatchStream {
    this.#response.writeHead(200, { 'content-type': 'application/json' });
    this.#response.flushHeaders();
    return new WatchStream(this.#response, this.closed);
  }

  /** Sends the head of an answer and part of its body, and no more. */
  begin(part: string): void {
    this.#response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
    this.#response.write(part);
  }

  /** Breaks the connection. */
  cut(): void {
    this.#response.destroy();
  }
}

/** The answer to a watch, written by the test event by event. */
export class WatchStream {
  readonly closed: Promise<void>;
  readonly #response: ServerResponse;

  constructor(response: ServerResponse, closed: Promise<void>) {
    this.#response = response;
    this.closed = closed;
  }

  send(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): void {
    this.line(JSON.stringify({ type, object }));
  }

  bookmark(resourceVersion: string): void {
    this.line(JSON.stringify({ type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion } } }));
  }

  error(code: number, message = 'ended by the test'): void {
    this.line(JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, message } }));
  }

  line(text: string): void {
    this.raw(`${text}\n`);
  }

  /** Bytes as they are, in a chunk of their own. */
  raw(bytes: string | Buffer): void {
    this.#response.write(bytes);
  }

  /** Ends the watch as a server does when its time is over. */
  end(): void {
    this.#response.end();
  }

  /** Breaks the connection. */
  cut(): void {
    this.#response.destroy();
  }
}

interface Expectation {
  readonly path: string | undefined;
  readonly resolve: (request: PendingRequest) => void;
}

export class ApiServer {
  readonly url: string;
  readonly #server: Server;
  readonly #arrived: PendingRequest[] = [];
  readonly #expected: Expectation[] = [];

  private constructor(server: Server, protocol: 'http' | 'https') {
    this.#server = server;
    this.url = `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.#arrive(new PendingRequest(request, response, Buffer.concat(chunks).toString('utf8')));
      });
    });
  }

  /** With TLS options, the server speaks HTTPS. */
  static async start(tls?: ServerOptions): Promise<ApiServer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return new ApiServer(server, tls === undefined ? 'http' : 'https');
  }

  /** Requests that have arrived and that no test has taken. */
  get waiting(): number {
    return this.#arrived.length;
  }

  /** The oldest request not yet taken, of this path if one is named; waits for it if need be. */
  next(path?: string): Promise<PendingRequest> {
    const place = this.#arrived.findIndex((request) => path === undefined || request.path === path);
    const [request] = place < 0 ? [] : this.#arrived.splice(place, 1);
    if (request !== undefined) return Promise.resolve(request);
    return new Promise((resolve) => {
      this.#expected.push({ path, resolve });
    });
  }

  /** Breaks all connections. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  #arrive(request: PendingRequest): void {
    const place = this.#expected.findIndex(({ path }) => path === undefined || path === request.path);
    const [expectation] = place < 0 ? [] : this.#expected.splice(place, 1);
    if (expectation === undefined) this.#arrived.push(request);
    else expectation.resolve(request);
  }
}

function certificateNameOf(socket: unknown): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  // Without a certificate, this is an empty object.
  const { subject } = socket.getPeerCertificate() as Partial<PeerCertificate>;
  return typeof subject?.CN === 'string' ? subject.CN : undefined;
}
