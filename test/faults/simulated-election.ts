/**
 * Who leads, as a test says it. What a server believes and where the Service leads to are two things: a leader that
 * stood still may take itself for one after another has taken over.
 */
import type { Election } from '../../src/kubernetes/leadership.ts';

export class SimulatedElection implements Pick<Election, 'role' | 'term' | 'leader'> {
  readonly #name: string;
  #terms = 0;
  #leads = false;
  /** Whether the Service leads to the server. */
  isLabelled = false;

  constructor(name: string) {
    this.#name = name;
  }

  get role(): 'leader' | 'follower' {
    return this.#leads ? 'leader' : 'follower';
  }

  get term(): string | undefined {
    return this.#leads ? `${this.#name}/${this.#terms}` : undefined;
  }

  get leader(): string | undefined {
    return this.#leads ? this.#name : undefined;
  }

  /** In a new term. */
  lead(): void {
    this.#terms += 1;
    this.#leads = true;
    this.isLabelled = true;
  }

  follow(): void {
    this.#leads = false;
    this.isLabelled = false;
  }

  /** Somebody else leads, and this server does not know it yet. */
  lose(): void {
    this.isLabelled = false;
  }
}
