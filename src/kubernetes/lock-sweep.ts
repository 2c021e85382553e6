/**
 * Gives back node locks that nobody else will (spec §7.2): of owners that ended, failed or vanished as soon as the watch
 * says so, and of owners that were never bound, or whose plugin forgot, once the lock has stood still for a while. What
 * is left over is decided by a read; an owner that the plugin may still serve keeps his lock, whatever its age.
 */
import type { Clock } from '../model/clock.ts';
import type { PodObject, TextMap } from '../model/cluster-objects.ts';
import type { NodeLockProtocol } from '../vendors/node-lock.ts';
import type { NodeLocks } from './node-locks.ts';
import type { NodeWatch } from './node-watch.ts';

export interface LockSweepOptions {
  readonly nodes: NodeWatch;
  readonly locks: NodeLocks;
  readonly clock: Clock;
  /** Followers leave everything to their leader. */
  readonly isLeader: () => boolean;
}

const everyMs = 30_000;

export class LockSweep {
  readonly #options: LockSweepOptions;
  /** Locks as the last round saw them, by node and annotation. */
  #standing = new Map<string, TextMap>();
  readonly #underWay = new Set<string>();
  #cancel: (() => void) | undefined;

  constructor(options: LockSweepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.clock.after(everyMs, () => {
      this.#round();
      this.start();
    });
  }

  /** Releases under way end by themselves. */
  stop(): void {
    this.#cancel?.();
  }

  /** Takes a pod from the watch. */
  see(pod: PodObject): void {
    const { nodeName } = pod;
    if (nodeName === undefined || !isOver(pod)) return;
    const { locks } = this.#options;
    for (const lock of locks.on(nodeName)) if (locks.isOf(lock, pod)) this.#release(nodeName, lock.protocol);
  }

  /** A pod that was on this node is gone. */
  podGone(node: string): void {
    for (const { protocol } of this.#options.locks.on(node)) this.#release(node, protocol);
  }

  #round(): void {
    const { nodes, locks } = this.#options;
    const before = this.#standing;
    this.#standing = new Map();
    for (const node of nodes.locked()) {
      this.#standing.set(node, nodes.find(node)?.locks ?? {});
      for (const { protocol, value } of locks.on(node)) {
        if (before.get(node)?.[protocol.annotation] === value) this.#release(node, protocol);
      }
    }
  }

  #release(node: string, protocol: NodeLockProtocol): void {
    const { isLeader, locks, nodes } = this.#options;
    // Whoever waits for the lock takes it as well as we would release it.
    nodes.wake(node);
    const release = `${protocol.annotation} ${node}`;
    if (!isLeader() || this.#underWay.has(release)) return;
    this.#underWay.add(release);
    // Never rejects; what failed is tried again by a later round.
    void locks.releaseLeftOver(node, protocol).finally(() => this.#underWay.delete(release));
  }
}

/** The plugin will not be asked for this pod again. */
function isOver({ phase }: PodObject): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
