/**
 * What can come between a reflector and its server, and what follows from it: whether the work goes on where it
 * stopped or begins anew, and what is counted.
 */
import { failureText, type RestFailure } from './rest-result.ts';

export const reflectorSignals = [
  /** A list is complete. */
  'listed',
  /** A request failed, or a watch ended before its time. */
  'interrupted',
  /** The server did not know our version any more. */
  'expired',
  /** The server did not accept our credentials. */
  'unauthorized',
  /** A line of a watch could not be read. */
  'broken-line',
] as const;
export type ReflectorSignal = (typeof reflectorSignals)[number];

/** Why the work stops for a moment, and where it goes on. */
export interface Interruption {
  readonly signal?: Exclude<ReflectorSignal, 'listed'>;
  readonly cause: string;
  /** Nothing is left to resume from. */
  readonly listAgain?: boolean;
  /** How long the server asks us to stay away. */
  readonly retryAfterMs?: number;
  /** Nothing was wrong: the server ended the watch in its own time. */
  readonly expected?: boolean;
}

export function interruptionOf(failure: RestFailure): Interruption {
  const cause = failureText(failure);
  if (failure.kind !== 'status') return { signal: 'interrupted', cause };
  const { retryAfterMs } = failure;
  return {
    signal: signalOf(failure.status),
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

export function signalOf(status: number): 'expired' | 'unauthorized' | 'interrupted' {
  if (status === 410) return 'expired';
  return status === 401 ? 'unauthorized' : 'interrupted';
}

/** Refusals of the caller, not of what is asked: the same request may well be granted later. */
const passingStatuses: ReadonlySet<number> = new Set([401, 403, 408, 429]);

/** False when the server refuses the very version or page that is asked for, so that asking again is no use. */
export function isPassing(status: number): boolean {
  return status >= 500 || passingStatuses.has(status);
}
