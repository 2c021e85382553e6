/**
 * Giving node locks back, each by compare-and-swap and only while it is still the lock that was looked at: whose it is
 * may have changed since, and a lock that was taken anew must not be removed.
 */
import type { Clock } from '../model/clock.ts';
import type { LockHolder, NodeLockProtocol } from '../vendors/node-lock.ts';
import { pause } from './backoff.ts';
import type { LockOwners } from './lock-owner.ts';
import type { NodeWatch, WatchedNode } from './node-watch.ts';
import type { NodeWrites } from './node-writes.ts';
import { type StandingLock, standingLocks } from './standing-lock.ts';

export interface LockReleaseOptions {
  readonly writes: NodeWrites;
  readonly watch: NodeWatch;
  readonly owners: LockOwners;
  readonly clock: Clock;
}

const retryMs = 250;
const mostAttempts = 5;

export class LockReleases {
  readonly #writes: NodeWrites;
  readonly #watch: NodeWatch;
  readonly #owners: LockOwners;
  readonly #clock: Clock;

  constructor({ writes, watch, owners, clock }: LockReleaseOptions) {
    this.#writes = writes;
    this.#watch = watch;
    this.#owners = owners;
    this.#clock = clock;
  }

  /** Those that are the pod's. Gives up after a few failures. Never rejects. */
  async of(node: string, owner: LockHolder, locks: readonly NodeLockProtocol[]): Promise<void> {
    await this.#releaseIf(node, locks, (lock) => Promise.resolve(this.#owners.isOf(lock, owner)));
  }

  /** One that its owner, whoever that is, does not need. Gives up after a few failures. Never rejects. */
  async ofNobody(node: string, protocol: NodeLockProtocol): Promise<void> {
    await this.#releaseIf(node, [protocol], async (lock) => (await this.#owners.standingOf(lock)) === 'free');
  }

  async #releaseIf(
    node: string,
    protocols: readonly NodeLockProtocol[],
    isReleasable: (lock: StandingLock) => Promise<boolean>,
  ): Promise<void> {
    const releasable = async (seen: WatchedNode | 'gone' | undefined) => {
      const found: StandingLock[] = [];
      if (seen === undefined || seen === 'gone') return found;
      for (const lock of standingLocks(node, seen, protocols)) if (await isReleasable(lock)) found.push(lock);
      return found;
    };
    let seen: WatchedNode | 'gone' | undefined = this.#watch.find(node);
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      if (attempt > 0) await pause(this.#clock, retryMs * 2 ** (attempt - 1));
      let locks = await releasable(seen);
      // That no lock is to be released is believed of the server alone: the watch may be behind our own swap.
      if (locks.length === 0) {
        seen = await this.#writes.read(node);
        if (seen === undefined) continue;
        locks = await releasable(seen);
        if (locks.length === 0) return;
      }
      if (seen === undefined || seen === 'gone') return;
      const annotations = Object.fromEntries(locks.map(({ protocol }) => [protocol.annotation, null]));
      const result = await this.#writes.patch(node, seen.resourceVersion, annotations);
      if (result.kind === 'ok' || (result.kind === 'status' && result.status === 404)) return;
      seen = undefined;
    }
  }
}
