/**
 * The lock protocols of an installation, and which of them a bound pod is served by. A pod says so by the allocations
 * that are written on it. One that bears the marks of a bind and no allocation of a family that is known here may be of
 * a family that is not; the shared lock is then taken for its own, because a plugin may be about to serve it.
 */
import type { TextMap } from '../model/cluster-objects.ts';
import { type NodeLockProtocol, sharedNodeLock } from './node-lock.ts';
import type { Vendor } from './vendor.ts';

/**
 * The locks under which a pod with devices of all these families is bound, each once. Where one lock is for several
 * plugins, the first that is done with the pod says so and gives the lock back while the next is still to be asked; so
 * by its annotations, such a pod is never served.
 */
export function locksFor(families: readonly Pick<Vendor, 'nodeLock'>[]): readonly NodeLockProtocol[] {
  return distinctLocks(families).map((lock) => {
    const plugins = families.filter(({ nodeLock }) => nodeLock?.annotation === lock.annotation);
    return plugins.length === 1 ? lock : { ...lock, isServed: () => false };
  });
}

/** The locks that these vendors need, each once and in their order. */
export function distinctLocks(vendors: readonly Pick<Vendor, 'nodeLock'>[]): readonly NodeLockProtocol[] {
  const locks: NodeLockProtocol[] = [];
  for (const { nodeLock } of vendors)
    if (nodeLock !== undefined && !hasLock(locks, nodeLock)) locks.push(nodeLock);
  return locks;
}

/** Whether the same lock is among them. */
export function hasLock(locks: readonly NodeLockProtocol[], { annotation }: NodeLockProtocol): boolean {
  for (const lock of locks) if (lock.annotation === annotation) return true;
  return false;
}

export class LockProtocols {
  /** Each once; the shared one first, whoever is configured. */
  readonly all: readonly NodeLockProtocol[];
  readonly #vendors: readonly Pick<Vendor, 'annotations' | 'nodeLock'>[];

  constructor(vendors: readonly Pick<Vendor, 'annotations' | 'nodeLock'>[]) {
    this.all = distinctLocks([{ nodeLock: sharedNodeLock }, ...vendors]);
    this.#vendors = vendors;
  }

  /** The protocols whose plugins look for a bound pod with these annotations, served or not. Never throws. */
  of(podAnnotations: TextMap): readonly NodeLockProtocol[] {
    const allocated = this.#vendors.filter(({ annotations }) =>
      isAllocation(podAnnotations[annotations.allocated]),
    );
    const locks = allocated.length === 0 ? [sharedNodeLock] : locksFor(allocated);
    return locks.filter((lock) => lock.looksFor?.(podAnnotations) ?? true);
  }

  /** Whether a bound pod with these annotations still waits under the lock, unless it has begun. Never throws. */
  isAwaited(podAnnotations: TextMap, { annotation }: NodeLockProtocol): boolean {
    return this.of(podAnnotations).some(
      (lock) => lock.annotation === annotation && !lock.isServed(podAnnotations),
    );
  }
}

/** Schedulers other than ours write allocations without entries, too, which give nothing (vendors §1.9). */
function isAllocation(value: string | undefined): boolean {
  return value?.includes(',') === true;
}
