/** A list of what happened, which a test can wait on: no polling, no sleeping. */
export class Journal<T> {
  readonly entries: T[] = [];
  readonly #waiting = new Set<() => void>();

  add(entry: T): void {
    this.entries.push(entry);
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves when there are that many entries, with all of them. */
  atLeast(count: number): Promise<readonly T[]> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.entries.length < count) return;
        this.#waiting.delete(look);
        resolve([...this.entries]);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
