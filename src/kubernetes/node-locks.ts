/**
 * The node locks (spec §7.2, vendors §1.8): each stands for the one pod whose devices the plugins of its families will
 * hand out next. All that a pod needs are taken by one compare-and-swap on the node's resource version together with our
 * fence, released by the plugins when they are done, by us when the bind came to nothing. The watch may tell old news, so
 * it may cost us a conflict, but no decision rests on its word alone.
 */
import type { Clock } from '../model/clock.ts';
import { type NamespacedName, podName } from '../model/cluster-objects.ts';
import {
  fenceAnnotation,
  formatFence,
  lockAnnotations,
  type LockHolder,
  type NodeLockProtocol,
} from '../vendors/node-lock.ts';
import { pause } from './backoff.ts';
import { Fences } from './fences.ts';
import type { LockOwners, Standing } from './lock-owner.ts';
import { LockReleases } from './lock-releases.ts';
import type { NodeWatch, WatchedNode } from './node-watch.ts';
import { NodeWrites } from './node-writes.ts';
import type { PodWatch, WaitingPod } from './pod-watch.ts';
import type { RestClient } from './rest-client.ts';
import { failureText, isAmbiguous, type RestFailure, type RestResult } from './rest-result.ts';
import { type StandingLock, standingLocks } from './standing-lock.ts';
import { type TimeLimits, withinTime } from './within-time.ts';

/** Who takes a node, and how. */
export interface LockTaker extends LockHolder {
  /** Of the leadership in which he does. */
  readonly term: string;
  /** None for devices whose plugins know no lock: then the fence alone is written, and nobody is waited for. */
  readonly locks: readonly NodeLockProtocol[];
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
  /** Of all locks that the watch looks at. */
  readonly protocols: readonly NodeLockProtocol[];
  readonly clock: Clock;
  /** A pod that could be given the devices of whoever takes the lock; whoever lets it go wakes the watch. */
  readonly strayOn?: (node: string) => NamespacedName | undefined;
}

const retryMs = 250;
/** The plugin needs one call to give back the lock of a pod that it has served. */
const unlockMs = 1000;
/** After waiting so long for a pod on the word of the watch, it is read. */
const believeMs = 5000;

export class NodeLocks {
  readonly #writes: NodeWrites;
  readonly #releases: LockReleases;
  readonly #watch: NodeWatch;
  readonly #owners: LockOwners;
  readonly #pods: PodWatch;
  readonly #protocols: readonly NodeLockProtocol[];
  readonly #clock: Clock;
  readonly #strayOn: (node: string) => NamespacedName | undefined;
  readonly #fences = new Fences();

  constructor(options: NodeLockOptions) {
    const { client, watch, owners, pods, protocols, clock, strayOn = () => undefined } = options;
    this.#writes = new NodeWrites(client, watch, protocols);
    this.#releases = new LockReleases({ writes: this.#writes, watch, owners, clock });
    this.#watch = watch;
    this.#owners = owners;
    this.#pods = pods;
    this.#protocols = protocols;
    this.#clock = clock;
    this.#strayOn = strayOn;
  }

  /**
   * Takes the node for a pod, waiting for strays to start, for others to be given their devices, and for live owners of
   * the locks that it needs to be done. A lock of the pod's own is written anew.
   */
  async acquire(node: string, taker: LockTaker, limits: TimeLimits): Promise<LockResult> {
    const seen = this.#watch.find(node);
    // Mostly the node is free: then nothing has to be waited for, and so nothing set up for it.
    if (
      seen !== undefined &&
      this.#isOpen(node, taker) &&
      this.#isFree(node, seen, taker) &&
      !limits.signal.aborted
    ) {
      const result = await this.#take(node, seen, taker);
      if (result.kind === 'ok') return this.#taken(node, taker);
      return this.#waitAndTake(node, taker, limits, result);
    }
    return this.#waitAndTake(node, taker, limits);
  }

  /** Every pod of the node is known, as of the locks that were taken last. */
  trust(node: string, term: string): void {
    this.#fences.trust(node, term, this.#watch.find(node)?.lastLocks ?? {});
  }

  /** Somebody else has bound a pod to the node. */
  doubt(node: string): void {
    this.#fences.doubt(node);
  }

  /** Those that the node bears, by the watch. */
  on(node: string): readonly StandingLock[] {
    const seen = this.#watch.find(node);
    return seen === undefined ? [] : standingLocks(node, seen, this.#protocols);
  }

  /** Whether the lock is this pod's. */
  isOf(lock: StandingLock, pod: LockHolder): boolean {
    return this.#owners.isOf(lock, pod);
  }

  /** The pods that the node's locks are for, as far as that is known. */
  ownersOn(node: string): readonly NamespacedName[] {
    return this.on(node).flatMap((lock) => this.#owners.ownerOf(lock) ?? []);
  }

  /**
   * Gives those of the locks back that are the pod's own. Gives up after a few failures: an unbound owner's lock is left
   * over.
   */
  async release(node: string, owner: LockHolder, locks: readonly NodeLockProtocol[]): Promise<void> {
    await this.#releases.of(node, owner, locks);
  }

  /** Gives a lock back that is left over: its owner is gone or over, was never bound, or needs it no longer. */
  async releaseLeftOver(node: string, protocol: NodeLockProtocol): Promise<void> {
    await this.#releases.ofNobody(node, protocol);
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
    const patientlySeen = new Set<string>();
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
      const leaving = this.#aboutToUnlock(node, seen, taker);
      if (leaving !== undefined && !patientlySeen.has(keyOf(leaving))) {
        patientlySeen.add(keyOf(leaving));
        await this.#unlocked(leaving, signal);
        continue;
      }
      const { standing, value } = await this.#standingOf(node, seen, taker);
      // Somebody may have come during the look-up.
      if (standing === 'free' && !this.#isOpen(node, taker)) continue;
      if (standing === 'free') {
        const result = await this.#take(node, seen, taker);
        if (result.kind === 'ok') return this.#taken(node, taker);
        failure = result;
      } else {
        problem = `node ${node} stayed locked by ${JSON.stringify(value)}: node lock contention`;
        await (standing === 'held' ? changed : Promise.race([changed, pause(this.#clock, retryMs, signal)]));
      }
    }
    // A swap that nobody answered may have been made all the same.
    if (inDoubt && taker.locks.length > 0) await this.release(node, taker, taker.locks);
    return { ok: false, message: problem };
  }

  #isOpen(node: string, taker: LockTaker): boolean {
    return this.#closedBy(node, taker) === undefined && this.#waitingBefore(node, taker) === undefined;
  }

  /** Without asking anybody. */
  #isFree(node: string, seen: WatchedNode, taker: LockTaker): boolean {
    return standingLocks(node, seen, taker.locks).every((lock) => this.#owners.isOf(lock, taker));
  }

  /** Whoever waits for devices does so whether or not a lock still stands for him: somebody may have removed it. */
  #waitingBefore(node: string, { locks, uid }: LockTaker): WaitingPod | undefined {
    return this.#pods.waitingOn(node, uid, locks);
  }

  /** A lock in the taker's way whose owner was served, so that the plugin is about to give it back. */
  #aboutToUnlock(node: string, seen: WatchedNode, taker: LockTaker): StandingLock | undefined {
    return standingLocks(node, seen, taker.locks).find((lock) => {
      const served = this.#pods.lastServed(node, lock.protocol);
      return served !== undefined && this.#owners.isOf(lock, served) && !this.#owners.isOf(lock, taker);
    });
  }

  /** Resolves when the node bears another lock or none, or has had time enough. */
  #unlocked({ node, protocol, value }: StandingLock, signal: AbortSignal): Promise<void> {
    const deadlineMs = this.#clock.nowMs() + unlockMs;
    return withinTime(this.#clock, { deadlineMs, signal }, async (either) => {
      while (!either.aborted && this.#watch.find(node)?.locks[protocol.annotation] === value) {
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
    return locks.length > 0 ? this.#strayOn(node) : undefined;
  }

  /** Of the first of the taker's locks that is not free, if there is one. */
  async #standingOf(
    node: string,
    seen: WatchedNode,
    taker: LockTaker,
  ): Promise<{ readonly standing: Standing; readonly value?: string }> {
    for (const lock of standingLocks(node, seen, taker.locks)) {
      const standing = await this.#owners.standingOf(lock, taker);
      if (standing !== 'free') return { standing, value: lock.value };
    }
    return { standing: 'free' };
  }

  /** Doubt begun by a swap that failed, or by what the node bore before this one, lasts until `trust`. */
  async #take(node: string, seen: WatchedNode, taker: LockTaker): Promise<RestResult> {
    if (this.#fences.mayBeBehind(node, seen, taker.term)) this.#fences.doubt(node);
    const annotations: Record<string, string> = { [fenceAnnotation]: formatFence(taker.term, taker.uid) };
    const nowMs = this.#clock.nowMs();
    for (const protocol of taker.locks) Object.assign(annotations, lockAnnotations(protocol, nowMs, taker));
    const result = await this.#writes.patch(node, seen.resourceVersion, annotations);
    if (result.kind !== 'ok') this.#fences.doubt(node);
    return result;
  }

  #taken(node: string, { term }: LockTaker): LockResult {
    const mayBeBehind = !this.#fences.isTrusted(node);
    if (!mayBeBehind) this.trust(node, term);
    return { ok: true, mayBeBehind };
  }

  /** After a swap that failed: the loop's next look must not rest on what it rested on before. */
  async #lookAgain(node: string, failure: RestFailure, signal: AbortSignal): Promise<void> {
    const retryAfterMs = failure.kind === 'status' ? failure.retryAfterMs : undefined;
    if (!isConflict(failure)) await pause(this.#clock, retryAfterMs ?? retryMs, signal);
    const read = await this.#writes.read(node);
    if (read === undefined) await pause(this.#clock, retryMs, signal);
  }
}

function keyOf({ protocol, value }: StandingLock): string {
  return `${protocol.annotation} ${value}`;
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
