/**
 * The key of the seal, kept in a Secret so that every replica and every restart has the same one. Made on first use;
 * two that make it at once end up with the one that was stored first.
 */
import type { RestClient } from './rest-client.ts';
import { failureText, type RestResult } from './rest-result.ts';

export interface SealKeyOptions {
  readonly client: RestClient;
  readonly namespace: string;
  /** Fresh random bytes of the given number. */
  readonly randomBytes: (count: number) => Buffer;
}

/** `forbidden`: RBAC lets us neither read nor make the Secret, which no retry changes. */
export type SealKeyReading =
  | { readonly kind: 'found'; readonly key: Buffer }
  | { readonly kind: 'forbidden' | 'failed'; readonly problem: string };

const secretName = 'tessera-seal';
const field = 'key';
export const sealKeyBytes = 32;
const callTimeoutMs = 10_000;

/** The key that is stored, or that there is none; never makes one. */
export async function findSealKey(
  client: Pick<RestClient, 'request'>,
  namespace: string,
): Promise<SealKeyReading | { readonly kind: 'absent' }> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${secretName}`;
  const existing = await client.request({ method: 'GET', path, timeoutMs: callTimeoutMs });
  return isStatus(existing, 404) ? { kind: 'absent' } : keyFrom(existing, namespace);
}

/** The stored key; `failed` when the Secret can be neither read nor made, or holds no usable key. */
export async function loadSealKey({
  client,
  namespace,
  randomBytes,
}: SealKeyOptions): Promise<SealKeyReading> {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  const read = () =>
    client.request({ method: 'GET', path: `${collection}/${secretName}`, timeoutMs: callTimeoutMs });
  const existing = await read();
  if (!isStatus(existing, 404)) return keyFrom(existing, namespace);
  const created = await client.request({
    method: 'POST',
    path: collection,
    body: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secretName, namespace },
      type: 'Opaque',
      data: { [field]: randomBytes(sealKeyBytes).toString('base64') },
    },
    timeoutMs: callTimeoutMs,
  });
  return keyFrom(isStatus(created, 409) ? await read() : created, namespace);
}

function isStatus(result: RestResult, status: number): boolean {
  return result.kind === 'status' && result.status === status;
}

function keyFrom(result: RestResult, namespace: string): SealKeyReading {
  const place = `Secret ${namespace}/${secretName}`;
  if (result.kind !== 'ok') {
    const kind = isStatus(result, 403) ? 'forbidden' : 'failed';
    return { kind, problem: `${place}: ${failureText(result)}` };
  }
  const body = result.body as { readonly data?: Readonly<Record<string, unknown>> } | null;
  const written = body?.data?.[field];
  const key = typeof written === 'string' ? Buffer.from(written, 'base64') : undefined;
  if (key === undefined || key.length < sealKeyBytes) {
    const problem = `${place}: field ${field} does not hold ${sealKeyBytes} bytes; delete the Secret to have it made anew`;
    return { kind: 'failed', problem };
  }
  return { kind: 'found', key };
}
