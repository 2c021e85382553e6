/**
 * How a request to the API server can end. Failures are values, told apart by what a caller does next: a status is
 * the server's own word, everything else is silence, and `ambiguous` silence means that a write may have been carried
 * out and must be resolved by reading the object.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface RestAnswer {
  readonly kind: 'ok';
  readonly status: number;
  /** The decoded JSON, or the text where the server answers with text. */
  readonly body: unknown;
}

export type RestFailure =
  /** The server answered with something other than 2xx. */
  | {
      readonly kind: 'status';
      readonly status: number;
      /** `Status.reason`, e.g. `AlreadyExists`, `Conflict`, `Expired`; empty where the server gave none. */
      readonly reason: string;
      readonly message: string;
      /** How long the server asks us to stay away. */
      readonly retryAfterMs?: number;
    }
  /** No answer, or none that can be read. */
  | {
      readonly kind: 'transport';
      /** The system's or TLS' error code, e.g. `ECONNREFUSED`. */
      readonly code?: string;
      readonly message: string;
      readonly ambiguous: boolean;
    }
  | { readonly kind: 'timeout'; readonly message: string; readonly ambiguous: boolean }
  /** The caller's signal ended it. */
  | { readonly kind: 'aborted'; readonly message: string; readonly ambiguous: boolean }
  /** The answer is larger than the client takes; a smaller page may do. */
  | { readonly kind: 'oversized'; readonly message: string; readonly ambiguous: boolean };

export type RestResult = RestAnswer | RestFailure;

/**
 * True when nobody can tell from the result whether the request was carried out. A 5xx is such a case: the API server
 * answers so when its store timed out over a write, and so do proxies that lost the server.
 */
export function isAmbiguous(result: RestResult): boolean {
  if (result.kind === 'ok') return false;
  return result.kind === 'status' ? result.status >= 500 : result.ambiguous;
}

/** One line about a failure, for logs and messages. */
export function failureText(failure: RestFailure): string {
  if (failure.kind !== 'status') return failure.message;
  const reason = failure.reason === '' ? '' : ` ${failure.reason}`;
  return `HTTP ${failure.status}${reason}: ${failure.message}`;
}

/** Longest part of a body that is quoted when it is no `Status` object. */
const quotedCharacters = 200;

/** Reads an answer other than 2xx; `body` is a `Status` object unless something before the API server spoke. */
export function refusalOf(status: number, headers: IncomingHttpHeaders, body: unknown): RestFailure {
  const { reason, message } = statusFields(body);
  const retryAfterMs = retryAfterMsOf(headers['retry-after']);
  return {
    kind: 'status',
    status,
    reason: reason ?? '',
    message:
      message ?? (typeof body === 'string' && body !== '' ? body.slice(0, quotedCharacters) : 'no message'),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function statusFields(body: unknown): { readonly reason?: string; readonly message?: string } {
  if (typeof body !== 'object' || body === null) return {};
  const { reason, message } = body as { readonly reason?: unknown; readonly message?: unknown };
  return {
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof message === 'string' ? { message } : {}),
  };
}

/** Seconds only, as the API server writes it; the date form of other servers is not understood. */
function retryAfterMsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}
