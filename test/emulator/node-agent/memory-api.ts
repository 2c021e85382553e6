/**
 * Nodes and pods in memory behind the port that the node agent calls, with merge patches, versions and a watch of
 * pods. No sockets, so a test owns the clock and `settled` waits for everything under way. The agent's traffic with a
 * real API server is tested in `test/e2e/`.
 */
import type { RestRequest, StreamEnd, StreamRequest } from '../../../src/kubernetes/rest-client.ts';
import type { RestFailure, RestResult } from '../../../src/kubernetes/rest-result.ts';
import type { AgentClient } from '../../../src/emulator/node-agent/agent-api.ts';

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface StoredObject {
  readonly metadata: Metadata;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** Lets everything that waits for promises alone run to its end. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export class MemoryApi implements AgentClient {
  readonly #objects = new Map<string, StoredObject>();
  readonly #watchers = new Set<(line: string) => boolean>();
  readonly #failures: { readonly request: string; readonly failure: RestFailure }[] = [];
  #version = 0;
  /** `METHOD path` of every request but reads, in order. */
  readonly writes: string[] = [];

  /** Stores an object as it is, e.g. a pod that a scheduler has bound. */
  put(path: string, object: object): void {
    this.#store(path, object as StoredObject, this.#objects.has(path) ? 'MODIFIED' : 'ADDED');
  }

  /** Removes an object as a forced deletion does. */
  remove(path: string): void {
    const object = this.#objects.get(path);
    this.#objects.delete(path);
    if (object !== undefined) this.#tell('DELETED', path, object);
  }

  /** The object now; throws where there is none. */
  get(path: string): StoredObject {
    const object = this.#objects.get(path);
    if (object === undefined) throw new Error(`no ${path}`);
    return object;
  }

  has(path: string): boolean {
    return this.#objects.has(path);
  }

  annotation(path: string, key: string): string | undefined {
    return this.get(path).metadata.annotations?.[key];
  }

  /** The next request `METHOD path` ends so instead. */
  failNext(request: string, failure: RestFailure): void {
    this.#failures.push({ request, failure });
  }

  async request(request: RestRequest): Promise<RestResult> {
    await Promise.resolve();
    const { method, path } = request;
    if (method !== 'GET') this.writes.push(`${method} ${path}`);
    const failing = this.#failures.findIndex((failure) => failure.request === `${method} ${path}`);
    const [failure] = failing < 0 ? [] : this.#failures.splice(failing, 1);
    if (failure !== undefined) return failure.failure;
    switch (method) {
      case 'GET':
        return path === '/api/v1/pods' ? this.#list(request) : this.#answer(path);
      case 'POST':
        return this.#create(path, request.body as StoredObject);
      case 'PATCH':
        return this.#patch(path.replace(/\/status$/, ''), request.body as StoredObject);
      case 'DELETE':
        return this.#delete(path, request.body as { preconditions: { uid: string } });
      case 'PUT':
        throw new Error('the node agent never replaces an object');
    }
  }

  stream({ signal, onOpen, onLine }: StreamRequest): Promise<StreamEnd> {
    onOpen?.();
    this.#watchers.add(onLine);
    return new Promise((resolve) => {
      signal?.addEventListener('abort', () => {
        this.#watchers.delete(onLine);
        resolve({ kind: 'aborted', message: 'aborted', ambiguous: false });
      });
    });
  }

  #answer(path: string): RestResult {
    const object = this.#objects.get(path);
    return object === undefined ? status(404, 'NotFound') : { kind: 'ok', status: 200, body: object };
  }

  #list({ query }: RestRequest): RestResult {
    const node = /^spec\.nodeName=(.+)$/.exec(String(query?.['fieldSelector']))?.[1];
    const items = [...this.#objects]
      .filter(([path, { spec }]) => isPod(path) && (node === undefined || spec?.['nodeName'] === node))
      .map(([, object]) => object);
    return {
      kind: 'ok',
      status: 200,
      body: { metadata: { resourceVersion: String(this.#version) }, items },
    };
  }

  #create(path: string, object: StoredObject): RestResult {
    const own = `${path}/${object.metadata.name}`;
    if (this.#objects.has(own)) return status(409, 'AlreadyExists');
    // As the admission plugin TaintNodesByCondition does.
    const taints = [...(object.spec?.['taints'] as readonly object[]), notReady];
    this.#store(own, { ...object, spec: { ...object.spec, taints } }, 'ADDED');
    return this.#answer(own);
  }

  #patch(path: string, patch: StoredObject): RestResult {
    const object = this.#objects.get(path);
    if (object === undefined) return status(404, 'NotFound');
    const { uid, resourceVersion } = (patch.metadata as Metadata | undefined) ?? {};
    const conflicts =
      (uid !== undefined && uid !== object.metadata.uid) ||
      (resourceVersion !== undefined && resourceVersion !== object.metadata.resourceVersion);
    if (conflicts) return status(409, 'Conflict');
    this.#store(path, merged(object, patch) as StoredObject, 'MODIFIED');
    return this.#answer(path);
  }

  #delete(path: string, { preconditions }: { preconditions: { uid: string } }): RestResult {
    const object = this.#objects.get(path);
    if (object === undefined) return status(404, 'NotFound');
    if (preconditions.uid !== object.metadata.uid) return status(409, 'Conflict');
    this.remove(path);
    return { kind: 'ok', status: 200, body: object };
  }

  #store(path: string, object: StoredObject, type: 'ADDED' | 'MODIFIED'): void {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(path, stored);
    this.#tell(type, path, stored);
  }

  #tell(type: string, path: string, object: StoredObject): void {
    if (!isPod(path) || object.spec?.['nodeName'] === undefined) return;
    for (const onLine of this.#watchers) onLine(JSON.stringify({ type, object }));
  }
}

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };

function isPod(path: string): boolean {
  return path.includes('/pods/');
}

function status(code: number, reason: string): RestFailure {
  return { kind: 'status', status: code, reason, message: reason };
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = { ...(isRecord(target) ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = merged(result[key], value);
  }
  return result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
