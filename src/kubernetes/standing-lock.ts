/** A lock as a node bears it, by what was last seen of the node. */
import type { LockHolder, NodeLockProtocol } from '../vendors/node-lock.ts';
import type { WatchedNode } from './node-watch.ts';

export interface StandingLock {
  readonly node: string;
  readonly protocol: NodeLockProtocol;
  readonly value: string;
  /** Of a value that names nobody, where it is known whose it is. */
  readonly holder?: LockHolder;
}

/** Those of these protocols that the node bears, in their order. */
export function standingLocks(
  node: string,
  { locks, holders }: Pick<WatchedNode, 'locks' | 'holders'>,
  protocols: readonly NodeLockProtocol[],
): readonly StandingLock[] {
  const standing: StandingLock[] = [];
  for (const protocol of protocols) {
    const value = locks[protocol.annotation];
    if (value === undefined) continue;
    const holder = holders[protocol.annotation];
    standing.push({ node, protocol, value, ...(holder === undefined ? {} : { holder }) });
  }
  return standing;
}
