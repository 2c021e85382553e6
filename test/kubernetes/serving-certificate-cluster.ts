/**
 * As much of an API server as the serving certificate talks to: one Secret per name and some
 * MutatingWebhookConfigurations, with resource versions that count, over real HTTP. A test can damage what it holds,
 * refuse calls, and look after every write.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openAccess } from '../../src/kubernetes/api-access.ts';
import { RestClient } from '../../src/kubernetes/rest-client.ts';
import type { ServingMaterial } from '../../src/kubernetes/serving-certificate-material.ts';
import type { Clock } from '../../src/model/clock.ts';

interface StoredObject {
  metadata: { name: string; resourceVersion: string; [field: string]: unknown };
  [field: string]: unknown;
}

export interface SecretObject extends StoredObject {
  type: string;
  data: Record<string, string>;
}

export interface WebhookObject extends StoredObject {
  webhooks: { name: string; clientConfig: { caBundle?: string; [field: string]: unknown } }[];
}

type Refusal = (method: string, path: string) => number | undefined;

const secretPath = '/api/v1/namespaces/tessera-system/secrets';
const webhookPath = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

export class CertificateCluster {
  readonly objects = new Map<string, StoredObject>();
  /** Methods and paths of all writes that were carried out. */
  readonly writes: string[] = [];
  /** A status to answer with instead. */
  refuse: Refusal = () => undefined;
  /** Called before a write is carried out; the place for somebody else to be faster. */
  beforeWrite: () => void = () => undefined;
  afterWrite: () => void = () => undefined;
  #version = 1;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const answer = this.#answer(
          request.method ?? '',
          request.url ?? '',
          text === '' ? undefined : JSON.parse(text),
        );
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer.body));
      });
    });
  }

  static async start(): Promise<CertificateCluster> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return new CertificateCluster(server);
  }

  client(clock: Clock): RestClient {
    const { port } = this.#server.address() as AddressInfo;
    return new RestClient({ access: openAccess(`http://127.0.0.1:${port}`), clock, version: 'test' });
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  secret(name = 'tessera-tls'): SecretObject | undefined {
    return this.objects.get(`${secretPath}/${name}`) as SecretObject | undefined;
  }

  /** A decoded field of the Secret; empty where there is none. */
  field(name: string): string {
    return Buffer.from(this.secret()?.data[name] ?? '', 'base64').toString('utf8');
  }

  putSecret(material: ServingMaterial, more: Readonly<Record<string, string>> = {}): void {
    const texts = {
      'ca.crt': material.authorities,
      'ca.key': material.authorityKey,
      'tls.crt': material.certificate,
      'tls.key': material.key,
      ...more,
    };
    const data = Object.fromEntries(
      Object.entries(texts).map(([field, text]) => [field, Buffer.from(text).toString('base64')]),
    );
    this.#store(`${secretPath}/tessera-tls`, { type: 'kubernetes.io/tls', data });
  }

  deleteSecret(): void {
    this.objects.delete(`${secretPath}/tessera-tls`);
  }

  putWebhooks(name: string, caBundles: readonly (string | undefined)[]): void {
    const webhooks = caBundles.map((pem, index) => ({
      name: `w${index}.tessera.io`,
      clientConfig: {
        service: { name: 'tessera', namespace: 'tessera-system' },
        ...(pem === undefined ? {} : { caBundle: Buffer.from(pem).toString('base64') }),
      },
    }));
    this.#store(`${webhookPath}/${name}`, { webhooks });
  }

  webhooks(name = 'tessera'): WebhookObject['webhooks'] {
    return (this.objects.get(`${webhookPath}/${name}`) as WebhookObject | undefined)?.webhooks ?? [];
  }

  /** The decoded `caBundle` of every webhook. */
  caBundles(name = 'tessera'): readonly string[] {
    return this.webhooks(name).map(({ clientConfig }) =>
      Buffer.from(clientConfig.caBundle ?? '', 'base64').toString('utf8'),
    );
  }

  #store(path: string, object: Readonly<Record<string, unknown>>): StoredObject {
    this.#version += 1;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const metadata = {
      ...(object['metadata'] as object | undefined),
      name,
      resourceVersion: `${this.#version}`,
    };
    const stored = { ...object, metadata };
    this.objects.set(path, stored);
    return stored;
  }

  #answer(method: string, path: string, body: unknown): { status: number; body: unknown } {
    const refused = this.refuse(method, path);
    if (refused !== undefined)
      return { status: refused, body: { kind: 'Status', message: 'refused by the test' } };
    if (method !== 'GET') this.beforeWrite();
    const answer = this.#carryOut(method, path, body);
    if (method !== 'GET' && answer.status < 300) {
      this.writes.push(`${method} ${path}`);
      this.afterWrite();
    }
    return answer;
  }

  #carryOut(method: string, path: string, body: unknown): { status: number; body: unknown } {
    const place = method === 'POST' ? `${path}/${(body as StoredObject).metadata.name}` : path;
    const present = this.objects.get(place);
    if (method === 'POST') {
      if (present !== undefined) return { status: 409, body: { kind: 'Status', reason: 'AlreadyExists' } };
      return { status: 201, body: this.#store(place, body as StoredObject) };
    }
    if (present === undefined) return { status: 404, body: { kind: 'Status', reason: 'NotFound' } };
    if (method === 'GET') return { status: 200, body: present };
    if (method === 'PUT') {
      const object = body as StoredObject;
      const isCurrent = object.metadata.resourceVersion === present.metadata.resourceVersion;
      if (!isCurrent) return { status: 409, body: { kind: 'Status', reason: 'Conflict' } };
      return { status: 200, body: this.#store(place, object) };
    }
    return this.#patch(place, structuredClone(present), body as readonly Operation[]);
  }

  #patch(
    place: string,
    object: StoredObject,
    operations: readonly Operation[],
  ): { status: number; body: unknown } {
    for (const { op, path, value } of operations) {
      const keys = path.slice(1).split('/');
      const last = keys.pop() ?? '';
      const holder = keys.reduce<unknown>((at, key) => Reflect.get(at as object, key), object) as object;
      if (op === 'add') Reflect.set(holder, last, value);
      else if (Reflect.get(holder, last) !== value)
        return { status: 422, body: { kind: 'Status', reason: 'Invalid' } };
    }
    return { status: 200, body: this.#store(place, object) };
  }
}

interface Operation {
  readonly op: 'test' | 'add';
  readonly path: string;
  readonly value: unknown;
}
