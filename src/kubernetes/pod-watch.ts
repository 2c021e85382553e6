/**
 * Which bound pods still wait for their devices, by what the watch says of them and by the Bindings that are under way
 * here. While one does, nobody else may be given the node's lock of its family: the plugin serves whom the lock names, or
 * whom it finds waiting, and kubelet asks it for whichever pod it starts. A bound pod that once did not wait for a
 * family's plugin never waits for it again, whatever somebody writes on it.
 */
import type { NamespacedName, PodObject } from '../model/cluster-objects.ts';
import { hasLock, type LockProtocols } from '../vendors/lock-protocols.ts';
import type { NodeLockProtocol } from '../vendors/node-lock.ts';
import { Changes } from './changes.ts';

export interface WaitingPod extends NamespacedName {
  readonly uid: string;
  /** False while nothing but our own Binding says that it is bound. */
  readonly seen: boolean;
  /** The locks of those plugins that have not served it yet; never empty. */
  readonly unserved: readonly NodeLockProtocol[];
}

/** A pod as a lock tells of it. */
export interface LockOwner extends NamespacedName {
  /** Undefined where the lock has the name alone. */
  readonly uid?: string;
}

export interface PodWatchOptions {
  readonly protocols: LockProtocols;
  /** Told of every word on a pod of a node; must neither throw nor wait. */
  readonly onChange?: (node: string) => void;
}

export class PodWatch {
  readonly #protocols: LockProtocols;
  readonly #onChange: (node: string) => void;
  readonly #nodeOf = new Map<string, string>();
  /** By node, then by UID. */
  readonly #waiting = new Map<string, Map<string, WaitingPod>>();
  /** Bound pods that do not wait. */
  readonly #settled = new Set<string>();
  /**
   * Nodes on which a pod vanished while it waited, and for what. Kubelet may ask for it all the same, and be given what
   * was meant for the next one; so until that one has begun or is over, being served says nothing of it.
   */
  readonly #outOfStep = new Map<string, readonly NodeLockProtocol[]>();
  /** By node and annotation: who was served last. The plugin says so on the pod first and gives the lock back then. */
  readonly #lastServed = new Map<string, Map<string, WaitingPod>>();
  readonly #changes = new Changes();

  constructor({ protocols, onChange = () => undefined }: PodWatchOptions) {
    this.#protocols = protocols;
    this.#onChange = onChange;
  }

  /** Takes a pod from the watch, or from a read that is newer. */
  see(pod: PodObject): void {
    const { nodeName, uid } = pod;
    if (nodeName === undefined) return;
    if (hasBegun(pod)) {
      this.#settle(uid, nodeName);
    } else {
      const unserved = this.#settled.has(uid) ? [] : this.#unservedOf(pod, nodeName);
      if (unserved.length === 0) this.#settle(uid);
      else this.#set(pod, nodeName, { seen: true, unserved });
    }
    this.#tell(nodeName);
  }

  /** A Binding of the pod is about to be written, under these locks; what the watch says of the bound pod replaces this. */
  expect(pod: PodObject, node: string, locks: readonly NodeLockProtocol[]): void {
    if (locks.length > 0) this.#set(pod, node, { seen: false, unserved: locks });
  }

  /** The Binding of the pod came to nothing. */
  forget(podUid: string): void {
    const node = this.#remove(podUid);
    if (node !== undefined) this.#tell(node);
  }

  /** The pod is gone. Answers the node on which it waited, if it did. */
  gone(podUid: string): string | undefined {
    this.#settled.delete(podUid);
    const waiting = this.#find(podUid);
    const node = this.#remove(podUid);
    if (node === undefined || waiting === undefined) return undefined;
    if (waiting.seen) this.#lose(node, waiting.unserved);
    this.#tell(node);
    return node;
  }

  /** A pod of the node, other than this one, that waits there for devices under one of these locks. */
  waitingOn(node: string, exceptUid: string, locks: readonly NodeLockProtocol[]): WaitingPod | undefined {
    for (const pod of this.#waiting.get(node)?.values() ?? []) {
      if (pod.uid === exceptUid) continue;
      for (const lock of locks) if (hasLock(pod.unserved, lock)) return pod;
    }
    return undefined;
  }

  /** Whether the pod waits on the node for devices under the lock; one of that name, where its UID is not known. */
  awaitsDevices(node: string, lock: NodeLockProtocol, { namespace, name, uid }: LockOwner): boolean {
    const waiting = [...(this.#waiting.get(node)?.values() ?? [])];
    return waiting.some(
      (pod) =>
        pod.namespace === namespace &&
        pod.name === name &&
        (uid === undefined || pod.uid === uid) &&
        hasLock(pod.unserved, lock),
    );
  }

  /** Who was served last on the node under the lock, which is about to be given back if it is still his. */
  lastServed(node: string, { annotation }: NodeLockProtocol): WaitingPod | undefined {
    return this.#lastServed.get(node)?.get(annotation);
  }

  /** Resolves at the next word on a pod of the node, or when the signal is aborted. Never rejects. */
  changed(node: string, signal: AbortSignal): Promise<void> {
    return this.#changes.next(node, signal);
  }

  /** Under which locks a bound pod that has not begun still waits. */
  #unservedOf(pod: PodObject, node: string): readonly NodeLockProtocol[] {
    const { uid, annotations } = pod;
    const known = this.#find(uid);
    const asked = known?.unserved ?? this.#protocols.of(annotations);
    const unserved = asked.filter((lock) => !lock.isServed(annotations) || this.#isOutOfStep(node, lock));
    // Who is served by all is settled; of the others, one plugin may be done before the next.
    if (known !== undefined && unserved.length > 0 && unserved.length < asked.length) {
      this.#serve(
        known,
        node,
        asked.filter((lock) => !hasLock(unserved, lock)),
      );
    }
    return unserved;
  }

  /** @param begunOn where it has begun or is over: whoever was in step before, is now */
  #settle(podUid: string, begunOn?: string): void {
    const waiting = this.#find(podUid);
    const node = this.#remove(podUid);
    this.#settled.add(podUid);
    if (node === undefined || waiting === undefined) return;
    this.#serve(waiting, node, waiting.unserved);
    if (node === begunOn) this.#regain(node, waiting.unserved);
  }

  #serve(pod: WaitingPod, node: string, locks: readonly NodeLockProtocol[]): void {
    const served = this.#lastServed.get(node) ?? new Map<string, WaitingPod>();
    this.#lastServed.set(node, served);
    for (const { annotation } of locks) served.set(annotation, pod);
  }

  #isOutOfStep(node: string, lock: NodeLockProtocol): boolean {
    return hasLock(this.#outOfStep.get(node) ?? [], lock);
  }

  #lose(node: string, locks: readonly NodeLockProtocol[]): void {
    const lost = this.#outOfStep.get(node) ?? [];
    this.#outOfStep.set(node, [...lost, ...locks.filter((lock) => !hasLock(lost, lock))]);
  }

  #regain(node: string, locks: readonly NodeLockProtocol[]): void {
    const left = this.#outOfStep.get(node)?.filter((lock) => !hasLock(locks, lock));
    if (left === undefined) return;
    if (left.length === 0) this.#outOfStep.delete(node);
    else this.#outOfStep.set(node, left);
  }

  #set(
    { uid, namespace, name }: PodObject,
    node: string,
    waits: Pick<WaitingPod, 'seen' | 'unserved'>,
  ): void {
    if (this.#nodeOf.get(uid) !== node) this.#remove(uid);
    this.#nodeOf.set(uid, node);
    const pods = this.#waiting.get(node) ?? new Map<string, WaitingPod>();
    this.#waiting.set(node, pods.set(uid, { uid, namespace, name, ...waits }));
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
