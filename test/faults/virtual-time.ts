/**
 * The time of a simulated cluster: one queue of everything that will happen, in the order of due times and, where those
 * are equal, of planning. Between two events all promises run dry, so the same plan gives the same history each time:
 * nothing here or in what it drives may wait for a real timer, a socket or a thread.
 */
import type { Clock } from '../../src/model/clock.ts';

interface PlannedEvent {
  readonly dueMs: number;
  readonly order: number;
  action: (() => void) | undefined;
}

export class VirtualTime implements Clock {
  /** A heap: each event is due before the two below it. */
  readonly #heap: PlannedEvent[] = [];
  #nowMs: number;
  #planned = 0;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return Math.floor(this.#nowMs);
  }

  /** With the fraction of a millisecond that clocks do not show. */
  get exactMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): () => void {
    this.#planned += 1;
    const event: PlannedEvent = {
      dueMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#planned,
      action,
    };
    this.#push(event);
    return () => {
      event.action = undefined;
    };
  }

  /** Lets things happen until a state is reached, or for so long; answers whether it was reached. */
  async runUntil(isReached: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    await promisesRunDry();
    while (!isReached()) {
      const next = this.#heap[0];
      if (next === undefined || next.dueMs > endMs) {
        this.#nowMs = endMs;
        return isReached();
      }
      this.#pop();
      const { action } = next;
      if (action === undefined) continue;
      next.action = undefined;
      this.#nowMs = next.dueMs;
      action();
      await promisesRunDry();
    }
    return true;
  }

  async runFor(durationMs: number): Promise<void> {
    await this.runUntil(() => false, durationMs);
  }

  #push(event: PlannedEvent): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(event);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, event)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let place = 0;
    for (;;) {
      const [left, right] = [heap[2 * place + 1], heap[2 * place + 2]];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const below = isRight ? right : left;
      if (below === undefined || isBefore(last, below)) break;
      heap[place] = below;
      place = 2 * place + (isRight ? 2 : 1);
    }
    heap[place] = last;
  }
}

function isBefore(a: PlannedEvent, b: PlannedEvent): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** Callbacks of promises come before those of `setImmediate`, however many of them follow from each other. */
function promisesRunDry(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
