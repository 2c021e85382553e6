/**
 * The Lease as a candidate reads and writes it: every write names the version that was read, so that of two candidates
 * who try at once the API server lets one through. It decides nothing.
 */
import type { NamespacedName } from '../model/cluster-objects.ts';
import { type LeaseClaim, type LeaseObject, leaseSpec, parseLease } from '../wire/lease.ts';
import { leasesPath } from './api-paths.ts';
import type { RestClient } from './rest-client.ts';
import { failureText, type RestResult } from './rest-result.ts';

/** A lease as it was read or written, with what the next write needs. */
export interface StoredLease {
  readonly kind: 'found';
  /** Undefined where it cannot be understood. */
  readonly lease: LeaseObject | undefined;
  /** As it was read; equal as long as nobody has written to the lease's `spec`. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly metadata: object;
}

export type LeaseReading =
  StoredLease | { readonly kind: 'missing' } | { readonly kind: 'failed'; readonly message: string };

/** `outdated`: somebody else has written since; read again. */
export type LeaseWriting =
  StoredLease | { readonly kind: 'outdated' } | { readonly kind: 'failed'; readonly message: string };

export interface CallLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export class LeaseStore {
  readonly #client: Pick<RestClient, 'request'>;
  readonly #lease: NamespacedName;

  constructor(client: Pick<RestClient, 'request'>, lease: NamespacedName) {
    this.#client = client;
    this.#lease = lease;
  }

  async read(limits: CallLimits): Promise<LeaseReading> {
    const result = await this.#client.request({ method: 'GET', path: this.#path(), ...limits });
    if (result.kind === 'status' && result.status === 404) return { kind: 'missing' };
    return result.kind === 'ok' ? stored(result.body) : { kind: 'failed', message: failureText(result) };
  }

  async create(claim: LeaseClaim, limits: CallLimits): Promise<LeaseWriting> {
    const { namespace, name } = this.#lease;
    const body = { ...leaseKind, metadata: { namespace, name }, spec: leaseSpec(claim) };
    const path = leasesPath(namespace);
    return writingOf(await this.#client.request({ method: 'POST', path, body, ...limits }));
  }

  /** Replaces what was read, if it is still that; what we know nothing of is written back as it is. */
  async replace(
    { spec, metadata }: StoredLease,
    claim: LeaseClaim,
    limits: CallLimits,
  ): Promise<LeaseWriting> {
    const body = { ...leaseKind, metadata, spec: { ...spec, ...leaseSpec(claim) } };
    return writingOf(await this.#client.request({ method: 'PUT', path: this.#path(), body, ...limits }));
  }

  #path(): string {
    return `${leasesPath(this.#lease.namespace)}/${encodeURIComponent(this.#lease.name)}`;
  }
}

const leaseKind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;

function writingOf(result: RestResult): LeaseWriting {
  if (result.kind === 'status' && (result.status === 409 || result.status === 404)) {
    return { kind: 'outdated' };
  }
  return result.kind === 'ok' ? stored(result.body) : { kind: 'failed', message: failureText(result) };
}

function stored(body: unknown): StoredLease | { readonly kind: 'failed'; readonly message: string } {
  const { metadata, spec } = asRecord(body);
  // Without a version the next write would overwrite whatever is there.
  if (typeof asRecord(metadata)['resourceVersion'] !== 'string') {
    return { kind: 'failed', message: 'the answer is no lease' };
  }
  const lease = parseLease(body);
  return {
    kind: 'found',
    lease: lease.ok ? lease.value : undefined,
    spec: asRecord(spec),
    metadata: asRecord(metadata),
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
