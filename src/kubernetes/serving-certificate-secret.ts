/**
 * The Secret in which the serving certificate lives, so that all replicas serve the same one and a restart changes
 * nothing. Written by compare-and-swap: of two replicas that renew at once, one finds the other's result.
 */
import type { RestClient } from './rest-client.ts';
import { failureText, type RestResult } from './rest-result.ts';
import { noMaterial, type ServingMaterial } from './serving-certificate-material.ts';

export interface StoredSecret {
  readonly kind: 'found';
  /** Empty where the Secret has nothing. */
  readonly material: ServingMaterial;
  /** As it was read; what we know nothing of is written back as it is. */
  readonly object: Readonly<Record<string, unknown>>;
}

export type SecretReading =
  StoredSecret | { readonly kind: 'missing' } | { readonly kind: 'failed'; readonly message: string };

/** `outdated`: somebody else was first; read again. */
export type SecretWriting =
  | { readonly kind: 'written' }
  | { readonly kind: 'outdated' }
  | { readonly kind: 'failed'; readonly message: string };

const callTimeoutMs = 10_000;

/** Fields of a Secret of type kubernetes.io/tls, and the authority beside them. */
const fields = {
  authorities: 'ca.crt',
  authorityKey: 'ca.key',
  certificate: 'tls.crt',
  key: 'tls.key',
} as const satisfies Record<keyof ServingMaterial, string>;

export class CertificateSecret {
  readonly #client: RestClient;
  readonly #namespace: string;
  readonly #name: string;

  constructor(client: RestClient, namespace: string, name: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#name = name;
  }

  async read(): Promise<SecretReading> {
    const result = await this.#client.request({
      method: 'GET',
      path: `${this.#collection()}/${this.#name}`,
      timeoutMs: callTimeoutMs,
    });
    if (result.kind === 'status' && result.status === 404) return { kind: 'missing' };
    if (result.kind !== 'ok') return { kind: 'failed', message: failureText(result) };
    const object = result.body as Readonly<Record<string, unknown>>;
    return { kind: 'found', object, material: materialOf(object['data']) };
  }

  async create(material: ServingMaterial): Promise<SecretWriting> {
    const result = await this.#client.request({
      method: 'POST',
      path: this.#collection(),
      body: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: this.#name, namespace: this.#namespace },
        type: 'kubernetes.io/tls',
        data: dataOf(material),
      },
      timeoutMs: callTimeoutMs,
    });
    return writingOf(result);
  }

  /** Replaces what `stored` holds, if it is still what was read. */
  async replace(stored: StoredSecret, material: ServingMaterial): Promise<SecretWriting> {
    const data = { ...(stored.object['data'] as object | undefined), ...dataOf(material) };
    const result = await this.#client.request({
      method: 'PUT',
      path: `${this.#collection()}/${this.#name}`,
      body: { ...stored.object, data },
      timeoutMs: callTimeoutMs,
    });
    return writingOf(result);
  }

  #collection(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.#namespace)}/secrets`;
  }
}

function writingOf(result: RestResult): SecretWriting {
  if (result.kind === 'ok') return { kind: 'written' };
  // 404: deleted between read and write.
  if (result.kind === 'status' && (result.status === 409 || result.status === 404))
    return { kind: 'outdated' };
  return { kind: 'failed', message: failureText(result) };
}

function materialOf(data: unknown): ServingMaterial {
  const texts = Object.entries(fields).map(([part, field]) => {
    const value: unknown = typeof data === 'object' && data !== null ? Reflect.get(data, field) : undefined;
    return [part, typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : ''];
  });
  return { ...noMaterial, ...(Object.fromEntries(texts) as Partial<ServingMaterial>) };
}

function dataOf(material: ServingMaterial): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).map(([part, field]) => [
      field,
      Buffer.from(material[part as keyof ServingMaterial]).toString('base64'),
    ]),
  );
}
