/**
 * The people of the demo: they create example pods at a steady pace, take away what is over, and give up on what does
 * not start. They touch their own pods alone, and hold back while many wait, so that a small cluster is not buried.
 */
import { streamLabel } from '../../emulator/demo-cluster-pods.ts';
import { podPath } from '../../kubernetes/api-paths.ts';
import type { RestClient, RestRequest } from '../../kubernetes/rest-client.ts';
import { failureText } from '../../kubernetes/rest-result.ts';
import type { Clock } from '../../model/clock.ts';
import type { PodObject } from '../../model/cluster-objects.ts';
import type { Log } from '../../telemetry/logger.ts';
import type { PodBoard } from './pod-board.ts';

export interface PodStreamOptions {
  readonly client: Pick<RestClient, 'request'>;
  readonly board: Pick<PodBoard, 'pods' | 'counts'>;
  readonly manifests: Iterator<object, never>;
  readonly namespace: string;
  readonly podsPerSecond: number;
  /** How many come at once at the start. */
  readonly opening: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** As many waiting pods as people watch patiently. */
const mostWaiting = 16;
const patienceMs = 60_000;
/** How long a pod that is over stays to be looked at. */
const keptMs = 20_000;
const tidyEveryMs = 1000;
const callTimeoutMs = 10_000;

export class PodStream {
  readonly #options: PodStreamOptions;
  readonly #calls = new Set<Promise<void>>();
  readonly #removed = new Set<string>();
  #cancelNext: () => void = () => undefined;
  #cancelTidying: () => void = () => undefined;

  constructor(options: PodStreamOptions) {
    this.#options = options;
  }

  start(): void {
    const { opening, podsPerSecond } = this.#options;
    if (podsPerSecond > 0) {
      for (let created = 0; created < opening; created += 1) this.#create();
      this.#scheduleNext();
    }
    this.#scheduleTidying();
  }

  /** Nothing is created or taken away any more; waits for what is under way. */
  async stop(): Promise<void> {
    this.#cancelNext();
    this.#cancelTidying();
    await Promise.all(this.#calls);
  }

  #scheduleNext(): void {
    const { clock, podsPerSecond, board } = this.#options;
    this.#cancelNext = clock.after(1000 / podsPerSecond, () => {
      if (board.counts.waiting < mostWaiting) this.#create();
      this.#scheduleNext();
    });
  }

  #scheduleTidying(): void {
    this.#cancelTidying = this.#options.clock.after(tidyEveryMs, () => {
      this.#tidy();
      this.#scheduleTidying();
    });
  }

  #tidy(): void {
    const { board, clock } = this.#options;
    const nowMs = clock.nowMs();
    for (const { pod, sinceMs, endedMs } of board.pods) {
      const isOurs = pod.labels[streamLabel] !== undefined && !this.#removed.has(pod.uid);
      const isKept = endedMs === undefined ? pod.nodeName !== undefined : nowMs - endedMs < keptMs;
      const isAwaited = endedMs === undefined && nowMs - sinceMs < patienceMs;
      if (isOurs && !isKept && !isAwaited) this.#remove(pod);
    }
  }

  #create(): void {
    const { manifests, namespace } = this.#options;
    const body = manifests.next().value;
    this.#call({ method: 'POST', path: `/api/v1/namespaces/${namespace}/pods`, body });
  }

  #remove(pod: PodObject): void {
    this.#removed.add(pod.uid);
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions: { uid: pod.uid },
    };
    this.#call({ method: 'DELETE', path: podPath(pod), body }, () => {
      this.#removed.delete(pod.uid);
      // The embedded API forgets nothing by itself, and the demo may run for days.
      const query = { fieldSelector: `involvedObject.uid=${pod.uid}` };
      this.#call({ method: 'DELETE', path: `/api/v1/namespaces/${pod.namespace}/events`, query });
    });
  }

  #call(
    request: Pick<RestRequest, 'path' | 'query' | 'body'> & { readonly method: 'POST' | 'DELETE' },
    then: () => void = () => undefined,
  ): void {
    const { client, log } = this.#options;
    const call = client.request({ ...request, timeoutMs: callTimeoutMs }).then((result) => {
      if (result.kind !== 'ok') log.warn({ path: request.path, reason: failureText(result) }, 'example pod');
      then();
      this.#calls.delete(call);
    });
    this.#calls.add(call);
  }
}
