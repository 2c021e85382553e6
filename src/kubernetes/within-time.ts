/** A deadline as a signal, for steps that can only be told to stop. */
import type { Clock } from '../model/clock.ts';

export interface TimeLimits {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Runs `steps` with a signal that is aborted with the caller's, at the deadline, and when the steps are over. */
export async function withinTime<T>(
  clock: Clock,
  { deadlineMs, signal }: TimeLimits,
  steps: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const expiry = new AbortController();
  const cancel = clock.after(Math.max(0, deadlineMs - clock.nowMs()), () => {
    expiry.abort();
  });
  try {
    return await steps(AbortSignal.any([signal, expiry.signal]));
  } finally {
    cancel();
    expiry.abort();
  }
}
