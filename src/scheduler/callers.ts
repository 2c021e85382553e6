/** Those who wait for one answer: it is worth working on until the last of them has gone. */
export class Callers {
  readonly #controller = new AbortController();
  #waiting = 0;

  /** Aborted when every caller has gone. */
  get allGone(): AbortSignal {
    return this.#controller.signal;
  }

  /** One more waits, until its own signal is aborted. */
  join(signal: AbortSignal): void {
    this.#waiting += 1;
    const leave = () => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#controller.abort();
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  }
}
