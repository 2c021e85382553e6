/**
 * The steps of a bind as they can be seen through the server's ports: its calls of the API, known by what they ask for,
 * and its changes of the ledger. At each of them there are moments at which the process may end or stand still; a step
 * with a moment is a crash point.
 */
import type { RestRequest } from '../../src/kubernetes/rest-client.ts';

export const apiSteps = [
  'lock-node',
  'read-node',
  'release-lock',
  'list-pods-of-node',
  'read-pod',
  'fence-pod',
  'post-binding',
] as const;
export type ApiStep = (typeof apiSteps)[number];

/** Changes of the ledger, and the answer to kube-scheduler. */
export const memorySteps = ['assume', 'confirm', 'cancel', 'answer'] as const;
export type MemoryStep = (typeof memorySteps)[number];

/**
 * - `before`: nothing has left the process
 * - `sent`: the call has left, and arrives when another server is at work already
 * - `committed`: the API server has carried it out, and its answer is on the way
 * - `answered`: the answer is here, and nothing was done with it
 */
export const apiMoments = ['before', 'sent', 'committed', 'answered'] as const;
export type ApiMoment = (typeof apiMoments)[number];

export const memoryMoments = ['before', 'after'] as const;
export type MemoryMoment = (typeof memoryMoments)[number];

export type CrashPoint = `${ApiStep}/${ApiMoment}` | `${MemoryStep}/${MemoryMoment}`;

export const crashPoints: readonly CrashPoint[] = [
  ...apiSteps.flatMap((step) => apiMoments.map((moment) => `${step}/${moment}` as const)),
  ...memorySteps.flatMap((step) => memoryMoments.map((moment) => `${step}/${moment}` as const)),
];

/** By which schedulers keep out of each other's way at a node's device plugins. */
export const nodeLocks = ['hami.io/mutex.lock', 'cambricon.com/dsmlu.lock'];
const podFence = 'tessera.io/bind-fence';
const podPath = /^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+$/;

/** Undefined for calls that are no part of a bind, such as events and the pages of a feed. */
export function apiStepOf({ method, path, query, body }: RestRequest): ApiStep | undefined {
  if (path.startsWith('/api/v1/nodes/')) {
    if (method === 'GET') return 'read-node';
    const annotations = annotationsOf(body);
    const locks = nodeLocks.filter((lock) => lock in annotations);
    if (locks.length === 0) return undefined;
    return locks.every((lock) => annotations[lock] === null) ? 'release-lock' : 'lock-node';
  }
  if (path.endsWith('/binding')) return 'post-binding';
  if (podPath.test(path)) {
    if (method === 'GET') return 'read-pod';
    return podFence in annotationsOf(body) ? 'fence-pod' : undefined;
  }
  const isOneNodes = String(query?.['fieldSelector'] ?? '').includes('spec.nodeName=');
  return path === '/api/v1/pods' && isOneNodes ? 'list-pods-of-node' : undefined;
}

function annotationsOf(body: unknown): Readonly<Record<string, unknown>> {
  const { metadata } = (body ?? {}) as { readonly metadata?: { readonly annotations?: object } };
  return { ...metadata?.annotations };
}
