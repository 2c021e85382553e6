/** Changes as plain lines for logs and pipes: one a change, but never more than a reader could follow. */
import type { Clock } from '../../model/clock.ts';
import { cut } from './painting.ts';

/** Lines in any second; what is beyond is counted. */
const mostPerSecond = 20;
const longestLine = 200;

export class PlainLines {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  #secondBegan = -Infinity;
  #written = 0;
  #left = 0;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  add(line: string): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#secondBegan >= 1000) {
      this.#tellLeft();
      this.#secondBegan = nowMs;
      this.#written = 0;
    }
    if (this.#written < mostPerSecond) {
      this.#written += 1;
      this.#write(cut(line, longestLine));
      return;
    }
    if (this.#left === 0) {
      this.#cancel = this.#clock.after(1000 - (nowMs - this.#secondBegan), () => {
        this.#tellLeft();
      });
    }
    this.#left += 1;
  }

  /** Tells of what was left out and falls silent. */
  close(): void {
    this.#tellLeft();
  }

  #tellLeft(): void {
    this.#cancel();
    if (this.#left > 0) this.#write(`and ${this.#left} more changes`);
    this.#left = 0;
  }
}
