/**
 * The node annotation by which a scheduler tells the device plugin whose devices it will be asked for next:
 * `<RFC 3339 time>,<namespace>,<pod name>` (spec §1.6, §7.2). One key for all vendors that take a lock.
 */
import type { NamespacedName } from '../model/cluster-objects.ts';

export const nodeLockAnnotation = 'hami.io/mutex.lock';

export type NodeLock =
  | { readonly kind: 'owned'; readonly atMs: number; readonly owner: NamespacedName }
  /** The legacy form: a time and no owner. */
  | { readonly kind: 'bare'; readonly atMs: number }
  | { readonly kind: 'malformed' };

/** The value to write; whole seconds, in UTC. */
export function formatNodeLock(atMs: number, owner: NamespacedName): string {
  return `${new Date(atMs).toISOString().replace(/\.\d{3}Z$/, 'Z')},${owner.namespace},${owner.name}`;
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Reads a lock value of any age. Never throws. */
export function parseNodeLock(value: string): NodeLock {
  const parts = value.split(',');
  const [time = '', namespace = '', name = ''] = parts;
  const atMs = rfc3339.test(time) ? Date.parse(time) : NaN;
  if (Number.isNaN(atMs)) return { kind: 'malformed' };
  if (parts.length === 1) return { kind: 'bare', atMs };
  if (parts.length !== 3 || namespace === '' || name === '') return { kind: 'malformed' };
  return { kind: 'owned', atMs, owner: { namespace, name } };
}

/** Ownership as device plugins test it: by the end of the value. */
export function isLockedBy(value: string, owner: NamespacedName): boolean {
  return value.endsWith(`,${owner.namespace},${owner.name}`);
}

/** Tessera's own, beside the lock: which leadership of which process committed on the node last, and for which pod. */
export const fenceAnnotation = 'tessera.io/fence';

/** The value to write; no two commits write the same, so each moves the node's version on. */
export function formatFence(term: string, podUid: string): string {
  return `${term}/${podUid}`;
}

/** The term in a fence; of a value that we did not write, a text that is no term. */
export function termOfFence(value: string): string {
  return value.slice(0, Math.max(0, value.lastIndexOf('/')));
}
