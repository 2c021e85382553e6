/**
 * How long to stay away after a failure: longer each time, and never in step with others who failed at the same
 * moment. Waiting itself goes through the injected clock and ends early when the waiter is told to stop.
 */
import type { Clock } from '../model/clock.ts';

export interface BackoffOptions {
  /** The first step; every further one doubles it. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #stepMs: number;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#stepMs = options.baseMs;
  }

  /** Between half a step and a step, in whole milliseconds; the next step is twice as long. */
  nextMs(): number {
    const stepMs = this.#stepMs;
    this.#stepMs = Math.min(stepMs * 2, this.#options.maxMs);
    return Math.round((stepMs / 2) * (1 + this.#options.random()));
  }

  /** Things work again: the next failure starts over. */
  reset(): void {
    this.#stepMs = this.#options.baseMs;
  }
}

/** Resolves after a delay, or as soon as `signal`, where there is one, is aborted. Never rejects. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(delayMs, end);
    signal?.addEventListener('abort', end);
  });
}
