/**
 * A clock that stands still until a test moves it: timers fire in the order of their due times, synchronously, inside
 * `advance`. Nothing here sleeps, so a test of a ten-minute lease takes no time at all.
 */
import type { Clock } from '../../src/model/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  #nowMs: number;
  /** In the order of creation, which decides between equal due times. */
  readonly #timers = new Set<Timer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves time on and fires what falls due on the way, timers set by those actions included. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#firstDue(untilMs); next !== undefined; next = this.#firstDue(untilMs)) {
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.action();
    }
    this.#nowMs = untilMs;
  }

  #firstDue(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (first === undefined || timer.dueMs < first.dueMs)) first = timer;
    }
    return first;
  }
}
