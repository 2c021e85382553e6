/**
 * Whose the locks are that name nobody: only who wrote one knows, by its text, and nobody after he has ended. A write
 * without an answer may still be carried out, so its text is remembered beside the one before until another write of
 * that lock succeeds: from then on only that one can stand there. A lock that is not known here is somebody else's.
 */
import type { NamespacedName } from '../model/cluster-objects.ts';
import type { NodeLockProtocol } from '../vendors/node-lock.ts';

export interface LockHolder extends NamespacedName {
  readonly uid: string;
}

interface Written {
  readonly value: string;
  readonly owner: LockHolder;
  readonly atMs: number;
}

export class NamelessLocks {
  /** By annotation, then by node. */
  readonly #written = new Map<string, Map<string, readonly Written[]>>();

  /** The lock is about to be written. What was written longer ago than `keepMs` is over, whoever it was for. */
  begins(node: string, protocol: NodeLockProtocol, written: Written, keepMs: number): void {
    const earlier = this.#of(node, protocol).filter(({ atMs }) => Math.abs(written.atMs - atMs) <= keepMs);
    this.#set(node, protocol, [...earlier, written]);
  }

  /** The pod's write of this text was carried out. */
  stands(node: string, protocol: NodeLockProtocol, write: Pick<Written, 'value' | 'owner'>): void {
    const all = this.#of(node, protocol);
    this.#set(node, protocol, all.slice(Math.max(0, lastOf(all, write))));
  }

  /** The pod's write of this text was not carried out, nor will it be. */
  failed(node: string, protocol: NodeLockProtocol, write: Pick<Written, 'value' | 'owner'>): void {
    const all = this.#of(node, protocol);
    const last = lastOf(all, write);
    this.#set(
      node,
      protocol,
      all.filter((_, place) => place !== last),
    );
  }

  /** Undefined where we have not written it. */
  ownerOf(node: string, protocol: NodeLockProtocol, value: string): LockHolder | undefined {
    return this.#of(node, protocol).findLast((written) => written.value === value)?.owner;
  }

  #of(node: string, { annotation }: NodeLockProtocol): readonly Written[] {
    return this.#written.get(annotation)?.get(node) ?? [];
  }

  #set(node: string, { annotation }: NodeLockProtocol, written: readonly Written[]): void {
    const ofNodes = this.#written.get(annotation) ?? new Map<string, readonly Written[]>();
    this.#written.set(annotation, ofNodes);
    if (written.length === 0) ofNodes.delete(node);
    else ofNodes.set(node, written);
  }
}

function lastOf(all: readonly Written[], { value, owner }: Pick<Written, 'value' | 'owner'>): number {
  return all.findLastIndex((written) => written.value === value && written.owner.uid === owner.uid);
}
