/**
 * One process's connections to the API server of the simulated cluster, and the client that stands for the real one.
 * A call takes its time both ways, may meet a fault, and goes on without its caller when that dies. Order is what HTTP
 * and etcd promise and no more: calls may overtake each other, the events of one watch never do.
 */
import type { Express } from 'express';
import { openAccess } from '../../src/kubernetes/api-access.ts';
import {
  RestClient,
  type RestRequest,
  type StreamEnd,
  type StreamRequest,
} from '../../src/kubernetes/rest-client.ts';
import { refusalOf, type RestResult } from '../../src/kubernetes/rest-result.ts';
import { callApp } from './in-process-app.ts';
import { answerUnder, isCarriedOut, type RequestFault } from './request-faults.ts';
import type { SimulatedProcess } from './simulated-process.ts';
import type { VirtualTime } from './virtual-time.ts';
import { WatchMemory } from './watch-memory.ts';
import { WatchStream } from './watch-stream.ts';

export type CallMoment = 'before' | 'sent' | 'committed' | 'answered';

export interface ApiLinkOptions {
  readonly app: Express;
  readonly process: SimulatedProcess;
  readonly time: VirtualTime;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** What befalls a call that is about to leave. */
  readonly faultOf?: (request: RestRequest) => RequestFault | undefined;
  /** Hears of each moment of each call; may kill or stop the process. */
  readonly onMoment?: (request: RestRequest, moment: CallMoment) => void;
  /** Hears of each call that the server has carried out. */
  readonly onCarriedOut?: (request: RestRequest, answer: RestResult) => void;
  /** How long an event of a watch may be under way, milliseconds. */
  readonly lagMs?: (path: string) => number;
  /** Whether a watch that goes on begins with what the one before it brought last. */
  readonly repeats?: () => boolean;
}

/** One way, when nothing is wrong. */
const shortestTripMs = 0.2;
const longestTripMs = 3;
/** How long a call can lie about, in a queue of the API server's, after its caller is gone. */
const longestLateMs = 20_000;
const longestSlowMs = 3500;

export class ApiLink {
  readonly #options: ApiLinkOptions;
  readonly client: RestClient;
  readonly streams = new Set<WatchStream>();
  readonly #memory = new WatchMemory();

  constructor(options: ApiLinkOptions) {
    this.#options = options;
    this.client = new LinkedClient(this, options);
    options.process.onDeath(() => {
      for (const stream of [...this.streams]) stream.hangUp();
    });
  }

  /** All watches break off, as when the API server restarts. */
  dropWatches(): void {
    for (const stream of [...this.streams]) stream.breakOff();
  }

  /** The connections of all watches stay, and nothing comes through them any more. */
  silenceWatches(): void {
    for (const stream of this.streams) stream.silence();
  }

  async request(request: RestRequest): Promise<RestResult> {
    const { process, onMoment } = this.#options;
    onMoment?.(request, 'before');
    await process.passage();
    const result = await this.#exchange(request);
    onMoment?.(request, 'answered');
    await process.passage();
    return result;
  }

  async stream(request: StreamRequest): Promise<StreamEnd> {
    const { app, process, time, lagMs, repeats } = this.#options;
    await process.passage();
    return new Promise((resolve) => {
      const stream: WatchStream = new WatchStream({
        app,
        process,
        time,
        request: {
          ...request,
          onLine: (line) => {
            this.#memory.see(request.path, line);
            return request.onLine(line);
          },
        },
        repeated: repeats?.() === true ? this.#memory.lastBefore(request) : [],
        url: urlOf(request),
        tripMs: this.#tripMs(),
        lagMs: () => this.#tripMs() + (lagMs?.(request.path) ?? 0),
        onEnd: (end) => {
          this.streams.delete(stream);
          resolve(end);
        },
      });
      this.streams.add(stream);
      stream.open();
    });
  }

  #exchange(request: RestRequest): Promise<RestResult> {
    const { process, time, onMoment } = this.#options;
    const { method, path, signal, timeoutMs } = request;
    const subject = `${method} ${path}`;
    if (signal?.aborted === true) {
      return Promise.resolve({ kind: 'aborted', message: `${subject}: given up`, ambiguous: false });
    }
    const fault = this.#options.faultOf?.(request);
    return new Promise((resolve) => {
      let isSettled = false;
      const settle = (result: RestResult) => {
        process.deliver(() => {
          if (isSettled) return;
          isSettled = true;
          cancelTimer();
          signal?.removeEventListener('abort', abort);
          resolve(result);
        });
      };
      const abort = () => {
        settle({ kind: 'aborted', message: `${subject}: given up`, ambiguous: true });
      };
      const cancelTimer = process.clock.after(timeoutMs, () => {
        settle({ kind: 'timeout', message: `${subject}: no answer within ${timeoutMs} ms`, ambiguous: true });
      });
      signal?.addEventListener('abort', abort);

      const wasDead = process.isDead;
      const back = (answer: RestResult) => {
        const seen = answerUnder(fault, answer);
        if (seen === 'never') return;
        time.after(this.#tripMs(), () => {
          settle(seen);
        });
      };
      onMoment?.(request, 'sent');
      // Whoever is killed at this very moment leaves a call that arrives late.
      const isLate = fault === 'late-commit' || process.isDead !== wasDead;
      const toMs = isLate ? timeoutMs + this.#options.random() * longestLateMs : this.#onTheWayMs(fault);
      time.after(toMs, () => {
        if (!isCarriedOut(fault)) {
          back(noAnswer);
          return;
        }
        this.#carryOut(request, (answer) => {
          this.#options.onCarriedOut?.(request, answer);
          onMoment?.(request, 'committed');
          back(answer);
        });
      });
    });
  }

  #carryOut(request: RestRequest, onAnswer: (answer: RestResult) => void): void {
    const { method, body } = request;
    const contentType = request.contentType ?? 'application/json';
    const call = {
      method,
      url: urlOf(request),
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': contentType }),
      },
      ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    };
    callApp(this.#options.app, call, {
      onEnd: (status, headers, text) => {
        const decoded: unknown = text === '' ? undefined : JSON.parse(text);
        onAnswer(
          status >= 200 && status < 300
            ? { kind: 'ok', status, body: decoded }
            : refusalOf(status, { 'retry-after': headers['retry-after'] ?? '' }, decoded),
        );
      },
    });
  }

  #tripMs(): number {
    return shortestTripMs + this.#options.random() * (longestTripMs - shortestTripMs);
  }

  #onTheWayMs(fault: RequestFault | undefined): number {
    return this.#tripMs() + (fault === 'slow' ? this.#options.random() * longestSlowMs : 0);
  }
}

/** Stands for the answer of a call that was not carried out; the fault makes another of it. */
const noAnswer: RestResult = { kind: 'transport', message: 'not carried out', ambiguous: false };

/** The client that the server is given: the real one's interface over the simulated connections. */
class LinkedClient extends RestClient {
  readonly #link: ApiLink;

  constructor(link: ApiLink, { process }: ApiLinkOptions) {
    super({ access: openAccess('http://simulated.invalid'), clock: process.clock, version: 'test' });
    this.#link = link;
  }

  override request(request: RestRequest): Promise<RestResult> {
    return this.#link.request(request);
  }

  override stream(request: StreamRequest): Promise<StreamEnd> {
    return this.#link.stream(request);
  }
}

function urlOf({ path, query = {} }: Pick<RestRequest, 'path' | 'query'>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.append(name, String(value));
  }
  return parameters.size === 0 ? path : `${path}?${parameters.toString()}`;
}
