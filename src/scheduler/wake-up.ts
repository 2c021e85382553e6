/**
 * Wakes pods that were refused on old news. kube-scheduler retries a pod on the event that frees a card, and may ask
 * before our own watch has brought that event; refused again, the pod would then wait for minutes. So a release that
 * is absorbed shortly after a refusal makes one harmless change to the node, which lets kube-scheduler ask once more.
 * So does a change that frees something without any event of a pod or node.
 */
import type { Clock } from '../model/clock.ts';

export interface WakeUpOptions {
  readonly clock: Clock;
  /** Changes the node so that kube-scheduler sees an event; answers whether it did. Must not reject. */
  readonly nudge: (node: string) => Promise<boolean>;
}

/** How far back a refusal may have been based on news older than the release. */
const staleRefusalMs = 5000;
/** The same after a watch was lost: it may have been silent for minutes before anybody noticed. */
const staleAfterGapMs = 240_000;
/** For so long after a watch was lost, what it missed may still be on its way. */
const gapMs = 60_000;
/** Before a nudge that failed is tried again, and most between later attempts. */
const retryMs = 1000;
const longestRetryMs = 30_000;
/** Releases this close together share one nudge. */
const coalesceMs = 200;

export class WakeUp {
  readonly #clock: Clock;
  readonly #nudge: WakeUpOptions['nudge'];
  #lastRefusalMs = -Infinity;
  #lastGapMs = -Infinity;
  /** Where the latest release was that nobody was told of yet. */
  #node: string | undefined;

  constructor({ clock, nudge }: WakeUpOptions) {
    this.#clock = clock;
    this.#nudge = nudge;
  }

  /** Some pod fits no node at this moment. */
  refused(): void {
    this.#lastRefusalMs = this.#clock.nowMs();
  }

  /** A watch was lost, and with it how old our news are. */
  interrupted(): void {
    this.#lastGapMs = this.#clock.nowMs();
  }

  /** Something of the node's devices has become free. */
  released(node: string): void {
    const nowMs = this.#clock.nowMs();
    const staleMs = nowMs - this.#lastGapMs <= gapMs ? staleAfterGapMs : staleRefusalMs;
    if (nowMs - this.#lastRefusalMs <= staleMs) this.nudgeSoon(node);
  }

  /** Something changed that kube-scheduler does not watch, such as the limits of a quota. */
  nudgeSoon(node: string): void {
    const planned = this.#node !== undefined;
    this.#node = node;
    if (planned) return;
    this.#nudgeAfter(coalesceMs, retryMs);
  }

  /** Until it has worked once; whoever is released meanwhile is told of by the same nudge. */
  #nudgeAfter(delayMs: number, retryAfterMs: number): void {
    this.#clock.after(delayMs, () => {
      const node = this.#node;
      this.#node = undefined;
      if (node === undefined) return;
      void this.#nudge(node).then((done) => {
        if (done || this.#node !== undefined) return;
        this.#node = node;
        this.#nudgeAfter(retryAfterMs, Math.min(2 * retryAfterMs, longestRetryMs));
      });
    });
  }
}
