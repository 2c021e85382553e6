/**
 * The node lock (spec §7.2): it names the one pod whose devices the plugin will hand out next. Taken by
 * compare-and-swap on the node's resource version, released by the plugin when it is done, by us when the bind came to
 * nothing. A lock is never taken from a live owner, whatever its age: the plugin would give one pod another's devices.
 * The watch may tell old news, so it may cost us a conflict, but no decision rests on its word alone.
 */
import type { Clock } from '../model/clock.ts';
import type { NamespacedName, PodObject } from '../model/cluster-objects.ts';
import { bindPhaseAnnotation } from '../vendors/pod-annotations.ts';
import { formatNodeLock, isLockedBy, nodeLockAnnotation, parseNodeLock } from '../vendors/node-lock.ts';
import { parseNode, parsePod } from '../wire/kubernetes.ts';
import { mergePatch, nodePath, podPath } from './api-paths.ts';
import { pause } from './backoff.ts';
import { fencePatch } from './bind-fence.ts';
import type { NodeWatch, WatchedNode } from './node-watch.ts';
import type { RestClient } from './rest-client.ts';
import { failureText, isAmbiguous, type RestFailure, type RestResult } from './rest-result.ts';

export interface LockLimits {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export type LockResult = { readonly ok: true } | { readonly ok: false; readonly message: string };

export interface NodeLockOptions {
  readonly client: RestClient;
  readonly watch: NodeWatch;
  readonly clock: Clock;
  /** Age from which a lock that names nobody is left over; five minutes where left out. */
  readonly ownerlessExpiryMs?: number;
}

/** What becomes of a lock; `unclear` when its owner could not be looked up. */
type Standing = 'free' | 'held' | 'unclear';

/** HAMi's default. */
const defaultOwnerlessExpiryMs = 5 * 60_000;
const callTimeoutMs = 4000;
const retryMs = 250;
const mostReleaseAttempts = 5;

export class NodeLocks {
  readonly #client: RestClient;
  readonly #watch: NodeWatch;
  readonly #clock: Clock;
  readonly #ownerlessExpiryMs: number;

  constructor({ client, watch, clock, ownerlessExpiryMs }: NodeLockOptions) {
    this.#client = client;
    this.#watch = watch;
    this.#clock = clock;
    this.#ownerlessExpiryMs = ownerlessExpiryMs ?? defaultOwnerlessExpiryMs;
  }

  /** Takes the lock for a pod, waiting for a live owner to be done. A lock of the pod's own is written anew. */
  async acquire(node: string, owner: NamespacedName, limits: LockLimits): Promise<LockResult> {
    const expiry = new AbortController();
    const cancel = this.#clock.after(Math.max(0, limits.deadlineMs - this.#clock.nowMs()), () => {
      expiry.abort();
    });
    try {
      return await this.#contend(node, owner, AbortSignal.any([limits.signal, expiry.signal]));
    } finally {
      cancel();
      expiry.abort();
    }
  }

  async #contend(node: string, owner: NamespacedName, signal: AbortSignal): Promise<LockResult> {
    let inDoubt = false;
    let problem = `node ${node} could not be locked in time`;
    while (!signal.aborted) {
      // Listening begins before looking, so that no change falls between the two.
      const changed = this.#watch.changed(node, signal);
      const seen = this.#watch.find(node) ?? (await this.#read(node));
      if (seen === undefined || seen === 'gone') {
        problem = `node ${node} cannot be read`;
        break;
      }
      const standing = await this.#standingOf(node, seen.lock, owner);
      if (standing === 'free') {
        const result = await this.#patchLock(
          node,
          seen.resourceVersion,
          formatNodeLock(this.#clock.nowMs(), owner),
        );
        if (result.kind === 'ok') return { ok: true };
        inDoubt ||= isAmbiguous(result);
        problem = `locking node ${node}: ${failureText(result)}`;
        if (!mayRetry(result)) break;
        await this.#lookAgain(node, result, signal);
      } else {
        problem = `node ${node} stayed locked by ${JSON.stringify(seen.lock)}: node lock contention`;
        await (standing === 'held' ? changed : Promise.race([changed, pause(this.#clock, retryMs, signal)]));
      }
    }
    // A swap that nobody answered may have been made all the same.
    if (inDoubt) await this.release(node, owner);
    return { ok: false, message: problem };
  }

  /** Gives the lock back if it is the pod's own. Gives up after a few failures: an unbound owner's lock is left over. */
  async release(node: string, owner: NamespacedName): Promise<void> {
    let seen: WatchedNode | 'gone' | undefined = this.#watch.find(node);
    for (let attempt = 0; attempt < mostReleaseAttempts; attempt += 1) {
      if (attempt > 0) await pause(this.#clock, retryMs * 2 ** (attempt - 1));
      // That the lock is not ours is believed of the server alone: the watch may be behind our own swap.
      if (!isOwn(seen, owner)) seen = await this.#read(node);
      if (seen === undefined) continue;
      if (seen === 'gone' || !isOwn(seen, owner)) return;
      const result = await this.#patchLock(node, seen.resourceVersion, null);
      if (result.kind === 'ok' || (result.kind === 'status' && result.status === 404)) return;
      seen = undefined;
    }
  }

  /**
   * Whether the owner may take the lock. One of its own counts as free: writing it anew proves that it is still there,
   * and makes a release that is still under way fail.
   */
  async #standingOf(node: string, value: string | undefined, owner: NamespacedName): Promise<Standing> {
    if (value === undefined || isLockedBy(value, owner)) return 'free';
    const lock = parseNodeLock(value);
    if (lock.kind === 'malformed') return 'free';
    if (lock.kind === 'bare') {
      // A time as far ahead is nobody's, either.
      return Math.abs(this.#clock.nowMs() - lock.atMs) > this.#ownerlessExpiryMs ? 'free' : 'held';
    }
    const result = await this.#client.request({
      method: 'GET',
      path: podPath(lock.owner),
      timeoutMs: callTimeoutMs,
    });
    if (result.kind === 'status' && result.status === 404) return 'free';
    const pod = result.kind === 'ok' ? parsePod(result.body) : undefined;
    if (pod?.ok !== true) return 'unclear';
    if (pod.value.nodeName === undefined) return this.#fenceOff(pod.value);
    return pod.value.nodeName === node && awaitsDevices(pod.value) ? 'held' : 'free';
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

  /** After a swap that failed: the loop's next look must not rest on what it rested on before. */
  async #lookAgain(node: string, failure: RestFailure, signal: AbortSignal): Promise<void> {
    const retryAfterMs = failure.kind === 'status' ? failure.retryAfterMs : undefined;
    if (!isConflict(failure)) await pause(this.#clock, retryAfterMs ?? retryMs, signal);
    const read = await this.#read(node);
    if (read === undefined) await pause(this.#clock, retryMs, signal);
  }

  async #patchLock(node: string, resourceVersion: string, value: string | null): Promise<RestResult> {
    const result = await this.#client.request({
      method: 'PATCH',
      path: nodePath(node),
      contentType: mergePatch,
      body: { metadata: { resourceVersion, annotations: { [nodeLockAnnotation]: value } } },
      timeoutMs: callTimeoutMs,
    });
    if (result.kind === 'ok') this.#see(result.body);
    return result;
  }

  /** The node as the server has it now; undefined when that cannot be known. */
  async #read(node: string): Promise<WatchedNode | 'gone' | undefined> {
    const result = await this.#client.request({
      method: 'GET',
      path: nodePath(node),
      timeoutMs: callTimeoutMs,
    });
    if (result.kind === 'status' && result.status === 404) return 'gone';
    return result.kind === 'ok' ? this.#see(result.body) : undefined;
  }

  #see(body: unknown): WatchedNode | undefined {
    const node = parseNode(body);
    if (!node.ok) return undefined;
    this.#watch.see(node.value);
    return this.#watch.find(node.value.name);
  }
}

/**
 * Whether a bound pod may still be given its devices by the lock. Whoever binds such a pod sets the phase first, and
 * kubelet starts no container before all devices are there.
 */
function awaitsDevices({ phase, annotations }: PodObject): boolean {
  return phase === 'Pending' && annotations[bindPhaseAnnotation] === 'allocating';
}

function isOwn(seen: WatchedNode | 'gone' | undefined, owner: NamespacedName): seen is WatchedNode {
  return seen !== undefined && seen !== 'gone' && seen.lock !== undefined && isLockedBy(seen.lock, owner);
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
