/**
 * Where the server under test writes its log: to standard output, as in production. It reads along how many binds were
 * refused because their node was busy, which no metric tells apart from other refusals.
 */
import { writeSync } from 'node:fs';

const standardOutput = 1;
const busyRefusal = '"code":"GateBusy"';

export class BusyCounter {
  #count = 0;

  /** Since `reset`. */
  get count(): number {
    return this.#count;
  }

  reset(): void {
    this.#count = 0;
  }

  /** Takes one line. */
  write(line: string): void {
    if (line.includes(busyRefusal)) this.#count += 1;
    writeSync(standardOutput, line);
  }
}
