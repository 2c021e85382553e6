/**
 * The label by which device monitors list pods goes with the Binding; API servers before v1.35 do not copy it (the
 * feature gate PodTopologyLabelsAdmission). The watch shows the pod as bound: what is missing then is patched.
 */
import type { PodObject } from '../model/cluster-objects.ts';
import { bindPhaseAnnotation } from '../vendors/pod-annotations.ts';
import { mergePatch, podPath } from './api-paths.ts';
import { isPassing } from './interruption.ts';
import type { RestClient } from './rest-client.ts';
import type { RestFailure } from './rest-result.ts';

type Labels = Readonly<Record<string, string>>;

const callTimeoutMs = 4000;

export class LabelKeeper {
  readonly #client: RestClient;
  readonly #reservations: readonly string[];
  readonly #expected = new Map<string, Labels>();

  /** @param reservations annotations in which a scheduler reserves what the device plugin then makes */
  constructor(client: RestClient, reservations: readonly string[]) {
    this.#client = client;
    this.#reservations = reservations;
  }

  /** A bind of this pod is about to be written. */
  expect(podUid: string, labels: Labels): void {
    if (Object.keys(labels).length > 0) this.#expected.set(podUid, labels);
  }

  forget(podUid: string): void {
    this.#expected.delete(podUid);
  }

  /** Takes a pod from the watch. Resolves when its labels are as they should be, or could not be made so this time. */
  async see(pod: PodObject): Promise<void> {
    const labels = pod.nodeName === undefined ? undefined : this.#expected.get(pod.uid);
    if (labels === undefined || this.#isBeingCompleted(pod)) return;
    this.#expected.delete(pod.uid);
    if (Object.entries(labels).every(([key, value]) => pod.labels[key] === value)) return;
    const result = await this.#client.request({
      method: 'PATCH',
      path: podPath(pod),
      contentType: mergePatch,
      body: { metadata: { uid: pod.uid, labels } },
      timeoutMs: callTimeoutMs,
    });
    // The pod's next change is the next attempt; a status that will not pass ends it.
    if (result.kind !== 'ok' && mayPass(result)) this.#expected.set(pod.uid, labels);
  }

  /**
   * True while the device plugin makes what is reserved for the pod (MIG instances): it writes what it made with the
   * version that it has read and does not try again, so nobody else may change the pod meanwhile.
   */
  #isBeingCompleted({ annotations }: PodObject): boolean {
    if (annotations[bindPhaseAnnotation] !== 'allocating') return false;
    return this.#reservations.some((key) => annotations[key] !== undefined);
  }
}

function mayPass(failure: RestFailure): boolean {
  return failure.kind !== 'status' || isPassing(failure.status);
}
