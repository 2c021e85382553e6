/** Pods between their creation and the moment when all of them run: how long each took, and whether anything goes on. */
import type { PodEvent } from './agent-observer.ts';

/** No pod bound and none begun for so long: something is wrong. */
const stalledMs = 60_000;

export class PodsUnderWay {
  readonly #pods: number;
  readonly #createdMs = new Map<string, number>();
  readonly #untilBoundMs: number[] = [];
  readonly #untilRunningMs: number[] = [];
  readonly #end = Promise.withResolvers<undefined>();
  #timer: NodeJS.Timeout;

  /** @param pods how many there will be */
  constructor(pods: number) {
    this.#pods = pods;
    this.#timer = this.#expectSomething();
  }

  /** Resolves when all run; rejects when a node refuses one, or nothing happens any more. */
  get allRun(): Promise<undefined> {
    return this.#end.promise;
  }

  /** Of every pod so far, from the start of its creation. */
  get untilBoundMs(): readonly number[] {
    return this.#untilBoundMs;
  }

  get untilRunningMs(): readonly number[] {
    return this.#untilRunningMs;
  }

  /** The pod's creation begins. */
  create(name: string): void {
    this.#createdMs.set(name, performance.now());
  }

  /** Something has happened to a pod; other pods' news are passed over. */
  note(event: PodEvent, name: string): void {
    const createdMs = this.#createdMs.get(name);
    if (createdMs === undefined) return;
    clearTimeout(this.#timer);
    if (event === 'failed') {
      this.#end.reject(new Error(`pod ${name} was refused by its node`));
      return;
    }
    (event === 'bound' ? this.#untilBoundMs : this.#untilRunningMs).push(performance.now() - createdMs);
    if (this.#untilRunningMs.length < this.#pods) this.#timer = this.#expectSomething();
    else this.#end.resolve(undefined);
  }

  #expectSomething(): NodeJS.Timeout {
    return setTimeout(() => {
      const bound = this.#untilBoundMs.length;
      const ran = this.#untilRunningMs.length;
      const state = `of ${this.#pods} pods ${bound} were bound and ${ran} ran`;
      this.#end.reject(new Error(`${state}, then nothing happened for ${stalledMs / 1000} s`));
    }, stalledMs);
  }
}
