/** What happened in a simulated cluster, in order: the last lines are shown when something goes wrong, all are digested. */
import { createHash } from 'node:crypto';
import type { VirtualTime } from './virtual-time.ts';

const mostLines = 4000;

export class Journal {
  readonly #time: VirtualTime;
  readonly #startMs: number;
  readonly #hash = createHash('sha256');
  #lines: string[] = [];

  constructor(time: VirtualTime) {
    this.#time = time;
    this.#startMs = time.nowMs();
  }

  add(text: string, more = ''): void {
    const line = `${((this.#time.exactMs - this.#startMs) / 1000).toFixed(4)} ${text} ${more}`;
    this.#hash.update(line);
    this.#lines.push(line);
    if (this.#lines.length > 2 * mostLines) this.#lines = this.#lines.slice(-mostLines);
  }

  /** Equal for equal histories; ends the journal. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  /** The last lines, those that speak of one thing where it is named. */
  last(count: number, about = ''): readonly string[] {
    return this.#lines.filter((line) => line.includes(about)).slice(-count);
  }
}
