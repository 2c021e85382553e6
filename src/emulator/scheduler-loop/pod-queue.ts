/**
 * Pods that wait for a node: active ones in the order of priority and age, refused ones until an event gives reason to
 * hope, and either kind kept back for a while after a failed attempt. An event that comes while a pod is being looked
 * at counts for that pod, too, so that no release is missed between looking and refusing.
 */
import type { Clock } from '../../model/clock.ts';
import type { SchedulablePod } from './pod-spec.ts';

interface Waiting {
  pod: SchedulablePod;
  /** `taken`: handed out by `take` and neither given back nor removed yet. */
  place: 'active' | 'backoff' | 'refused' | 'taken';
  attempts: number;
  readyAtMs: number;
  /** Events counted when it was taken. */
  eventsAtTake: number;
}

export interface PodQueueOptions {
  readonly clock: Clock;
  /** Called when there may be something to take. */
  readonly onActive: () => void;
}

/** kube-scheduler's `podInitialBackoffSeconds` and `podMaxBackoffSeconds`. */
const firstBackoffMs = 1000;
const longestBackoffMs = 10_000;

export class PodQueue {
  readonly #options: PodQueueOptions;
  readonly #waiting = new Map<string, Waiting>();
  #events = 0;
  #cancelTimer: () => void = () => undefined;

  constructor(options: PodQueueOptions) {
    this.#options = options;
  }

  get hasActive(): boolean {
    return [...this.#waiting.values()].some(({ place }) => place === 'active');
  }

  /** A pod to be scheduled, new or in a newer version. */
  offer(pod: SchedulablePod): void {
    const known = this.#waiting.get(pod.uid);
    if (known !== undefined) {
      known.pod = pod;
      return;
    }
    this.#waiting.set(pod.uid, { pod, place: 'active', attempts: 0, readyAtMs: 0, eventsAtTake: 0 });
    this.#options.onActive();
  }

  /** The pod no longer waits. May be called for any. */
  remove(uid: string): void {
    this.#waiting.delete(uid);
  }

  /** The newest version of a pod that waits or is being looked at. */
  find(uid: string): SchedulablePod | undefined {
    return this.#waiting.get(uid)?.pod;
  }

  /** The pod whose turn it is. It stays known until it is given back or removed. */
  take(): SchedulablePod | undefined {
    let next: Waiting | undefined;
    for (const waiting of this.#waiting.values()) {
      if (waiting.place === 'active' && (next === undefined || isBefore(waiting.pod, next.pod)))
        next = waiting;
    }
    if (next === undefined) return undefined;
    next.place = 'taken';
    next.attempts += 1;
    next.eventsAtTake = this.#events;
    return next.pod;
  }

  /**
   * A pod that was taken waits again: `refused` until an event, `backoff` for its time alone. Has no effect on a pod
   * that was removed meanwhile.
   */
  giveBack(uid: string, place: 'refused' | 'backoff'): void {
    const waiting = this.#waiting.get(uid);
    if (waiting === undefined) return;
    const backoffMs = Math.min(firstBackoffMs * 2 ** (waiting.attempts - 1), longestBackoffMs);
    waiting.readyAtMs = this.#options.clock.nowMs() + backoffMs;
    waiting.place = place === 'refused' && waiting.eventsAtTake === this.#events ? 'refused' : 'backoff';
    this.#release();
  }

  /** Something has changed in the cluster that may make room. */
  wake(): void {
    this.#events += 1;
    for (const waiting of this.#waiting.values()) {
      if (waiting.place === 'refused') waiting.place = 'backoff';
    }
    this.#release();
  }

  /** No timer fires any more. */
  stop(): void {
    this.#cancelTimer();
    this.#waiting.clear();
  }

  /** Lets go whoever has been kept back long enough, and comes back for the next. */
  #release(): void {
    this.#cancelTimer();
    const { clock, onActive } = this.#options;
    const nowMs = clock.nowMs();
    let nextMs = Infinity;
    let released = false;
    for (const waiting of this.#waiting.values()) {
      if (waiting.place !== 'backoff') continue;
      if (waiting.readyAtMs <= nowMs) {
        waiting.place = 'active';
        released = true;
      } else nextMs = Math.min(nextMs, waiting.readyAtMs);
    }
    this.#cancelTimer =
      nextMs === Infinity
        ? () => undefined
        : clock.after(nextMs - nowMs, () => {
            this.#release();
          });
    if (released) onActive();
  }
}

/** Higher priority first, then the older one; the UID makes the order total. */
function isBefore(a: SchedulablePod, b: SchedulablePod): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt;
  return a.uid < b.uid;
}
