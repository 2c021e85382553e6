/**
 * Stands between a server and the API server and makes calls go wrong, as the dice say: late, lost on their way there or
 * back, refused, or refused and carried out all the same. Watches break off between any two bytes. At a named step of a
 * bind it can stop a call, so that the server's process is killed just there. It never alters what a call says.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as forward, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { issueAuthority, issueLeaf } from '../../../src/certificates/issue.ts';
import type { RestRequest } from '../../../src/kubernetes/rest-client.ts';
import { type ApiStep, apiStepOf } from '../../faults/bind-steps.ts';
import type { FaultDice } from '../../faults/fault-dice.ts';
import { answerUnder, isCarriedOut, type RequestFault } from '../../faults/request-faults.ts';
import type { Cluster } from './cluster.ts';
import { kubeconfigText } from './kubeconfig.ts';

export interface CallPoint {
  readonly step: ApiStep;
  /** `sent`: under way to the API server; `committed`: carried out, and its answer is under way. */
  readonly moment: 'sent' | 'committed';
}

/** A call that is to be stopped at a point. */
export interface Stop {
  readonly isReached: boolean;
  /** It goes on: what was sent arrives, whoever is still there to hear the answer. */
  letGo(): void;
}

export interface FaultyApiOptions {
  readonly dice: FaultDice;
  /** Uniform in [0, 1): how long slow calls take, and where watches break off. */
  readonly random: () => number;
  /** Of what watches bring, piece by piece, the share at which they break off. */
  readonly cutRate: number;
}

interface Halt {
  readonly point: CallPoint;
  readonly reach: () => void;
  readonly gone: Promise<void>;
}

const longestSlowMs = 1500;
/** A connection that says nothing breaks at last; longer than a bind waits for any answer. */
const longestSilenceMs = 5000;
/** How long a call whose caller has given up may still lie about. */
const longestLateMs = 2000;

export class FaultyApi {
  readonly #cluster: Cluster;
  readonly #options: FaultyApiOptions;
  readonly #server: Server;
  readonly #ca: string;
  readonly #agent = new Agent({ keepAlive: true });
  #halt: Halt | undefined;

  private constructor(cluster: Cluster, options: FaultyApiOptions, server: Server, ca: string) {
    this.#cluster = cluster;
    this.#options = options;
    this.#server = server;
    this.#ca = ca;
    server.on('request', (asked: IncomingMessage, answer: ServerResponse) => {
      // A side that went away ends the other.
      this.#pass(asked, answer).catch(() => answer.destroy());
    });
  }

  /** Ends with the cluster. */
  static async start(cluster: Cluster, options: FaultyApiOptions): Promise<FaultyApi> {
    const nowMs = Date.now();
    const authority = await issueAuthority({ commonName: 'faulty-api', validDays: 1, nowMs });
    const leaf = await issueLeaf({ authority, names: ['127.0.0.1'], validDays: 1, nowMs });
    if (!leaf.ok) throw new Error(leaf.problem);
    const server = createServer({ cert: leaf.value.certificate, key: leaf.value.key });
    // Only the dice close connections.
    server.keepAliveTimeout = 0;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const api = new FaultyApi(cluster, options, server, authority.certificate);
    cluster.onStop(async () => {
      api.#agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
    return api;
  }

  /** A kubeconfig file for a service account, by way of here. */
  async kubeconfig(namespace: string, account: string): Promise<string> {
    const token = (await this.#cluster.kubectl(['create', 'token', account, '-n', namespace])).trim();
    const { port } = this.#server.address() as AddressInfo;
    const text = kubeconfigText(`https://127.0.0.1:${port}`, this.#ca, { name: account, token });
    return this.#cluster.folder.write('faulty.kubeconfig', text);
  }

  /** The next call of this step stops at this moment, whatever the dice say. */
  stopAt(point: CallPoint): Stop {
    const stop = { isReached: false, letGo: (): void => undefined };
    const gone = new Promise<void>((resolve) => {
      stop.letGo = resolve;
    });
    this.#halt = { point, reach: () => (stop.isReached = true), gone };
    return stop;
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await buffer(asked);
    const request = requestOf(asked, body);
    if (request.query?.['watch'] !== undefined) {
      await this.#watch(await this.#send(asked, body), answer);
      return;
    }
    const halt = this.#takeHalt(request);
    const fault = halt === undefined ? this.#options.dice.faultOf(request) : undefined;
    if (halt?.point.moment === 'sent') await stand(halt);
    await this.#delay(fault, answer);
    if (!isCarriedOut(fault)) {
      await refuse(fault, answer);
      return;
    }
    const received = await this.#send(asked, body);
    const read = await buffer(received);
    if (halt?.point.moment === 'committed') await stand(halt);
    if (fault === undefined || fault === 'slow') {
      answer.writeHead(received.statusCode ?? 500, received.headers).end(read);
    } else await refuse(fault, answer);
  }

  async #send({ method, url = '', headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const onward = forward(this.#cluster.url + url, {
      method,
      agent: this.#agent,
      ca: this.#cluster.ca,
      headers: { ...headers, 'content-length': body.length },
    });
    // Not before it is sent: what was stopped arrives although its sender is dead.
    onward.end(body);
    const [received] = (await once(onward, 'response')) as [IncomingMessage];
    return received;
  }

  async #watch(received: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { dice, random, cutRate } = this.#options;
    answer.writeHead(received.statusCode ?? 500, received.headers);
    answer.flushHeaders();
    await pipeline(
      received,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          if (!dice.isArmed || random() >= cutRate) {
            yield chunk;
            continue;
          }
          dice.count('watch-cut');
          yield chunk.subarray(0, Math.floor(random() * chunk.length));
          throw new Error('the watch is cut');
        }
      },
      answer,
    );
  }

  async #delay(fault: RequestFault | undefined, answer: ServerResponse): Promise<void> {
    const { random } = this.#options;
    if (fault === 'slow') await pause(random() * longestSlowMs);
    if (fault === 'late-commit') {
      await silence(answer);
      await pause(random() * longestLateMs);
    }
  }

  #takeHalt(request: RestRequest): Halt | undefined {
    const halt = this.#halt;
    if (halt === undefined || halt.point.step !== apiStepOf(request)) return undefined;
    this.#halt = undefined;
    return halt;
  }
}

/** As the server's client was asked for it. */
function requestOf({ method = '', url = '' }: IncomingMessage, body: Buffer): RestRequest {
  const { pathname, searchParams } = new URL(url, 'https://api.invalid');
  const decoded: unknown = body.length === 0 ? undefined : JSON.parse(body.toString('utf8'));
  const query = Object.fromEntries(searchParams);
  return { method, path: pathname, query, body: decoded, timeoutMs: Infinity } as RestRequest;
}

/** Lets the caller know what the fault leaves of an answer. */
async function refuse(fault: RequestFault | undefined, answer: ServerResponse): Promise<void> {
  const seen = answerUnder(fault, { kind: 'transport', message: 'no answer', ambiguous: true });
  if (seen === 'never') await silence(answer);
  if (seen === 'never' || seen.kind !== 'status') {
    answer.destroy();
    return;
  }
  const { status, reason, message, retryAfterMs } = seen;
  if (retryAfterMs !== undefined) answer.setHeader('retry-after', retryAfterMs / 1000);
  answer.writeHead(status, { 'content-type': 'application/json' });
  answer.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', code: status, reason, message }));
}

/** Until the caller gives up, or its connection breaks at last. */
async function silence(answer: ServerResponse): Promise<void> {
  if (answer.closed) return;
  const signal = AbortSignal.timeout(longestSilenceMs);
  // It rejects when that time is over.
  await once(answer, 'close', { signal }).catch(() => undefined);
}

async function stand({ reach, gone }: Halt): Promise<void> {
  reach();
  await gone;
}
