/** The watches under way, for tests that end them or let them go quiet while they run. */
import type { ServerResponse } from 'node:http';

export class OpenWatches {
  readonly #responses = new Set<ServerResponse>();

  get count(): number {
    return this.#responses.size;
  }

  /** The returned function takes it out again. */
  add(response: ServerResponse): () => void {
    this.#responses.add(response);
    return () => this.#responses.delete(response);
  }

  /** Breaks the connections, in the middle of whatever they carry. */
  cut(): void {
    for (const response of this.#responses) response.destroy();
  }

  /** Half-open from now on: the connections stay, nothing more arrives on them, and they never end. */
  silence(): void {
    for (const response of this.#responses) swallow(response);
  }
}

/** What is written to this response from now on reaches nobody, its end included. */
export function swallow(response: ServerResponse): void {
  response.write = () => true;
  response.end = () => response;
}
