/**
 * Strays: pods that somebody bound past us to a node, that ask for devices its plugin hands out by the node's lock, and
 * that have none written on them. The plugin serves whichever pod the lock names, so while a stray waits for devices,
 * those of the lock's owner may go to it. A pod is one until it has started, ended, gone, or been given an allocation;
 * one that has started is none again. Kept are strays, and who began before its phase says so; nobody else.
 */
import { type NamespacedName, podName, type PodObject } from '../model/cluster-objects.ts';
import { compareText } from '../model/device.ts';
import { readPodRequest } from '../vendors/pod-request.ts';
import type { Vendor } from '../vendors/vendor.ts';
import { readAllocation } from './annotated-allocation.ts';
import { dependsOnDevices } from './charge.ts';
import type { PodShapes } from './pod-shapes.ts';

export interface Stray extends NamespacedName {
  readonly podUid: string;
  readonly node: string;
}

/**
 * How being a stray begins and ends. `started`: the pod runs, with whose devices nobody knows; `settled`: it ended
 * without having run, is gone, or has an allocation.
 */
export interface StrayChange {
  readonly kind: 'came' | 'started' | 'settled';
  readonly stray: Stray;
}

export interface StraysOptions {
  readonly vendors: readonly Vendor[];
  readonly shapes: PodShapes;
  /** Told of every change when it has been made. */
  readonly onChange?: (change: StrayChange) => void;
}

export class Strays {
  readonly #vendors: readonly Vendor[];
  readonly #locking: ReadonlySet<string>;
  readonly #shapes: PodShapes;
  readonly #onChange: StraysOptions['onChange'];
  readonly #strays = new Map<string, Stray>();
  /** Sorted, so that the first one does not depend on who came first; a node without any is absent. */
  readonly #byNode = new Map<string, readonly Stray[]>();
  /** UIDs of pods whose phase is Pending although a container was seen to run or to have run. */
  readonly #begun = new Set<string>();

  constructor({ vendors, shapes, onChange }: StraysOptions) {
    this.#vendors = vendors.filter(({ nodeLock }) => nodeLock !== undefined);
    this.#locking = new Set(this.#vendors.map(({ key }) => key));
    this.#shapes = shapes;
    this.#onChange = onChange;
  }

  /** Any of the node's strays, the same for the same ones; undefined when it has none. */
  on(node: string): Stray | undefined {
    return this.#byNode.get(node)?.[0];
  }

  /** How many nodes have strays. */
  get nodes(): number {
    return this.#byNode.size;
  }

  /** Takes a bound pod as it is now. */
  see(pod: PodObject, node: string): void {
    const { uid, phase } = pod;
    if (phase !== 'Pending') {
      this.#begun.delete(uid);
      this.#leave(uid, phase !== 'Failed' || hasBegun(pod) ? 'started' : 'settled');
      return;
    }
    if (!this.#asks(pod)) return;
    if (hasBegun(pod)) {
      this.#begun.add(uid);
      this.#leave(uid, 'started');
      return;
    }
    if (this.#begun.has(uid)) return;
    if (!this.#isShort(pod)) this.#leave(uid, 'settled');
    else if (!this.#strays.has(uid)) this.#come(pod, node);
  }

  /** The pod is gone. */
  forget(podUid: string): void {
    this.#begun.delete(podUid);
    this.#leave(podUid, 'settled');
  }

  /** Whether it wants devices that are handed out by the lock. */
  #asks(pod: PodObject): boolean {
    return this.#shapes
      .of(pod)
      .requests.some(({ devices }) => devices.some(({ vendor }) => this.#locking.has(vendor)));
  }

  /** Whether fewer of those devices are written on the pod than it asks for. A seal plays no part: the plugin needs none. */
  #isShort(pod: PodObject): boolean {
    const { request } = readPodRequest(pod, this.#vendors, this.#shapes.of(pod));
    const containers = request.containers.map((container) => ({
      ...container,
      devices: container.devices.filter(({ vendor }) => this.#locking.has(vendor)),
    }));
    const annotated = readAllocation(pod, this.#vendors);
    return dependsOnDevices({ ...request, containers }, { annotated, trust: 'as-written' });
  }

  #come({ uid: podUid, namespace, name }: PodObject, node: string): void {
    const stray = { podUid, namespace, name, node };
    this.#strays.set(podUid, stray);
    this.#byNode.set(node, [...(this.#byNode.get(node) ?? []), stray].sort(compareStrays));
    this.#onChange?.({ kind: 'came', stray });
  }

  #leave(podUid: string, kind: 'started' | 'settled'): void {
    const stray = this.#strays.get(podUid);
    if (stray === undefined) return;
    this.#strays.delete(podUid);
    const left = (this.#byNode.get(stray.node) ?? []).filter((other) => other !== stray);
    if (left.length === 0) this.#byNode.delete(stray.node);
    else this.#byNode.set(stray.node, left);
    this.#onChange?.({ kind, stray });
  }
}

/** That plain init containers have ended tells as much where the watch has left out that they ran. */
function hasBegun({ running, initFinished, containers }: PodObject): boolean {
  return running || (initFinished && containers.some(({ role }) => role === 'init'));
}

function compareStrays(a: Stray, b: Stray): number {
  return compareText(podName(a), podName(b)) || compareText(a.podUid, b.podUid);
}
