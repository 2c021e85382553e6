/**
 * Stands between kube-scheduler and the extender and writes down what they say to each other, call by call, and how
 * long each of kube-scheduler's connections lived. Unless a test wants to know what another answer would do, it
 * answers what the extender answers; it never closes a connection by itself.
 */
import { once } from 'node:events';
import { Agent, createServer, request as forward, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Cluster } from './cluster.ts';

export interface ExtenderCall {
  readonly verb: 'filter' | 'prioritize' | 'bind' | 'preempt';
  readonly pod: string;
  readonly request: unknown;
  readonly answer: unknown;
  /** Times by `performance.now()`, of the request's arrival and of the answer. */
  readonly startMs: number;
  readonly endMs: number;
}

/** What kube-scheduler is told in place of an answer. */
export type ChangeAnswer = (answer: unknown) => unknown;

export interface Connection {
  /** When its last call was answered. */
  lastCallMs: number;
  /** When kube-scheduler closed it; undefined while it is open. */
  closedMs: number | undefined;
}

export class ExtenderTap {
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #calls: ExtenderCall[] = [];
  readonly #connections = new Map<Socket, Connection>();
  #change: ChangeAnswer = (answer) => answer;

  private constructor(extenderUrl: string) {
    this.#server = createServer((request, response) => {
      this.#pass(extenderUrl, request).then(
        ({ status, text }) => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(text);
        },
        () => response.destroy(),
      );
    });
    this.#server.keepAliveTimeout = 0;
    this.#server.on('connection', (socket) => {
      const connection: Connection = { lastCallMs: performance.now(), closedMs: undefined };
      this.#connections.set(socket, connection);
      socket.on('close', () => (connection.closedMs = performance.now()));
    });
  }

  /** Ends with the cluster. */
  static async start(cluster: Cluster, extenderUrl: string): Promise<ExtenderTap> {
    const tap = new ExtenderTap(extenderUrl);
    tap.#server.listen(0, '127.0.0.1');
    await once(tap.#server, 'listening');
    cluster.onStop(async () => {
      tap.#agent.destroy();
      tap.#server.closeAllConnections();
      tap.#server.close();
      await once(tap.#server, 'close');
    });
    return tap;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Everything said so far, in order of the answers. */
  get calls(): readonly ExtenderCall[] {
    return this.#calls;
  }

  /** All that kube-scheduler has opened so far. */
  get connections(): readonly Connection[] {
    return [...this.#connections.values()];
  }

  /** From now on, until it is set again. */
  changeAnswers(change: ChangeAnswer): void {
    this.#change = change;
  }

  async #pass(extenderUrl: string, request: IncomingMessage): Promise<{ status: number; text: string }> {
    const startMs = performance.now();
    const body = await buffer(request);
    const { method, url = '' } = request;
    const onward = forward(extenderUrl + url, {
      method,
      agent: this.#agent,
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    });
    onward.end(body);
    const [response] = (await once(onward, 'response')) as [IncomingMessage];
    const answer: unknown = JSON.parse((await buffer(response)).toString('utf8'));
    const endMs = performance.now();
    const connection = this.#connections.get(request.socket);
    if (connection !== undefined) connection.lastCallMs = endMs;
    const said = JSON.parse(body.toString('utf8')) as {
      Pod?: { metadata: { name: string } };
      PodName?: string;
    };
    this.#calls.push({
      verb: url.slice(1) as ExtenderCall['verb'],
      pod: said.Pod?.metadata.name ?? said.PodName ?? '',
      request: said,
      answer,
      startMs,
      endMs,
    });
    return { status: response.statusCode ?? 0, text: JSON.stringify(this.#change(answer)) };
  }
}
