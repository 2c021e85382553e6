/** Placed pods that will leave, soonest first. */

export interface Departure {
  /** The arrival's number. */
  readonly uid: string;
  readonly node: number;
  readonly milli: number;
  readonly atSeconds: number;
}

/** A heap by time, equals by arrival. */
export class Departures {
  readonly #heap: Departure[] = [];

  add(departure: Departure): void {
    const heap = this.#heap;
    let at = heap.push(departure) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(departure, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = departure;
  }

  /** Everybody who leaves at or before a time, soonest first; they are forgotten. */
  until(seconds: number): readonly Departure[] {
    const leaving: Departure[] = [];
    for (
      let first = this.#heap[0];
      first !== undefined && first.atSeconds <= seconds;
      first = this.#heap[0]
    ) {
      leaving.push(first);
      this.#removeFirst();
    }
    return leaving;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const left = heap[below];
      if (left === undefined) break;
      let child = left;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, left)) {
        below += 1;
        child = right;
      }
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Departure, b: Departure): boolean {
  return a.atSeconds === b.atSeconds ? Number(a.uid) < Number(b.uid) : a.atSeconds < b.atSeconds;
}
