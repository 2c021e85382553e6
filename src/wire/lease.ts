/**
 * Reads and writes the Lease by which processes agree on a leader (coordination.k8s.io/v1). Times in it come from other machines'
 * clocks, so none is handed on: all that can be told from them is that one record differs from another.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { schemaParser } from './validate.ts';

export interface LeaseObject {
  /** Absent when nobody holds the lease, e.g. because its last holder has given it up. */
  readonly holder?: LeaseHolder;
  /** Equal as long as the lease was neither renewed nor taken; means nothing else. */
  readonly record: string;
}

export interface LeaseHolder {
  /** What the holder calls itself; kube-scheduler writes `<hostname>_<uuid>`. */
  readonly identity: string;
  /** How long the others wait after a renewal before they take the lease. */
  readonly durationMs: number;
  /** How often the lease has changed hands. */
  readonly transitions: number;
}

interface RawLease {
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number | null;
    readonly acquireTime?: string | null;
    readonly renewTime?: string | null;
    readonly leaseTransitions?: number | null;
  } | null;
}

/** A day. An election that would wait longer is none, and timers end somewhere, too. */
const longestDurationSeconds = 86_400;

const text = { type: 'string', nullable: true };

const readRawLease = schemaParser<RawLease>({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      nullable: true,
      properties: {
        holderIdentity: text,
        leaseDurationSeconds: {
          type: 'integer',
          nullable: true,
          minimum: 1,
          maximum: longestDurationSeconds,
        },
        acquireTime: text,
        renewTime: text,
        leaseTransitions: { type: 'integer', nullable: true },
      },
    },
  },
});

/** What a candidate writes. */
export interface LeaseClaim {
  /** Empty gives the lease up. */
  readonly identity: string;
  readonly durationSeconds: number;
  readonly acquiredMs: number;
  readonly renewedMs: number;
  readonly transitions: number;
}

/** The `spec` of the lease, its times in microseconds as the API server takes them. */
export function leaseSpec(claim: LeaseClaim): object {
  return {
    holderIdentity: claim.identity,
    leaseDurationSeconds: claim.durationSeconds,
    acquireTime: microTime(claim.acquiredMs),
    renewTime: microTime(claim.renewedMs),
    leaseTransitions: claim.transitions,
  };
}

function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** A lease from JSON of any origin; refuses one that is held for no stated time. Never throws. */
export function parseLease(value: unknown): Parsed<LeaseObject> {
  const raw = readRawLease(value);
  if (!raw.ok) return raw;
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } =
    raw.value.spec ?? {};
  const identity = holderIdentity ?? '';
  const record = JSON.stringify([identity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions]);
  if (identity === '') return parsed({ record });
  if (leaseDurationSeconds === undefined || leaseDurationSeconds === null) {
    return unparsable('a lease that is held without leaseDurationSeconds');
  }
  const holder = { identity, durationMs: leaseDurationSeconds * 1000, transitions: leaseTransitions ?? 0 };
  return parsed({ holder, record });
}
