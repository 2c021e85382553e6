/**
 * An API server that writes down what it is asked to do, in the words of RBAC, and plays along: it keeps what is
 * created, takes every patch for granted, and can refuse the first call of a kind.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Journal } from '../support/journal.ts';
import type { Permission } from './manifests.ts';

type Json = Readonly<Record<string, unknown>>;

interface Call {
  readonly method: string;
  readonly path: string;
  readonly watch: boolean;
  /** The one object that a list or a watch is restricted to by `metadata.name`. */
  readonly only?: string;
  /** The node whose pods alone are asked for. */
  readonly node?: string;
}

interface Asked extends Call {
  readonly body: Json;
}

export class RecordingApiServer {
  readonly calls = new Journal<Permission>();
  readonly url: string;
  readonly #objects: Map<string, Json>;
  readonly #refusals: Map<string, number>;
  readonly #server: Server;

  private constructor(server: Server, objects: Map<string, Json>, refusals: Map<string, number>) {
    this.#server = server;
    this.#objects = objects;
    this.#refusals = refusals;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /**
   * @param objects by path
   * @param refusals statuses for the first call of `METHOD path`
   */
  static async start(
    objects: Readonly<Record<string, Json>>,
    refusals: Readonly<Record<string, number>>,
  ): Promise<RecordingApiServer> {
    const http = createServer();
    await new Promise<void>((resolve) => {
      http.listen(0, '127.0.0.1', resolve);
    });
    const server = new RecordingApiServer(
      http,
      new Map(Object.entries(objects)),
      new Map(Object.entries(refusals)),
    );
    http.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', server.url);
        const watch = url.searchParams.has('watch');
        const text = Buffer.concat(chunks).toString('utf8');
        const body = (text === '' ? {} : JSON.parse(text)) as Json;
        const only = selected(url.searchParams, 'metadata.name');
        const node = selected(url.searchParams, 'spec.nodeName');
        const asked = {
          method: request.method ?? '',
          path: url.pathname,
          watch,
          body,
          ...(only === undefined ? {} : { only }),
          ...(node === undefined ? {} : { node }),
        };
        server.calls.add(permissionFor(asked));
        const answer = server.#answer(asked);
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        // A watch stays open and silent.
        if (watch) response.flushHeaders();
        else response.end(JSON.stringify(answer.body));
      });
    });
    return server;
  }

  /** Resolves once such a call was made. */
  async saw(wanted: Partial<Permission>): Promise<void> {
    for (let count = 0; ; count += 1) {
      const calls = await this.calls.atLeast(count);
      const isIt = (call: Permission) =>
        Object.entries(wanted).every(([key, value]) => Reflect.get(call, key) === value);
      if (calls.some(isIt)) return;
    }
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  #answer({ method, path, watch, body, node }: Asked): { readonly status: number; readonly body: unknown } {
    const refusal = this.#refusals.get(`${method} ${path}`);
    if (refusal !== undefined) {
      this.#refusals.delete(`${method} ${path}`);
      return { status: refusal, body: { kind: 'Status', message: 'refused by the test' } };
    }
    if (watch) return { status: 200, body: '' };
    if (method === 'POST') {
      const metadata = body['metadata'] as { readonly name: string };
      const created = { ...body, metadata: { ...metadata, resourceVersion: '1' } };
      this.#objects.set(`${path}/${metadata.name}`, created);
      return { status: 201, body: created };
    }
    const items = [...this.#objects]
      .filter(([place, object]) => isListed(place, path) && isOn(object, node))
      .map(([, object]) => object);
    if (method === 'GET' && /\/(nodes|pods|resourcequotas|leases)$/.test(path)) {
      return { status: 200, body: { kind: 'List', metadata: { resourceVersion: '1' }, items } };
    }
    const object = this.#objects.get(path);
    return object === undefined
      ? { status: 404, body: { kind: 'Status', message: 'not found' } }
      : { status: 200, body: object };
  }
}

/** `/api/v1/pods` lists what lies in `/api/v1/namespaces/NAMESPACE/pods`, as that does itself. */
function isListed(place: string, collection: string): boolean {
  if (place.startsWith(`${collection}/`)) return true;
  return place.replace(/\/namespaces\/[^/]+/, '').startsWith(`${collection}/`);
}

function selected(query: URLSearchParams, field: string): string | undefined {
  const [given, value] = (query.get('fieldSelector') ?? '').split('=');
  return given === field ? value : undefined;
}

function isOn(object: Json, node: string | undefined): boolean {
  return node === undefined || (object['spec'] as { readonly nodeName?: string }).nodeName === node;
}

const verbs: Readonly<Record<string, string>> = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch' };

/** What a call needs, in the words of RBAC. */
export function permissionFor({ method, path, watch, only }: Call): Permission {
  const [, group = '', rest = ''] = /^\/api(?:s\/([^/]+))?\/[^/]+\/(.*)$/.exec(path) ?? [];
  const [, namespace, below = rest] = /^namespaces\/([^/]+)\/(.+)$/.exec(rest) ?? [];
  const [resource = '', named, subresource] = below.split('/');
  const verb = watch ? 'watch' : method === 'GET' && named === undefined ? 'list' : (verbs[method] ?? method);
  const name = named ?? only;
  return {
    group,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    verb,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}
