/**
 * The REST client of the server under test, which notes when an object with a benchmark's mark has gone through a watch:
 * the state has taken it by then, since the watch hands on one line after the other.
 */
import { RestClient, type StreamEnd, type StreamRequest } from '../../src/kubernetes/rest-client.ts';

export const markAnnotation = 'bench.tessera.io/mark';
const inLine = new RegExp(`"${markAnnotation}":"([^"]*)"`);

export class MarkedClient extends RestClient {
  readonly #seenMs = new Map<string, number>();
  readonly #waiting = new Map<string, (atMs: number) => void>();

  override stream(request: StreamRequest): Promise<StreamEnd> {
    return super.stream({
      ...request,
      onLine: (line) => {
        const goOn = request.onLine(line);
        if (line.includes(markAnnotation)) this.#see(inLine.exec(line)?.[1] ?? '');
        return goOn;
      },
    });
  }

  /** In milliseconds since the epoch. */
  whenSeen(mark: string): Promise<number> {
    const seenMs = this.#seenMs.get(mark);
    if (seenMs !== undefined) return Promise.resolve(seenMs);
    return new Promise((resolve) => {
      this.#waiting.set(mark, resolve);
    });
  }

  #see(mark: string): void {
    if (this.#seenMs.has(mark)) return;
    const atMs = epochMs();
    this.#seenMs.set(mark, atMs);
    this.#waiting.get(mark)?.(atMs);
  }
}

/** Fractions of milliseconds, comparable between processes of one machine. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
