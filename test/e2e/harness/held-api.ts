/**
 * Stands between one server and the API server and can stop at a request: before it goes on, as a write that is long on
 * its way, or when it is done and its answer is not yet there. So a test can stop the server's process between any two
 * steps, and let the step take effect as late as it likes.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as forward, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { issueAuthority, issueLeaf } from '../../../src/certificates/issue.ts';
import type { Cluster } from './cluster.ts';
import { kubeconfigText } from './kubeconfig.ts';

export interface PausePoint {
  readonly method: string;
  readonly path: RegExp;
  /** Whether the request waits, or its answer. */
  readonly held: 'request' | 'answer';
}

export interface Hold {
  /** Resolves when such a request is there, or its answer. */
  readonly reached: Promise<void>;
  /** It goes on. May be called twice. */
  letGo(): void;
}

interface Waiting {
  readonly point: PausePoint;
  readonly reach: () => void;
  readonly gone: Promise<void>;
}

export class HeldApi {
  readonly #cluster: Cluster;
  readonly #server: Server;
  readonly #ca: string;
  readonly #agent = new Agent({ keepAlive: true });
  #waiting: Waiting | undefined;

  private constructor(cluster: Cluster, server: Server, ca: string) {
    this.#cluster = cluster;
    this.#server = server;
    this.#ca = ca;
    server.on('request', (asked: IncomingMessage, answer: ServerResponse) => {
      // A side that went away ends the other.
      this.#pass(asked, answer).catch(() => answer.destroy());
    });
  }

  /** Ends with the cluster. */
  static async start(cluster: Cluster): Promise<HeldApi> {
    const nowMs = Date.now();
    const authority = await issueAuthority({ commonName: 'held-api', validDays: 1, nowMs });
    const leaf = await issueLeaf({ authority, names: ['127.0.0.1'], validDays: 1, nowMs });
    if (!leaf.ok) throw new Error(leaf.problem);
    const server = createServer({ cert: leaf.value.certificate, key: leaf.value.key });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const held = new HeldApi(cluster, server, authority.certificate);
    cluster.onStop(async () => {
      held.#agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
    return held;
  }

  /** A kubeconfig file for a service account, by way of here. */
  async kubeconfig(namespace: string, account: string, file: string): Promise<string> {
    const token = (await this.#cluster.kubectl(['create', 'token', account, '-n', namespace])).trim();
    const { port } = this.#server.address() as AddressInfo;
    const url = `https://127.0.0.1:${port}`;
    return this.#cluster.folder.write(file, kubeconfigText(url, this.#ca, { name: account, token }));
  }

  /** Stops at the next request of this kind, once. */
  hold(point: PausePoint): Hold {
    let letGo: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      this.#waiting = { point, reach: resolve, gone };
    });
    return { reached, letGo };
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = asked;
    const held = this.#take(method, url);
    const body = await buffer(asked);
    if (held?.point.held === 'request') await stopAt(held);
    const onward = forward(this.#cluster.url + url, {
      method,
      agent: this.#agent,
      ca: this.#cluster.ca,
      headers: { ...headers, 'content-length': body.length },
    });
    // Not before it is sent: what was held arrives although its sender has given up.
    onward.end(body);
    const [received] = (await once(onward, 'response')) as [IncomingMessage];
    if (held?.point.held === 'answer') {
      const read = await buffer(received);
      await stopAt(held);
      answer.writeHead(received.statusCode ?? 500, received.headers).end(read);
      return;
    }
    answer.writeHead(received.statusCode ?? 500, received.headers);
    answer.flushHeaders();
    pipeline(received, answer, () => undefined);
  }

  #take(method: string, url: string): Waiting | undefined {
    const waiting = this.#waiting;
    if (waiting?.point.method !== method || !waiting.point.path.test(url)) return undefined;
    this.#waiting = undefined;
    return waiting;
  }
}

async function stopAt({ reach, gone }: Waiting): Promise<void> {
  reach();
  await gone;
}
