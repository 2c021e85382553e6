/** A lock as a node bears it, by what was last seen of the node. */
import type { NodeLockProtocol } from '../vendors/node-lock.ts';
import type { WatchedNode } from './node-watch.ts';

export interface StandingLock {
  readonly node: string;
  readonly protocol: NodeLockProtocol;
  readonly value: string;
}

/** Those of these protocols that the node bears, in their order. */
export function standingLocks(
  node: string,
  { locks }: Pick<WatchedNode, 'locks'>,
  protocols: readonly NodeLockProtocol[],
): readonly StandingLock[] {
  const standing: StandingLock[] = [];
  for (const protocol of protocols) {
    const value = locks[protocol.annotation];
    if (value !== undefined) standing.push({ node, protocol, value });
  }
  return standing;
}
