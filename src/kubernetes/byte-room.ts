/**
 * Bytes put together from pieces, in memory that is used again: pages of megabytes follow each other, and room made
 * anew for each of them would stay taken until the next garbage collection.
 */
import { Buffer } from 'node:buffer';

/** What an exceptionally large content needed is not kept for the next one. */
const largestKeptBytes = 16 * 1024 * 1024;

export class ByteRoom {
  #room = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What is in it; valid until it is cleared. */
  get bytes(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#room.length > largestKeptBytes) this.#room = Buffer.alloc(0);
  }

  append(bytes: Buffer, from = 0, to = bytes.length): void {
    const needed = this.#length + to - from;
    if (needed > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#room.length));
      this.#room.copy(larger, 0, 0, this.#length);
      this.#room = larger;
    }
    bytes.copy(this.#room, this.#length, from, to);
    this.#length = needed;
  }
}
