/**
 * What becomes of a node's locks (spec §7.2). The owner of one keeps it while the device plugin may still serve him,
 * whatever the lock's age: handed over too early, the plugin would give one pod another's devices. The watch may tell old
 * news, so its word is enough to go on waiting and never enough to stop. Whose a lock is, it says itself, or whoever of us
 * wrote it has written beside it; one of which neither is true is judged by its age.
 */
import type { Clock } from '../model/clock.ts';
import type { NamespacedName, PodObject } from '../model/cluster-objects.ts';
import type { LockProtocols } from '../vendors/lock-protocols.ts';
import { isLockedBy, type LockHolder, type NodeLockProtocol, readNodeLock } from '../vendors/node-lock.ts';
import { parsePod } from '../wire/kubernetes.ts';
import { mergePatch, podPath } from './api-paths.ts';
import { fencePatch } from './bind-fence.ts';
import { hasBegun, type LockOwner, type PodWatch, type WaitingPod } from './pod-watch.ts';
import type { RestClient } from './rest-client.ts';
import type { StandingLock } from './standing-lock.ts';

/** `unclear` when the owner could not be looked up. */
export type Standing = 'free' | 'held' | 'unclear';

export interface LockOwnersOptions {
  readonly client: RestClient;
  readonly pods: PodWatch;
  readonly protocols: LockProtocols;
  readonly clock: Clock;
  /** Age from which a lock that names nobody is left over, unless its protocol says so; five minutes where left out. */
  readonly ownerlessExpiryMs?: number;
}

/** HAMi's default. */
const defaultOwnerlessExpiryMs = 5 * 60_000;
const callTimeoutMs = 4000;

export class LockOwners {
  readonly #client: RestClient;
  readonly #pods: PodWatch;
  readonly #protocols: LockProtocols;
  readonly #clock: Clock;
  readonly #ownerlessExpiryMs: number;

  constructor({ client, pods, protocols, clock, ownerlessExpiryMs }: LockOwnersOptions) {
    this.#client = client;
    this.#pods = pods;
    this.#protocols = protocols;
    this.#clock = clock;
    this.#ownerlessExpiryMs = ownerlessExpiryMs ?? defaultOwnerlessExpiryMs;
  }

  /** Whether the lock is this pod's. */
  isOf({ protocol, value, holder }: StandingLock, pod: LockHolder): boolean {
    return protocol.ownerAnnotation === undefined ? isLockedBy(value, pod) : holder?.uid === pod.uid;
  }

  /** The pod that the lock is for; undefined where that cannot be known. */
  ownerOf({ protocol, value, holder }: StandingLock): LockOwner | undefined {
    if (protocol.ownerAnnotation !== undefined) return holder;
    const lock = readNodeLock(protocol, value);
    return lock.kind === 'owned' ? lock.owner : undefined;
  }

  /**
   * Whether the lock may be taken by `taker`, or by anybody where there is none. A lock of the taker's own counts as
   * free: writing it anew proves that it is still there, and makes a release that is still under way fail.
   */
  async standingOf(lock: StandingLock, taker?: LockHolder): Promise<Standing> {
    if (taker !== undefined && this.isOf(lock, taker)) return 'free';
    const owner = this.ownerOf(lock);
    if (owner === undefined) return this.#isOver(lock) ? 'free' : 'held';
    return this.#pods.awaitsDevices(lock.node, lock.protocol, owner) ? 'held' : this.#lookUp(lock, owner);
  }

  /** Reads a pod that the watch says to wait for its devices: its word may have been late for long. */
  async verify(pod: WaitingPod): Promise<void> {
    const now = await this.#read(pod);
    if (now === undefined) return;
    if (now !== 'gone' && now.uid === pod.uid) this.#pods.see(now);
    else this.#pods.gone(pod.uid);
  }

  /** Of a lock of which nobody says whose it is. */
  #isOver({ protocol, value }: StandingLock): boolean {
    const lock = readNodeLock(protocol, value);
    // A time as far ahead is nobody's, either.
    return lock.kind !== 'bare' || Math.abs(this.#clock.nowMs() - lock.atMs) > this.#expiryMs(protocol);
  }

  #expiryMs({ expiryMs }: NodeLockProtocol): number {
    return expiryMs ?? this.#ownerlessExpiryMs;
  }

  async #lookUp({ node, protocol }: StandingLock, owner: LockOwner): Promise<Standing> {
    const pod = await this.#read(owner);
    if (pod === undefined) return 'unclear';
    if (pod === 'gone' || (owner.uid !== undefined && pod.uid !== owner.uid)) return 'free';
    if (pod.nodeName === undefined) return this.#fenceOff(pod);
    // By its own words alone: bound under the protocol, and neither served nor begun.
    const awaits = !hasBegun(pod) && this.#protocols.isAwaited(pod.annotations, protocol);
    return pod.nodeName === node && awaits ? 'held' : 'free';
  }

  /** The pod as the server has it now; undefined when that cannot be known. */
  async #read(pod: NamespacedName): Promise<PodObject | 'gone' | undefined> {
    const result = await this.#client.request({
      method: 'GET',
      path: podPath(pod),
      timeoutMs: callTimeoutMs,
    });
    if (result.kind === 'status' && result.status === 404) return 'gone';
    const now = result.kind === 'ok' ? parsePod(result.body) : undefined;
    return now?.ok === true ? now.value : undefined;
  }

  /**
   * An unbound owner's Binding may still be on its way: it left this process with a time-out, or comes from a replica
   * that is about to end. The pod is given a new version first, so that such a Binding fails instead of binding the
   * pod under another's lock.
   */
  async #fenceOff(pod: PodObject): Promise<Standing> {
    const result = await this.#client.request({
      method: 'PATCH',
      path: podPath(pod),
      contentType: mergePatch,
      body: fencePatch(pod, this.#clock.nowMs(), pod.resourceVersion),
      timeoutMs: callTimeoutMs,
    });
    const fenced = result.kind === 'ok' ? parsePod(result.body) : undefined;
    return fenced?.ok === true && fenced.value.resourceVersion !== pod.resourceVersion ? 'free' : 'unclear';
  }
}
