/**
 * The node lock (spec §7.2): it names the one pod whose devices the plugin will hand out next. Taken by
 * compare-and-swap on the node's resource version together with our fence, released by the plugin when it is done, by
 * us when the bind came to nothing. The watch may tell old news, so it may cost us a conflict, but no decision rests on
 * its word alone.
 */
import type { Clock } from '../model/clock.ts';
import { type NamespacedName, podName } from '../model/cluster-objects.ts';
import {
  fenceAnnotation,
  formatFence,
  formatNodeLock,
  isLockedBy,
  nodeLockAnnotation,
} from '../vendors/node-lock.ts';
import { pause } from './backoff.ts';
import { Fences } from './fences.ts';
import type { LockOwners, Standing } from './lock-owner.ts';
import type { NodeWatch, WatchedNode } from './node-watch.ts';
import { NodeWrites } from './node-writes.ts';
import type { PodWatch, WaitingPod } from './pod-watch.ts';
import type { RestClient } from './rest-client.ts';
import { failureText, isAmbiguous, type RestFailure, type RestResult } from './rest-result.ts';
import { type TimeLimits, withinTime } from './within-time.ts';

/** Who takes a node, and how. */
export interface LockTaker extends NamespacedName {
  readonly uid: string;
  /** Of the leadership in which he does. */
  readonly term: string;
  /** False for devices whose plugin knows no lock: then the fence alone is written, and nobody is waited for. */
  readonly locks: boolean;
}

export type LockResult =
  | {
      readonly ok: true;
      /** Somebody else may have committed on the node since all of its pods were known last. */
      readonly mayBeBehind: boolean;
    }
  | { readonly ok: false; readonly message: string };

export interface NodeLockOptions {
  readonly client: RestClient;
  readonly watch: NodeWatch;
  readonly owners: LockOwners;
  readonly pods: PodWatch;
  readonly clock: Clock;
  /** A pod that could be given the devices of whoever takes the lock; whoever lets it go wakes the watch. */
  readonly strayOn?: (node: string) => NamespacedName | undefined;
}

const retryMs = 250;
/** The plugin needs one call to give back the lock of a pod that it has served. */
const unlockMs = 1000;
/** After waiting so long for a pod on the word of the watch, it is read. */
const believeMs = 5000;
const mostReleaseAttempts = 5;

export class NodeLocks {
  readonly #writes: NodeWrites;
  readonly #watch: NodeWatch;
  readonly #owners: LockOwners;
  readonly #pods: PodWatch;
  readonly #clock: Clock;
  readonly #strayOn: (node: string) => NamespacedName | undefined;
  readonly #fences = new Fences();

  constructor({ client, watch, owners, pods, clock, strayOn = () => undefined }: NodeLockOptions) {
    this.#writes = new NodeWrites(client, watch);
    this.#watch = watch;
    this.#owners = owners;
    this.#pods = pods;
    this.#clock = clock;
    this.#strayOn = strayOn;
  }

  /**
   * Takes the node for a pod, waiting for strays to start, for others to be given their devices, and for a live owner of
   * its lock to be done. A lock of the pod's own is written anew.
   */
  async acquire(node: string, taker: LockTaker, limits: TimeLimits): Promise<LockResult> {
    const seen = this.#watch.find(node);
    // Mostly the node is free: then nothing has to be waited for, and so nothing set up for it.
    if (seen !== undefined && this.#isOpen(node, taker) && isFree(seen, taker) && !limits.signal.aborted) {
      const result = await this.#take(node, seen, taker);
      if (result.kind === 'ok') return this.#taken(node, taker);
      return this.#waitAndTake(node, taker, limits, result);
    }
    return this.#waitAndTake(node, taker, limits);
  }

  /** Every pod of the node is known, as of the lock that was taken last. */
  trust(node: string, term: string): void {
    this.#fences.trust(node, term, this.#watch.find(node)?.lastLock);
  }

  /** Somebody else has bound a pod to the node. */
  doubt(node: string): void {
    this.#fences.doubt(node);
  }

  /** Gives the lock back if it is the pod's own. Gives up after a few failures: an unbound owner's lock is left over. */
  async release(node: string, owner: NamespacedName): Promise<void> {
    await this.#releaseIf(node, (lock) => Promise.resolve(isLockedBy(lock, owner)));
  }

  /** Gives a lock back that is left over: its owner is gone or over, was never bound, or needs it no longer. */
  async releaseLeftOver(node: string): Promise<void> {
    await this.#releaseIf(node, async (lock) => (await this.#owners.standingOf(node, lock)) === 'free');
  }

  #waitAndTake(
    node: string,
    taker: LockTaker,
    limits: TimeLimits,
    failure?: RestFailure,
  ): Promise<LockResult> {
    return withinTime(this.#clock, limits, (signal) => this.#contend(node, taker, signal, failure));
  }

  async #contend(
    node: string,
    taker: LockTaker,
    signal: AbortSignal,
    firstFailure?: RestFailure,
  ): Promise<LockResult> {
    let failure = firstFailure;
    let inDoubt = false;
    let patientlySeen: string | undefined;
    let problem = `node ${node} could not be locked in time`;
    while (!signal.aborted) {
      if (failure !== undefined) {
        inDoubt ||= isAmbiguous(failure);
        problem = `locking node ${node}: ${failureText(failure)}`;
        if (!mayRetry(failure)) break;
        await this.#lookAgain(node, failure, signal);
        failure = undefined;
        continue;
      }
      // Listening begins before looking, so that no change falls between the two.
      const changed = this.#watch.changed(node, signal);
      const stray = this.#closedBy(node, taker);
      if (stray !== undefined) {
        problem = `node ${node} stayed closed by pod ${podName(stray)}, which was bound past the scheduler and waits for devices`;
        await changed;
        continue;
      }
      const other = this.#waitingBefore(node, taker);
      if (other !== undefined) {
        problem = `node ${node} stayed closed by pod ${podName(other)}, which waits for its devices: node lock contention`;
        await this.#waitFor(other, changed, signal);
        continue;
      }
      const seen = this.#watch.find(node) ?? (await this.#writes.read(node));
      if (seen === undefined || seen === 'gone') {
        problem = `node ${node} cannot be read`;
        break;
      }
      if (this.#isAboutToUnlock(node, seen, taker) && seen.lock !== patientlySeen) {
        patientlySeen = seen.lock;
        await this.#unlocked(node, seen.lock, signal);
        continue;
      }
      const standing = await this.#standingOf(node, seen, taker);
      // Somebody may have come during the look-up.
      if (standing === 'free' && !this.#isOpen(node, taker)) continue;
      if (standing === 'free') {
        const result = await this.#take(node, seen, taker);
        if (result.kind === 'ok') return this.#taken(node, taker);
        failure = result;
      } else {
        problem = `node ${node} stayed locked by ${JSON.stringify(seen.lock)}: node lock contention`;
        await (standing === 'held' ? changed : Promise.race([changed, pause(this.#clock, retryMs, signal)]));
      }
    }
    // A swap that nobody answered may have been made all the same.
    if (inDoubt && taker.locks) await this.release(node, taker);
    return { ok: false, message: problem };
  }

  #isOpen(node: string, taker: LockTaker): boolean {
    return this.#closedBy(node, taker) === undefined && this.#waitingBefore(node, taker) === undefined;
  }

  /** Whoever waits for devices does so whether or not the lock still names him: somebody may have removed it. */
  #waitingBefore(node: string, { locks, uid }: LockTaker): WaitingPod | undefined {
    return locks ? this.#pods.waitingOn(node, uid) : undefined;
  }

  #isAboutToUnlock(node: string, { lock }: WatchedNode, taker: LockTaker): boolean {
    return (
      taker.locks && lock !== undefined && !isLockedBy(lock, taker) && this.#pods.isAboutToUnlock(node, lock)
    );
  }

  /** Resolves when the node bears another lock or none, or has had time enough. */
  #unlocked(node: string, lock: string | undefined, signal: AbortSignal): Promise<void> {
    const deadlineMs = this.#clock.nowMs() + unlockMs;
    return withinTime(this.#clock, { deadlineMs, signal }, async (either) => {
      while (!either.aborted && this.#watch.find(node)?.lock === lock) {
        await this.#watch.changed(node, either);
      }
    });
  }

  async #waitFor(pod: WaitingPod, changed: Promise<void>, signal: AbortSignal): Promise<void> {
    const told = new AbortController();
    const late = pause(this.#clock, believeMs, AbortSignal.any([signal, told.signal])).then(() => 'late');
    const first = await Promise.race([changed, late]);
    told.abort();
    if (first === 'late' && !signal.aborted) await this.#owners.verify(pod);
  }

  /** Strays are given no devices of families without a lock. */
  #closedBy(node: string, { locks }: LockTaker): NamespacedName | undefined {
    return locks ? this.#strayOn(node) : undefined;
  }

  #standingOf(node: string, { lock }: WatchedNode, taker: LockTaker): Promise<Standing> {
    return taker.locks ? this.#owners.standingOf(node, lock, taker) : Promise.resolve('free');
  }

  /** Doubt begun by a swap that failed, or by what the node bore before this one, lasts until `trust`. */
  async #take(node: string, seen: WatchedNode, taker: LockTaker): Promise<RestResult> {
    if (this.#fences.mayBeBehind(node, seen, taker.term)) this.#fences.doubt(node);
    const result = await this.#writes.patch(node, seen.resourceVersion, {
      ...(taker.locks ? { [nodeLockAnnotation]: formatNodeLock(this.#clock.nowMs(), taker) } : {}),
      [fenceAnnotation]: formatFence(taker.term, taker.uid),
    });
    if (result.kind !== 'ok') this.#fences.doubt(node);
    return result;
  }

  #taken(node: string, { term }: LockTaker): LockResult {
    const mayBeBehind = !this.#fences.isTrusted(node);
    if (!mayBeBehind) this.trust(node, term);
    return { ok: true, mayBeBehind };
  }

  async #releaseIf(node: string, isReleasable: (lock: string) => Promise<boolean>): Promise<void> {
    const isOurs = async (seen: WatchedNode | 'gone' | undefined) =>
      seen !== undefined && seen !== 'gone' && seen.lock !== undefined && (await isReleasable(seen.lock));
    let seen: WatchedNode | 'gone' | undefined = this.#watch.find(node);
    for (let attempt = 0; attempt < mostReleaseAttempts; attempt += 1) {
      if (attempt > 0) await pause(this.#clock, retryMs * 2 ** (attempt - 1));
      // That the lock is not to be released is believed of the server alone: the watch may be behind our own swap.
      if (!(await isOurs(seen))) {
        seen = await this.#writes.read(node);
        if (seen === undefined) continue;
        if (!(await isOurs(seen))) return;
      }
      if (seen === undefined || seen === 'gone') return;
      const result = await this.#writes.patch(node, seen.resourceVersion, { [nodeLockAnnotation]: null });
      if (result.kind === 'ok' || (result.kind === 'status' && result.status === 404)) return;
      seen = undefined;
    }
  }

  /** After a swap that failed: the loop's next look must not rest on what it rested on before. */
  async #lookAgain(node: string, failure: RestFailure, signal: AbortSignal): Promise<void> {
    const retryAfterMs = failure.kind === 'status' ? failure.retryAfterMs : undefined;
    if (!isConflict(failure)) await pause(this.#clock, retryAfterMs ?? retryMs, signal);
    const read = await this.#writes.read(node);
    if (read === undefined) await pause(this.#clock, retryMs, signal);
  }
}

/** Without asking anybody. */
function isFree({ lock }: WatchedNode, taker: LockTaker): boolean {
  return !taker.locks || lock === undefined || isLockedBy(lock, taker);
}

function isConflict(failure: RestFailure): boolean {
  return failure.kind === 'status' && failure.status === 409;
}

function mayRetry(failure: RestFailure): boolean {
  if (isAmbiguous(failure) || failure.kind === 'transport') return true;
  return (
    failure.kind === 'status' && (failure.status === 409 || failure.status === 429 || failure.status >= 500)
  );
}
