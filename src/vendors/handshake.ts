/**
 * What is left of the handshake between HAMi's scheduler and its plugins (spec §2.1, vendors §1.3): a word of either,
 * with a time behind it. Nobody here writes one or waits for one; it only tells who wrote last.
 */

/** Whether a plugin wrote it, not a scheduler. */
export function isReported(handshake: string | undefined): boolean {
  return handshake?.startsWith('Reported') ?? false;
}
