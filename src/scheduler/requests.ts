/**
 * Pods that kube-scheduler has asked about, parsed once per UID and resource version. Bounded: the oldest are
 * forgotten first and parsed again when they come back.
 */
import type { PodObject } from '../model/cluster-objects.ts';
import { shapeOf } from '../placement/verdicts.ts';
import { type PodReading, readPodRequest } from '../vendors/pod-request.ts';
import type { Vendor } from '../vendors/vendor.ts';

export interface KnownPod {
  readonly pod: PodObject;
  readonly reading: PodReading;
  /** Under which verdicts on it are remembered. */
  readonly shape: string;
  /** How often this pod was told to try again because it fits only outside the sample it was filtered with. */
  retries: number;
}

const mostPods = 20_000;

export class Requests {
  readonly #vendors: readonly Vendor[];
  readonly #pods = new Map<string, KnownPod>();

  constructor(vendors: readonly Vendor[]) {
    this.#vendors = vendors;
  }

  read(pod: PodObject): KnownPod {
    const known = this.#pods.get(pod.uid);
    if (
      known !== undefined &&
      pod.resourceVersion !== '' &&
      known.pod.resourceVersion === pod.resourceVersion
    ) {
      return known;
    }
    const reading = readPodRequest(pod, this.#vendors);
    const read = { pod, reading, shape: shapeOf(reading.request), retries: known?.retries ?? 0 };
    if (pod.uid === '') return read;
    this.#pods.delete(pod.uid);
    this.#pods.set(pod.uid, read);
    const oldest = this.#pods.size > mostPods ? this.#pods.keys().next() : undefined;
    if (oldest?.done === false) this.#pods.delete(oldest.value);
    return read;
  }

  find(podUid: string): KnownPod | undefined {
    return this.#pods.get(podUid);
  }

  forget(podUid: string): void {
    this.#pods.delete(podUid);
  }
}
