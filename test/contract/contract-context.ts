/** What every part of the contract works with: the client, a namespace of its own, and short ways to make objects. */
import { type Answer, type ApiClient, type Json } from './api-client.ts';

export interface ContractContext {
  readonly client: ApiClient;
  /** Made for this run; other users of the server do not disturb it. */
  readonly namespace: string;
}

export type Context = () => ContractContext;

export const mergePatch = 'application/merge-patch+json';
export const jsonPatch = 'application/json-patch+json';
export const strategicPatch = 'application/strategic-merge-patch+json';

export function pathOf({ namespace }: ContractContext, plural: string, name = ''): string {
  return `/api/v1/namespaces/${namespace}/${plural}${name === '' ? '' : `/${name}`}`;
}

export function leasePath({ namespace }: ContractContext, name = ''): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases${name === '' ? '' : `/${name}`}`;
}

export interface PodParts {
  readonly name?: string;
  readonly labels?: Json;
  readonly annotations?: Json;
  readonly limits?: Json;
  readonly spec?: Json;
}

export function podBody({ name, labels = {}, annotations = {}, limits = {}, spec = {} }: PodParts): Json {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...(name === undefined ? { generateName: 'pod-' } : { name }), labels, annotations },
    spec: { containers: [{ name: 'main', image: 'registry.example/app:1', resources: { limits } }], ...spec },
  };
}

/** The spec of a pod with one container and these fields. */
export function podSpec(fields: Json): Json {
  return { containers: [{ name: 'main', image: 'registry.example/app:1' }], ...fields };
}

/** Creates a pod that nothing tends; its name is generated unless given. */
export async function createPod(context: ContractContext, parts: PodParts = {}): Promise<Json> {
  return accepted(await context.client.send('POST', pathOf(context, 'pods'), { body: podBody(parts) }));
}

export async function createNode(context: ContractContext): Promise<Json> {
  const body = {
    metadata: { generateName: 'contract-' },
    spec: { taints: [{ key: 'first', effect: 'NoSchedule' }] },
    status: { capacity: { cpu: '8000m' }, conditions: [{ type: 'Ready', status: 'True' }] },
  };
  return accepted(await context.client.send('POST', '/api/v1/nodes', { body }));
}

/** A Binding of the pod to a node that need not exist. */
export function bindingBody(pod: Json, metadata: Json = {}, node = 'node-1'): Json {
  return {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: textOf(pod, 'metadata', 'name'), ...metadata },
    target: { apiVersion: 'v1', kind: 'Node', name: node },
  };
}

export async function bind(context: ContractContext, pod: Json, metadata: Json = {}): Promise<Answer> {
  const path = `${pathOf(context, 'pods', textOf(pod, 'metadata', 'name'))}/binding`;
  return context.client.send('POST', path, { body: bindingBody(pod, metadata) });
}

/** The body of an answer that must be a success. */
export function accepted({ status, body }: Answer): Json {
  if (status >= 300) throw new Error(`HTTP ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** The member at a path of names or indexes, or undefined. */
export function valueOf(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (current, step) =>
      typeof current === 'object' && current !== null
        ? (current as Record<string, unknown>)[step]
        : undefined,
    value,
  );
}

/** As `valueOf`, for a text that must be there. */
export function textOf(value: unknown, ...path: readonly (string | number)[]): string {
  const text = valueOf(value, ...path);
  if (typeof text !== 'string') throw new Error(`no text at ${path.join('.')} of ${JSON.stringify(value)}`);
  return text;
}

export function nameOf(object: Json): string {
  return textOf(object, 'metadata', 'name');
}

export function versionOf(object: Json): string {
  return textOf(object, 'metadata', 'resourceVersion');
}

/** The names of a list's items. */
export function itemNames(list: Json): readonly string[] {
  const items = list['items'];
  return Array.isArray(items) ? items.map((item: Json) => nameOf(item)) : [];
}
