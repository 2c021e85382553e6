/**
 * Gives back node locks that nobody else will (spec §7.2): of owners that ended, failed or vanished as soon as the watch
 * says so, and of owners that were never bound, or whose plugin forgot, once the lock has stood still for a while. What
 * is left over is decided by a read; an owner that the plugin may still serve keeps his lock, whatever its age.
 */
import type { Clock } from '../model/clock.ts';
import type { PodObject } from '../model/cluster-objects.ts';
import { isLockedBy } from '../vendors/node-lock.ts';
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
  /** Locks as the last round saw them, by node. */
  #standing = new Map<string, string>();
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
    const lock = this.#options.nodes.find(nodeName)?.lock;
    if (lock !== undefined && isLockedBy(lock, pod)) this.#release(nodeName);
  }

  /** A pod that was on this node is gone. */
  podGone(node: string): void {
    if (this.#options.nodes.find(node)?.lock !== undefined) this.#release(node);
  }

  #round(): void {
    const { nodes } = this.#options;
    const before = this.#standing;
    this.#standing = new Map();
    for (const node of nodes.locked()) {
      const lock = nodes.find(node)?.lock;
      if (lock === undefined) continue;
      this.#standing.set(node, lock);
      if (before.get(node) === lock) this.#release(node);
    }
  }

  #release(node: string): void {
    const { isLeader, locks, nodes } = this.#options;
    // Whoever waits for the lock takes it as well as we would release it.
    nodes.wake(node);
    if (!isLeader() || this.#underWay.has(node)) return;
    this.#underWay.add(node);
    // Never rejects; what failed is tried again by a later round.
    void locks.releaseLeftOver(node).finally(() => this.#underWay.delete(node));
  }
}

/** The plugin will not be asked for this pod again. */
function isOver({ phase }: PodObject): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
