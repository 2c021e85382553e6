/** Calls of one plugin, served one after the other. */
export class CallQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the work when all before it has ended, well or not. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
