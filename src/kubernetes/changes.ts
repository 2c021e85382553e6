/** Waiting for the next word about a name: who waits is told once and looks for himself. Nothing is remembered. */
export class Changes {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves when the name is told next, or when the signal is aborted. Never rejects. */
  next(name: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(name) ?? new Set();
      this.#waiting.set(name, waiting);
      const done = () => {
        waiting.delete(done);
        if (waiting.size === 0 && this.#waiting.get(name) === waiting) this.#waiting.delete(name);
        signal.removeEventListener('abort', done);
        resolve();
      };
      waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  tell(name: string): void {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) for (const done of [...waiting]) done();
  }
}
