/**
 * What becomes of a node's lock (spec §7.2). Its owner keeps it while the device plugin may still serve him, whatever
 * the lock's age: handed over too early, the plugin would give one pod another's devices. The watch may tell old news,
 * so its word is enough to go on waiting and never enough to stop.
 */
import type { Clock } from '../model/clock.ts';
import type { NamespacedName, PodObject } from '../model/cluster-objects.ts';
import { isLockedBy, parseNodeLock } from '../vendors/node-lock.ts';
import { parsePod } from '../wire/kubernetes.ts';
import { mergePatch, podPath } from './api-paths.ts';
import { fencePatch } from './bind-fence.ts';
import { awaitsDevices, type PodWatch, type WaitingPod } from './pod-watch.ts';
import type { RestClient } from './rest-client.ts';

/** `unclear` when the owner could not be looked up. */
export type Standing = 'free' | 'held' | 'unclear';

export interface LockOwnersOptions {
  readonly client: RestClient;
  readonly pods: PodWatch;
  readonly clock: Clock;
  /** Age from which a lock that names nobody is left over; five minutes where left out. */
  readonly ownerlessExpiryMs?: number;
}

/** HAMi's default. */
const defaultOwnerlessExpiryMs = 5 * 60_000;
const callTimeoutMs = 4000;

export class LockOwners {
  readonly #client: RestClient;
  readonly #pods: PodWatch;
  readonly #clock: Clock;
  readonly #ownerlessExpiryMs: number;

  constructor({ client, pods, clock, ownerlessExpiryMs }: LockOwnersOptions) {
    this.#client = client;
    this.#pods = pods;
    this.#clock = clock;
    this.#ownerlessExpiryMs = ownerlessExpiryMs ?? defaultOwnerlessExpiryMs;
  }

  /**
   * Whether the lock may be taken by `taker`, or by anybody where there is none. A lock of the taker's own counts as
   * free: writing it anew proves that it is still there, and makes a release that is still under way fail.
   */
  async standingOf(node: string, value: string | undefined, taker?: NamespacedName): Promise<Standing> {
    if (value === undefined || (taker !== undefined && isLockedBy(value, taker))) return 'free';
    const lock = parseNodeLock(value);
    if (lock.kind === 'malformed') return 'free';
    if (lock.kind === 'bare') {
      // A time as far ahead is nobody's, either.
      return Math.abs(this.#clock.nowMs() - lock.atMs) > this.#ownerlessExpiryMs ? 'free' : 'held';
    }
    return this.#pods.awaitsDevices(node, lock.owner) ? 'held' : this.#lookUp(node, lock.owner);
  }

  /** Reads a pod that the watch says to wait for its devices: its word may have been late for long. */
  async verify(pod: WaitingPod): Promise<void> {
    const now = await this.#read(pod);
    if (now === undefined) return;
    if (now !== 'gone' && now.uid === pod.uid) this.#pods.see(now);
    else this.#pods.gone(pod.uid);
  }

  async #lookUp(node: string, owner: NamespacedName): Promise<Standing> {
    const pod = await this.#read(owner);
    if (pod === undefined) return 'unclear';
    if (pod === 'gone') return 'free';
    if (pod.nodeName === undefined) return this.#fenceOff(pod);
    return pod.nodeName === node && awaitsDevices(pod) ? 'held' : 'free';
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
