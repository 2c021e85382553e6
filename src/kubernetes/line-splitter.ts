/**
 * Cuts a stream of bytes into lines. It splits on the byte of the line feed and decodes nothing, so a character that
 * arrives in two chunks stays whole, and it bounds how much of an unfinished line it holds.
 */
const lineFeed = 0x0a;

export class LineSplitter {
  readonly #maxBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** Lines of more than `maxBytes` make `push` throw a RangeError. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of a line whose end has not come. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The lines that this chunk completes, without their line feeds; empty ones are left out. */
  *push(chunk: Buffer): Iterable<Buffer> {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      this.#hold(chunk.subarray(start, end));
      start = end + 1;
      const line = this.#take();
      if (line.length > 0) yield line;
    }
    this.#hold(chunk.subarray(start));
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > this.#maxBytes) throw new RangeError(`line of more than ${this.#maxBytes} bytes`);
    this.#held.push(bytes);
  }

  #take(): Buffer {
    const [only] = this.#held;
    const bytes = this.#held.length === 1 && only !== undefined ? only : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return bytes;
  }
}
