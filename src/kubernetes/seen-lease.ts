/**
 * What a candidate has seen of a lease, and when it may take it. Only our own clock counts, from the moment at which
 * the lease was first seen as it is; what the lease says about times is another machine's opinion. Something old that
 * arrives late makes it wait longer, never less.
 */
import type { Clock } from '../model/clock.ts';
import type { LeaseObject } from '../wire/lease.ts';

export interface SeenLeaseOptions {
  /** What we call ourselves. */
  readonly identity: string;
  readonly clock: Clock;
  /** How long one that cannot be understood is respected, for it may be held, too. */
  readonly unreadableMs: number;
}

export class SeenLease {
  readonly #options: SeenLeaseOptions;
  #seen: { readonly lease: LeaseObject | undefined; readonly sinceMs: number } | undefined;

  constructor(options: SeenLeaseOptions) {
    this.#options = options;
  }

  /** What its holder calls itself, whether or not it still lives. */
  get holder(): string | undefined {
    return this.#seen?.lease?.holder?.identity;
  }

  /** It is there; undefined where it cannot be understood. */
  see(lease: LeaseObject | undefined): void {
    if (this.#seen !== undefined && this.#seen.lease?.record === lease?.record) return;
    this.#seen = { lease, sinceMs: this.#options.clock.nowMs() };
  }

  /** It is not there. */
  seeNone(): void {
    this.#seen = undefined;
  }

  /** How long until it may be taken; 0 where that is now. */
  freeInMs(): number {
    const { identity, clock, unreadableMs } = this.#options;
    if (this.#seen === undefined) return 0;
    const { lease, sinceMs } = this.#seen;
    // Nobody holds it, or we do without knowing it: the answer to a claim of ours was lost.
    if (lease !== undefined && (lease.holder === undefined || lease.holder.identity === identity)) return 0;
    return Math.max(0, sinceMs + (lease?.holder?.durationMs ?? unreadableMs) - clock.nowMs());
  }
}
