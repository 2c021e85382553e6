/**
 * The node annotations by which schedulers keep out of each other's way at a node's device plugins, and tell a plugin
 * whose devices it will be asked for next. HAMi's plugins share one, `<RFC 3339 time>,<namespace>,<pod name>` (spec
 * §1.6, §7.2); others have their own, in which a time may be all there is (vendors §3.8). Beside such a one we write in
 * an annotation of ours whose it is, in the same write and with the same value: so they are known to belong together.
 */
import type { NamespacedName, TextMap } from '../model/cluster-objects.ts';
import { bindPhaseAnnotation } from './pod-annotations.ts';

export const nodeLockAnnotation = 'hami.io/mutex.lock';

export type NodeLock =
  | { readonly kind: 'owned'; readonly atMs: number; readonly owner: NamespacedName }
  /** The legacy form: a time and no owner. */
  | { readonly kind: 'bare'; readonly atMs: number }
  | { readonly kind: 'malformed' };

/** How one kind of device plugin is told whose devices it will be asked for next, and how it tells that it is done. */
export interface NodeLockProtocol {
  /** Of the node; the plugin removes it when it has served the pod. */
  readonly annotation: string;
  /** The value to write. */
  format(atMs: number, owner: NamespacedName): string;
  /**
   * Where the values name nobody: the annotation, ours, with the pod that a lock was written for. Absent where the values
   * name their pods.
   */
  readonly ownerAnnotation?: string;
  /** Age from which a lock of which nobody knows whose it is is left over; that of the configuration where left out. */
  readonly expiryMs?: number;
  /** By the annotations of a bound pod, whether the plugin looks for it at all; it does where left out. */
  looksFor?(podAnnotations: TextMap): boolean;
  /** By the annotations of a bound pod, whether the plugin has served it. */
  isServed(podAnnotations: TextMap): boolean;
}

/** The lock that HAMi's plugins share, whatever the family. */
export const sharedNodeLock: NodeLockProtocol = {
  annotation: nodeLockAnnotation,
  format: formatNodeLock,
  looksFor: (annotations) => annotations[bindPhaseAnnotation] !== undefined,
  isServed: (annotations) => annotations[bindPhaseAnnotation] === 'success',
};

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

/** As `parseNodeLock`, by the lock's protocol: where values name nobody, one that seems to is none. Never throws. */
export function readNodeLock({ ownerAnnotation }: NodeLockProtocol, value: string): NodeLock {
  const lock = parseNodeLock(value);
  return lock.kind === 'owned' && ownerAnnotation !== undefined ? { kind: 'malformed' } : lock;
}

/** Ownership as device plugins test it: by the end of the value. */
export function isLockedBy(value: string, owner: NamespacedName): boolean {
  return value.endsWith(`,${owner.namespace},${owner.name}`);
}

/** The pod that a lock was written for. */
export interface LockHolder extends NamespacedName {
  readonly uid: string;
}

/** What to write on a node to take the lock for a pod: the lock and, where that names nobody, whose it is. */
export function lockAnnotations(protocol: NodeLockProtocol, atMs: number, holder: LockHolder): TextMap {
  const { annotation, ownerAnnotation } = protocol;
  const value = protocol.format(atMs, holder);
  if (ownerAnnotation === undefined) return { [annotation]: value };
  const { namespace, name, uid } = holder;
  return { [annotation]: value, [ownerAnnotation]: [value, namespace, name, uid].join(',') };
}

/**
 * Whose a lock on a node is whose value names nobody, by what is written beside it. Undefined where nothing is, where it
 * cannot be read, and where it was written with another value: then the lock is somebody else's. Never throws.
 */
export function lockHolderOf(
  { annotation, ownerAnnotation }: NodeLockProtocol,
  nodeAnnotations: TextMap,
): LockHolder | undefined {
  const value = nodeAnnotations[annotation];
  const written = ownerAnnotation === undefined ? undefined : nodeAnnotations[ownerAnnotation];
  if (value === undefined || written?.startsWith(`${value},`) !== true) return undefined;
  const parts = written.slice(value.length + 1).split(',');
  const [namespace = '', name = '', uid = ''] = parts;
  const isWhole = parts.length === 3 && !parts.includes('');
  return isWhole ? { namespace, name, uid } : undefined;
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
