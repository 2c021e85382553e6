/**
 * Wakes pods that were refused on old news. kube-scheduler retries a pod on the event that frees a card, and may ask
 * before our own watch has brought that event; refused again, the pod would then wait for minutes. So a release that
 * is absorbed shortly after a refusal makes one harmless change to the node, which lets kube-scheduler ask once more.
 * So does a change that frees something without any event of a pod or node.
 */
import type { Clock } from '../model/clock.ts';

export interface WakeUpOptions {
  readonly clock: Clock;
  /** Changes the node so that kube-scheduler sees an event. Must not throw. */
  readonly nudge: (node: string) => void;
}

/** How far back a refusal may have been based on news older than the release. */
const staleRefusalMs = 5000;
/** Releases this close together share one nudge. */
const coalesceMs = 200;

export class WakeUp {
  readonly #clock: Clock;
  readonly #nudge: (node: string) => void;
  #lastRefusalMs = -Infinity;
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

  /** Something of the node's devices has become free. */
  released(node: string): void {
    if (this.#clock.nowMs() - this.#lastRefusalMs <= staleRefusalMs) this.nudgeSoon(node);
  }

  /** Something changed that kube-scheduler does not watch, such as the limits of a quota. */
  nudgeSoon(node: string): void {
    const planned = this.#node !== undefined;
    this.#node = node;
    if (planned) return;
    this.#clock.after(coalesceMs, () => {
      const latest = this.#node ?? node;
      this.#node = undefined;
      this.#nudge(latest);
    });
  }
}
