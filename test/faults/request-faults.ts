/** What can befall one call of the API, by name: what the server does with it, and what the caller gets to know. */
import type { RestFailure, RestResult } from '../../src/kubernetes/rest-result.ts';

export type RequestFault =
  | 'time-out-before-commit'
  | 'time-out-after-commit'
  /** Carried out long after the caller has given it up. */
  | 'late-commit'
  | 'connection-refused'
  | 'reset-before-commit'
  | 'reset-after-commit'
  | 'conflict-409'
  | 'too-many-requests-429'
  | 'error-500'
  /** The server answers 500 and has carried it out: its store timed out. */
  | 'error-500-after-commit'
  | 'slow';

export const requestFaults: readonly RequestFault[] = [
  'time-out-before-commit',
  'time-out-after-commit',
  'late-commit',
  'connection-refused',
  'reset-before-commit',
  'reset-after-commit',
  'conflict-409',
  'too-many-requests-429',
  'error-500',
  'error-500-after-commit',
  'slow',
];

/** Whether the server carries the call out. */
export function isCarriedOut(fault: RequestFault | undefined): boolean {
  switch (fault) {
    case 'time-out-before-commit':
    case 'connection-refused':
    case 'reset-before-commit':
    case 'conflict-409':
    case 'too-many-requests-429':
    case 'error-500':
      return false;
    case 'time-out-after-commit':
    case 'late-commit':
    case 'reset-after-commit':
    case 'error-500-after-commit':
    case 'slow':
    case undefined:
      return true;
  }
}

/** What the caller gets; `never` leaves it to its own time-out. */
export function answerUnder(fault: RequestFault | undefined, answer: RestResult): RestResult | 'never' {
  switch (fault) {
    case 'time-out-before-commit':
    case 'time-out-after-commit':
    case 'late-commit':
      return 'never';
    case 'connection-refused':
      return { kind: 'transport', code: 'ECONNREFUSED', message: 'connection refused', ambiguous: false };
    case 'reset-before-commit':
    case 'reset-after-commit':
      return { kind: 'transport', code: 'ECONNRESET', message: 'connection reset', ambiguous: true };
    case 'conflict-409':
      return status(409, 'Conflict');
    case 'too-many-requests-429':
      return { ...status(429, 'TooManyRequests'), retryAfterMs: 1000 };
    case 'error-500':
    case 'error-500-after-commit':
      return status(500, 'InternalError');
    case 'slow':
    case undefined:
      return answer;
  }
}

function status(code: number, reason: string): Extract<RestFailure, { kind: 'status' }> {
  return { kind: 'status', status: code, reason, message: `a fault was asked for: ${reason}` };
}
