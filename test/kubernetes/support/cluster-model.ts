/**
 * The rules of an API server for what the writing side touches: nodes, pods, Bindings, Events and Secrets under one
 * version counter. Every request is carried out at once and as a whole; sockets and faults are `TestCluster`'s.
 */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: unknown;
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly deletionTimestamp?: string;
}

export interface Stored {
  readonly metadata: Metadata;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Longest name of an object (RFC 1123 subdomain). */
const longestName = 253;

const nodeRoot = '/api/v1/nodes/';
const podPattern = /^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+$/;
const bindingPattern = /^(\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+)\/binding$/;
const podsOfNodePattern = /^\/api\/v1\/pods\?fieldSelector=spec\.nodeName%3D([^&]+)$/;
const collectionPattern = /^\/api\/v1\/namespaces\/[^/]+\/(events|secrets)$/;

export class ClusterModel {
  /** False for the ways of servers before v1.35. */
  copiesBindingLabels = true;
  /** Hears of every change, and of a deletion without an object, when it is stored. */
  onChange: (path: string, object: Stored | undefined) => void = () => undefined;
  /** Hears of a Binding just before it takes effect. */
  onBinding: (pod: Stored, node: string) => void = () => undefined;
  readonly #objects = new Map<string, Stored>();
  #version = 100;

  find(path: string): Stored | undefined {
    return this.#objects.get(path);
  }

  /** Every object whose path begins so. */
  under(root: string): readonly Stored[] {
    return [...this.#objects].flatMap(([path, object]) => (path.startsWith(root) ? [object] : []));
  }

  /** Stores an object under a new version and answers it. */
  put(path: string, object: Stored): Stored {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(path, stored);
    this.onChange(path, stored);
    return stored;
  }

  remove(path: string): void {
    this.#objects.delete(path);
    this.onChange(path, undefined);
  }

  /** What a client without faults would do with one merge patch; throws when there is no such object. */
  change(path: string, patch: object): Stored {
    const answer = this.handle({
      method: 'PATCH',
      path,
      contentType: 'application/merge-patch+json',
      body: patch,
    });
    if (answer.status !== 200) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    return answer.body as Stored;
  }

  handle({ method, path, contentType, body }: Call): Answer {
    const node = method === 'GET' ? podsOfNodePattern.exec(path)?.[1] : undefined;
    if (node !== undefined) return this.#podsOf(decodeURIComponent(node));
    if (method === 'GET') {
      const found = this.#objects.get(path);
      return found === undefined ? failure(404, 'NotFound', path) : { status: 200, body: found };
    }
    if (method === 'PATCH' && (path.startsWith(nodeRoot) || podPattern.test(path))) {
      return contentType === 'application/merge-patch+json'
        ? this.#patch(path, body)
        : failure(415, 'UnsupportedMediaType', contentType);
    }
    const pod = bindingPattern.exec(path)?.[1];
    if (method === 'POST' && pod !== undefined) return this.#bind(pod, body as Stored);
    if (method === 'POST' && collectionPattern.test(path)) return this.#create(path, body as Stored);
    return failure(405, 'MethodNotAllowed', `${method} ${path}`);
  }

  #podsOf(node: string): Answer {
    const items = this.under('/api/v1/namespaces/').filter(({ spec }) => spec?.['nodeName'] === node);
    return { status: 200, body: { metadata: { resourceVersion: String(this.#version) }, items } };
  }

  #patch(path: string, patch: unknown): Answer {
    const current = this.#objects.get(path);
    if (current === undefined) return failure(404, 'NotFound', path);
    const asked: Partial<Metadata> = (patch as Partial<Stored>).metadata ?? {};
    // Of a patch the UID is no precondition but a field, and an immutable one.
    if (asked.uid !== undefined && asked.uid !== current.metadata.uid) {
      return failure(422, 'Invalid', 'metadata.uid: Invalid value: field is immutable');
    }
    const precondition = findConflict(asked, current.metadata);
    if (precondition !== undefined) return precondition;
    const next = merged(current, patch) as Stored;
    // A change that changes nothing writes nothing.
    const same = JSON.stringify(next) === JSON.stringify(current);
    return { status: 200, body: same ? current : this.put(path, next) };
  }

  #bind(path: string, binding: Stored): Answer {
    const pod = this.#objects.get(path);
    if (pod === undefined) return failure(404, 'NotFound', path);
    const precondition = findConflict(binding.metadata, pod.metadata);
    if (precondition !== undefined) return precondition;
    if (pod.metadata.deletionTimestamp !== undefined) return failure(409, 'Conflict', 'is being deleted');
    if (pod.spec?.['nodeName'] !== undefined)
      return failure(409, 'Conflict', 'is already assigned to a node');
    const nodeName = (binding['target'] as { readonly name: string }).name;
    this.onBinding(pod, nodeName);
    const { annotations, labels } = binding.metadata;
    this.put(path, {
      ...pod,
      metadata: {
        ...pod.metadata,
        annotations: { ...pod.metadata.annotations, ...annotations },
        labels: { ...pod.metadata.labels, ...(this.copiesBindingLabels ? labels : {}) },
      },
      spec: { ...pod.spec, nodeName },
    });
    return { status: 201, body: { kind: 'Status', apiVersion: 'v1', status: 'Success', code: 201 } };
  }

  #create(collection: string, object: Stored): Answer {
    const { name } = object.metadata;
    const path = `${collection}/${name}`;
    if (name.length > longestName || /(^|\.)-|-(\.|$)|\.\.|^\.|\.$/.test(name)) {
      return failure(422, 'Invalid', `metadata.name: ${name}`);
    }
    if (this.#objects.has(path)) return failure(409, 'AlreadyExists', path);
    return { status: 201, body: this.put(path, object) };
  }
}

export function failure(code: number, reason: string, message: string): Answer {
  return {
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message },
  };
}

function findConflict(asked: Partial<Metadata>, current: Metadata): Answer | undefined {
  const { uid = current.uid, resourceVersion = current.resourceVersion } = asked;
  if (uid !== current.uid) return failure(409, 'Conflict', `Precondition failed: UID: ${uid ?? ''}`);
  if (resourceVersion !== current.resourceVersion) {
    return failure(409, 'Conflict', `Precondition failed: ResourceVersion: ${resourceVersion ?? ''}`);
  }
  return undefined;
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = typeof target === 'object' && target !== null ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = merged(result[key], value);
  }
  return result;
}
