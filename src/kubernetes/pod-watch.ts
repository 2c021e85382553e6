/**
 * Which bound pods still wait for their devices, by what the watch says of them and by the Bindings that are under way
 * here. While one does, nobody else may be given the node's lock: the plugin serves whom the lock names, and kubelet asks
 * it for whichever pod it starts. A bound pod that once did not wait never waits again, whatever somebody writes on it.
 */
import type { NamespacedName, PodObject } from '../model/cluster-objects.ts';
import { isLockedBy } from '../vendors/node-lock.ts';
import { bindPhaseAnnotation } from '../vendors/pod-annotations.ts';
import { Changes } from './changes.ts';

export interface WaitingPod extends NamespacedName {
  readonly uid: string;
  /** False while nothing but our own Binding says that it is bound. */
  readonly seen: boolean;
}

export class PodWatch {
  readonly #onChange: (node: string) => void;
  readonly #nodeOf = new Map<string, string>();
  /** By node, then by UID. */
  readonly #waiting = new Map<string, Map<string, WaitingPod>>();
  /** Bound pods that do not wait. */
  readonly #settled = new Set<string>();
  /**
   * Nodes on which a pod vanished while it waited. Kubelet may ask for it all the same, and be given what was meant for
   * the next one; so until that one has begun or is over, `success` says nothing of it.
   */
  readonly #outOfStep = new Set<string>();
  /** By node: who was served last. The plugin says so on the pod first and gives the lock back then. */
  readonly #lastServed = new Map<string, WaitingPod>();
  readonly #changes = new Changes();

  /** @param onChange told of every word on a pod of a node; must neither throw nor wait */
  constructor(onChange: (node: string) => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** Takes a pod from the watch, or from a read that is newer. */
  see(pod: PodObject): void {
    const { nodeName, uid } = pod;
    if (nodeName === undefined) return;
    const phase = pod.annotations[bindPhaseAnnotation];
    // What was bound without the protocol of the lock, the plugin does not look for.
    const unmarked = phase === undefined && !this.#nodeOf.has(uid);
    const served = phase === 'success' && !this.#outOfStep.has(nodeName);
    if (hasBegun(pod)) this.#settle(uid, nodeName);
    else if (unmarked || served || this.#settled.has(uid)) this.#settle(uid);
    else this.#set(pod, nodeName, true);
    this.#tell(nodeName);
  }

  /** A Binding of the pod is about to be written; what the watch says of the bound pod replaces this. */
  expect(pod: PodObject, node: string): void {
    this.#set(pod, node, false);
  }

  /** The Binding of the pod came to nothing. */
  forget(podUid: string): void {
    const node = this.#remove(podUid);
    if (node !== undefined) this.#tell(node);
  }

  /** The pod is gone. Answers the node on which it waited, if it did. */
  gone(podUid: string): string | undefined {
    this.#settled.delete(podUid);
    const seen = this.#find(podUid)?.seen === true;
    const node = this.#remove(podUid);
    if (node === undefined) return undefined;
    if (seen) this.#outOfStep.add(node);
    this.#tell(node);
    return node;
  }

  /** A pod of the node, other than this one, that waits for its devices there. */
  waitingOn(node: string, exceptUid: string): WaitingPod | undefined {
    for (const pod of this.#waiting.get(node)?.values() ?? []) if (pod.uid !== exceptUid) return pod;
    return undefined;
  }

  /** Whether the pod of this name waits for its devices on the node. */
  awaitsDevices(node: string, { namespace, name }: NamespacedName): boolean {
    const waiting = [...(this.#waiting.get(node)?.values() ?? [])];
    return waiting.some((pod) => pod.namespace === namespace && pod.name === name);
  }

  /** Whether the lock names the pod that was served last on the node, so that it is about to be given back. */
  isAboutToUnlock(node: string, lock: string): boolean {
    const served = this.#lastServed.get(node);
    return served !== undefined && isLockedBy(lock, served);
  }

  /** Resolves at the next word on a pod of the node, or when the signal is aborted. Never rejects. */
  changed(node: string, signal: AbortSignal): Promise<void> {
    return this.#changes.next(node, signal);
  }

  /** @param begunOn where it has begun or is over: whoever was in step before, is now */
  #settle(podUid: string, begunOn?: string): void {
    const waiting = this.#find(podUid);
    const node = this.#remove(podUid);
    this.#settled.add(podUid);
    if (node !== undefined && waiting !== undefined) this.#lastServed.set(node, waiting);
    if (begunOn !== undefined && node === begunOn) this.#outOfStep.delete(begunOn);
  }

  #set({ uid, namespace, name }: PodObject, node: string, seen: boolean): void {
    if (this.#nodeOf.get(uid) !== node) this.#remove(uid);
    this.#nodeOf.set(uid, node);
    const pods = this.#waiting.get(node) ?? new Map<string, WaitingPod>();
    this.#waiting.set(node, pods.set(uid, { uid, namespace, name, seen }));
  }

  #find(podUid: string): WaitingPod | undefined {
    return this.#waiting.get(this.#nodeOf.get(podUid) ?? '')?.get(podUid);
  }

  #remove(podUid: string): string | undefined {
    const node = this.#nodeOf.get(podUid);
    if (node === undefined) return undefined;
    this.#nodeOf.delete(podUid);
    const pods = this.#waiting.get(node);
    pods?.delete(podUid);
    if (pods?.size === 0) this.#waiting.delete(node);
    return node;
  }

  #tell(node: string): void {
    this.#changes.tell(node);
    this.#onChange(node);
  }
}

/** Kubelet starts no container before all devices are there; a pod that is over gets none any more. */
export function hasBegun({ phase, running }: PodObject): boolean {
  return phase !== 'Pending' || running;
}

/** By its own words alone: bound under the protocol of the lock, and neither served nor begun. */
export function awaitsDevices(pod: PodObject): boolean {
  const phase = pod.annotations[bindPhaseAnnotation];
  return !hasBegun(pod) && phase !== undefined && phase !== 'success';
}
