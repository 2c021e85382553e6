/**
 * Faults on demand, for tests of clients: slow, broken and lying answers of chosen requests. A rule applies to the
 * next `times` requests that match it, before anything else is done with them. There is no HTTP surface for this.
 */
import type { RequestHandler } from 'express';
import type { Clock } from '../../model/clock.ts';
import { swallow } from './open-watches.ts';
import { ApiError, type Status } from './status.ts';

/** Error answers of a server that works and says no. */
export type FaultCode = 409 | 410 | 429 | 500;

export type Fault =
  /** Waits, then goes on, even when the client has gone meanwhile: a write comes late. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Breaks the connection before anything is done. */
  | { readonly kind: 'drop' }
  /** Answers with a Status and does nothing. */
  | { readonly kind: 'answer'; readonly code: FaultCode; readonly retryAfterSeconds?: number }
  /** Does what is asked and never answers. */
  | { readonly kind: 'silentAfterCommit' }
  /** For watches: the headers arrive, then nothing, not even the end. */
  | { readonly kind: 'halfOpenWatch' };

export type FaultRule = Fault & {
  /** As in HTTP, upper case; absent for all. */
  readonly method?: string;
  /** Decides on path and query as sent, e.g. `/api/v1/pods?watch=true`. */
  readonly path: RegExp | ((path: string) => boolean);
  /** How many requests it applies to: 1 unless given; `Infinity` until removed. */
  readonly times?: number;
};

export interface AddedFault {
  /** Requests that it applied to so far. */
  readonly hits: number;
  remove(): void;
}

interface ActiveRule {
  readonly rule: FaultRule;
  hits: number;
}

const reasons: Readonly<Record<FaultCode, string>> = {
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
};

export class Faults {
  readonly #rules = new Set<ActiveRule>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(rule: FaultRule): AddedFault {
    const active: ActiveRule = { rule, hits: 0 };
    this.#rules.add(active);
    return {
      get hits() {
        return active.hits;
      },
      remove: () => {
        this.#rules.delete(active);
      },
    };
  }

  clear(): void {
    this.#rules.clear();
  }

  /** Comes before all routes. */
  readonly middleware: RequestHandler = async (request, response, next) => {
    for (const active of this.#rules) {
      if (!applies(active, request.method, request.originalUrl)) continue;
      active.hits += 1;
      const { rule } = active;
      switch (rule.kind) {
        case 'delay':
          await new Promise<void>((resolve) => {
            this.#clock.after(rule.delayMs, resolve);
          });
          break;
        case 'drop':
          request.socket.destroy();
          return;
        case 'answer':
          throw faultAnswer(rule.code, rule.retryAfterSeconds);
        case 'silentAfterCommit':
        case 'halfOpenWatch':
          swallow(response);
          next();
          return;
      }
    }
    next();
  };
}

function applies({ rule, hits }: ActiveRule, method: string, path: string): boolean {
  if (hits >= (rule.times ?? 1)) return false;
  if (rule.method !== undefined && rule.method !== method) return false;
  return rule.path instanceof RegExp ? rule.path.test(path) : rule.path(path);
}

function faultAnswer(code: FaultCode, retryAfterSeconds: number | undefined): ApiError {
  const more: Partial<Status> = retryAfterSeconds === undefined ? {} : { details: { retryAfterSeconds } };
  return new ApiError(code, reasons[code], `a fault was asked for: ${reasons[code]}`, more);
}
