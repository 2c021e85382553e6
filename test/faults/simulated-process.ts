/**
 * A process of the simulated cluster: it has a clock that can be set wrong, can be stopped for a while (SIGSTOP) and be
 * killed. Whatever reaches it from outside goes through `deliver`: while it is stopped that waits, and once it is dead
 * it is lost. What code of a dead process still does has no way out, so being killed inside a step is being killed
 * wherever the step next touches the outside.
 */
import type { Clock } from '../../src/model/clock.ts';
import type { VirtualTime } from './virtual-time.ts';

export class SimulatedProcess {
  readonly name: string;
  readonly #time: VirtualTime;
  #state: 'running' | 'stopped' | 'dead' = 'running';
  #skewMs = 0;
  #waiting: (() => void)[] = [];
  readonly #atDeath = new Set<() => void>();

  constructor(name: string, time: VirtualTime) {
    this.name = name;
    this.#time = time;
  }

  readonly #after: Clock['after'] = (delayMs, action) =>
    this.#time.after(delayMs, () => {
      this.deliver(action);
    });

  /** The wall clock, which somebody may set; its timers do not depend on what it shows. */
  readonly clock: Clock = { nowMs: () => this.#time.nowMs() + this.#skewMs, after: this.#after };

  /** One that nobody can set. */
  readonly steadyClock: Clock = { nowMs: () => this.#time.nowMs(), after: this.#after };

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  /** Somebody sets the clock. */
  jumpClock(byMs: number): void {
    this.#skewMs += byMs;
  }

  deliver(action: () => void): void {
    if (this.#state === 'running') action();
    else if (this.#state === 'stopped') this.#waiting.push(action);
  }

  /** Resolves at once unless the process is stopped; never, when it is dead. */
  passage(): Promise<void> {
    return new Promise((resolve) => {
      this.deliver(resolve);
    });
  }

  /** SIGSTOP. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  /** SIGCONT: what has waited happens in the order of its coming, one after the other. */
  resume(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const action of waiting) {
      this.#time.after(0, () => {
        this.deliver(action);
      });
    }
  }

  /** SIGKILL. */
  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#waiting = [];
    for (const action of this.#atDeath) action();
    this.#atDeath.clear();
  }

  /** What the machine does for the process when it dies, such as closing a connection; the result ends it. */
  onDeath(action: () => void): () => void {
    this.#atDeath.add(action);
    return () => {
      this.#atDeath.delete(action);
    };
  }
}
