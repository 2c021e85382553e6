/** Durations of like calls, and what is told of them. Quantiles are of the values themselves, not of buckets. */

export class Latencies {
  readonly #ms: number[] = [];
  #sumMs = 0;

  constructor(ms: Iterable<number> = []) {
    for (const value of ms) this.add(value);
  }

  add(ms: number): void {
    this.#ms.push(ms);
    this.#sumMs += ms;
  }

  get count(): number {
    return this.#ms.length;
  }

  get sumMs(): number {
    return this.#sumMs;
  }

  /** The smallest value that at least this share (0 to 1) of all values does not exceed; 0 when there are none. */
  quantile(share: number): number {
    const sorted = this.#ms.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  }

  /** As if the calls had come one after the other without pause; 0 when there are none. */
  get perSecond(): number {
    return this.#sumMs === 0 ? 0 : (this.count * 1000) / this.#sumMs;
  }
}
