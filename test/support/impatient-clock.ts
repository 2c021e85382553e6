/**
 * A clock on which every wait is over at once and is written down, while the time stands where another clock says.
 * For code whose pauses between attempts a test wants to see and not to serve.
 */
import type { Clock } from '../../src/model/clock.ts';

export class ImpatientClock implements Clock {
  /** The waits asked for, in milliseconds, in order. */
  readonly skippedMs: number[] = [];
  readonly #time: Pick<Clock, 'nowMs'>;

  constructor(time: Pick<Clock, 'nowMs'>) {
    this.#time = time;
  }

  nowMs(): number {
    return this.#time.nowMs();
  }

  after(delayMs: number, action: () => void): () => void {
    this.skippedMs.push(delayMs);
    const immediate = setImmediate(action);
    return () => {
      clearImmediate(immediate);
    };
  }
}
