/**
 * A `ClusterModel` behind real HTTP on a free port of the loopback, with faults on demand, and a client that knows
 * which of its requests can still be answered. `drive` moves the clock only when everything waits for it, so a test
 * with time-outs and pauses neither sleeps nor depends on how fast the machine is.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach } from '@jest/globals';
import { RestClient, type RestRequest } from '../../../src/kubernetes/rest-client.ts';
import type { RestResult } from '../../../src/kubernetes/rest-result.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type Answer, type Call, ClusterModel, failure } from './cluster-model.ts';

export type Fault =
  /** Does nothing and answers so. */
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfterSeconds?: number }
  /** Does it, and answers as a server that cannot tell. */
  | { readonly kind: 'answerAfterCommit'; readonly status: number }
  | { readonly kind: 'dropBeforeCommit' }
  | { readonly kind: 'dropAfterCommit' }
  /** Does nothing and never answers. */
  | { readonly kind: 'silentBeforeCommit' }
  | { readonly kind: 'silentAfterCommit' }
  /** Never answers, and does it when the promise resolves. */
  | { readonly kind: 'late'; readonly until: Promise<unknown>; readonly dropped?: boolean }
  /** Does it and answers when the promise resolves. */
  | { readonly kind: 'held'; readonly until: Promise<unknown> }
  /** Does it and answers with these bytes. */
  | { readonly kind: 'text'; readonly text: string };

type FaultRule = (call: Call) => Fault | undefined;

export class TestCluster {
  readonly model = new ClusterModel();
  readonly clock: ManualClock;
  readonly client: RestClient;
  /** Every request that arrived, in order. */
  readonly calls: Call[] = [];
  /** Asked for every request; the first fault of a rule in `fail` goes before it. */
  faultOf: FaultRule = () => undefined;
  readonly #server: Server;
  readonly #rules = new Set<FaultRule>();
  /** Requests that the client waits for, by number. */
  readonly #waiting = new Set<string>();
  /** Those of them that will not be answered, or not before the test does something. */
  readonly #stalled = new Set<string>();
  #arrivals: (() => void)[] = [];

  private constructor(server: Server, clock: ManualClock) {
    this.#server = server;
    this.clock = clock;
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.client = new TrackedClient(url, clock, this.#waiting);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        // Its faults are part of the test; a bug in here ends the connection and fails it.
        void this.#serve(request, response, Buffer.concat(chunks).toString('utf8'));
      });
    });
  }

  static async start(clock: ManualClock): Promise<TestCluster> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return new TestCluster(server, clock);
  }

  async close(): Promise<void> {
    this.client.close();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  /** `METHOD path` of every request, in order. */
  get journal(): readonly string[] {
    return this.calls.map(({ method, path }) => `${method} ${path}`);
  }

  /** The bodies sent with one kind of request, e.g. `POST /binding`: the method, and how the path ends. */
  bodies(what: string): readonly unknown[] {
    const [method, end = ''] = what.split(' ');
    return this.calls
      .filter((call) => call.method === method && call.path.endsWith(end))
      .map(({ body }) => body);
  }

  /** The next requests of a method whose path ends so meet with a fault. */
  fail(what: string, fault: Fault, times = 1): void {
    const [method, end = ''] = what.split(' ');
    let left = times;
    const rule = (call: Call) => {
      if (call.method !== method || !call.path.endsWith(end)) return undefined;
      left -= 1;
      if (left === 0) this.#rules.delete(rule);
      return fault;
    };
    this.#rules.add(rule);
  }

  /** Resolves when a number of requests has arrived in all. */
  async arrived(count: number): Promise<void> {
    while (this.calls.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrivals.push(resolve);
      });
    }
  }

  /** Lets go on what can go on without the clock. */
  async idle(): Promise<void> {
    do await setImmediate();
    while ([...this.#waiting].some((id) => !this.#stalled.has(id)));
    await setImmediate();
  }

  /** Moves the clock on in small steps, and only when nothing else can go on, until the promise is settled. */
  async drive<T>(promise: Promise<T>, mostMs = 600_000): Promise<T> {
    const progress = { settled: false };
    const end = () => {
      progress.settled = true;
    };
    // The caller gets the promise itself; here it counts only that it is settled.
    void promise.then(end, end);
    const untilMs = this.clock.nowMs() + mostMs;
    await this.idle();
    while (!progress.settled) {
      if (this.clock.nowMs() > untilMs) throw new Error(`not settled within ${mostMs} ms of the clock`);
      this.clock.advance(50);
      await this.idle();
    }
    return promise;
  }

  async #serve(request: IncomingMessage, response: ServerResponse, text: string): Promise<void> {
    const call: Call = {
      method: request.method ?? '',
      path: request.url ?? '',
      contentType: request.headers['content-type'] ?? '',
      body: text === '' ? undefined : JSON.parse(text),
    };
    this.calls.push(call);
    for (const resolve of this.#arrivals.splice(0)) resolve();
    const fault = this.#faultFor(call);
    if (fault === undefined) {
      send(response, this.model.handle(call));
      return;
    }
    const stall = () => this.#stalled.add(String(request.headers['x-request']));
    switch (fault.kind) {
      case 'answer':
        send(response, failure(fault.status, 'Fault', 'asked for by the test'), fault.retryAfterSeconds);
        break;
      case 'answerAfterCommit':
        this.model.handle(call);
        send(response, failure(fault.status, 'Fault', 'asked for by the test'));
        break;
      case 'dropAfterCommit':
        this.model.handle(call);
        response.destroy();
        break;
      case 'dropBeforeCommit':
        response.destroy();
        break;
      case 'silentAfterCommit':
        this.model.handle(call);
        stall();
        break;
      case 'silentBeforeCommit':
        stall();
        break;
      case 'late':
        if (fault.dropped === true) response.destroy();
        else stall();
        await fault.until;
        this.model.handle(call);
        break;
      case 'held':
        stall();
        await fault.until;
        this.#stalled.delete(String(request.headers['x-request']));
        send(response, this.model.handle(call));
        break;
      case 'text':
        this.model.handle(call);
        response.writeHead(200, { 'content-type': 'application/json' }).end(fault.text);
        break;
    }
  }

  #faultFor(call: Call): Fault | undefined {
    for (const rule of this.#rules) {
      const fault = rule(call);
      if (fault !== undefined) return fault;
    }
    return this.faultOf(call);
  }
}

/** Numbers its requests, so that the server can tell which ones it leaves without an answer. */
class TrackedClient extends RestClient {
  readonly #waiting: Set<string>;
  readonly #begin: () => string;

  constructor(server: string, clock: ManualClock, waiting: Set<string>) {
    let count = 0;
    super({
      access: {
        server,
        // Asked for by each request in the same synchronous step that began it.
        authorize: () => Promise.resolve({ headers: { 'x-request': String(count) }, tls: {} }),
        renew: () => undefined,
      },
      clock,
      version: 'test',
    });
    this.#waiting = waiting;
    this.#begin = () => {
      count += 1;
      return String(count);
    };
  }

  override async request(request: RestRequest): Promise<RestResult> {
    const id = this.#begin();
    this.#waiting.add(id);
    try {
      return await super.request(request);
    } finally {
      this.#waiting.delete(id);
    }
  }
}

/** For a test file: starts clusters that are closed after each test. */
export function testClusters(): () => Promise<TestCluster> {
  const open: TestCluster[] = [];
  afterEach(async () => {
    for (const cluster of open.splice(0)) await cluster.close();
  });
  return async () => {
    const cluster = await TestCluster.start(new ManualClock());
    open.push(cluster);
    return cluster;
  };
}

function send(response: ServerResponse, { status, body }: Answer, retryAfterSeconds?: number): void {
  const more = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body));
}
