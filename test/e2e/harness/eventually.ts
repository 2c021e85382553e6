/** Waits for something that other processes bring about. */
import { setTimeout as pause } from 'node:timers/promises';

export type Look<T> = { readonly done: T } | { readonly not: string };

const pollMs = 100;

/** Looks again and again; fails with the last look's words when the time is over. */
export async function eventually<T>(
  what: string,
  look: () => Promise<Look<T>>,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if ('done' in seen) return seen.done;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}; instead: ${seen.not}`);
    await pause(pollMs);
  }
}
