/** Time as a dependency: everything that waits or compares times gets one of these, so tests own the clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Calls `action` once after a delay; the returned function cancels it and may be called twice. */
  after(delayMs: number, action: () => void): () => void;
}
