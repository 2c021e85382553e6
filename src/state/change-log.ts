/** Which nodes have changed, in order, for readers who were up to date once and want to look at no more than they must. */
export class ChangeLog {
  readonly #mostKept: number;
  #names: string[] = [];
  /** The position of the first name that is kept. */
  #first = 0;

  /** @param mostKept so many changes are kept at least; a reader who is further behind has to look at everything */
  constructor(mostKept = 8192) {
    this.#mostKept = mostKept;
  }

  /** After the latest change. */
  get position(): number {
    return this.#first + this.#names.length;
  }

  note(name: string): void {
    this.#names.push(name);
    if (this.#names.length < 2 * this.#mostKept) return;
    this.#names = this.#names.slice(this.#mostKept);
    this.#first += this.#mostKept;
  }

  /** The names noted after a position, each once; undefined when that is not known any more. */
  since(position: number): ReadonlySet<string> | undefined {
    return position < this.#first ? undefined : new Set(this.#names.slice(position - this.#first));
  }
}
