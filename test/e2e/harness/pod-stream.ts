/** Creates short pods one after the other, as fast as they find their places, and deletes some of them a few pods later. */
import { isOver, type PodState } from '../../integration/scenarios/pods.ts';
import type { ScenarioCluster } from '../../integration/scenarios/scenario-cluster.ts';
import { planShortPod, type ShortPodOptions } from './short-pods.ts';

export interface PodStreamOptions {
  readonly followed: ScenarioCluster;
  readonly pods: ShortPodOptions;
  /** Called after each pod with how many there have been. */
  readonly onPod: (count: number) => void;
}

const mostWaiting = 12;
const waitMs = 30_000;
const deleteEvery = 5;

export class PodStream {
  readonly #options: PodStreamOptions;
  readonly #doomed: string[] = [];
  #count = 0;

  constructor(options: PodStreamOptions) {
    this.#options = options;
  }

  /** Of the pods so far, those that are gone included. */
  get count(): number {
    return this.#count;
  }

  /** After each one, waits until few others wait for a node. */
  async create(pods: number): Promise<void> {
    const { followed } = this.#options;
    for (let more = 0; more < pods; more += 1) {
      await this.createOne();
      await followed.waitFor(
        'few pods wait',
        (all) => (all.filter(isUnbound).length <= mostWaiting ? true : undefined),
        waitMs,
      );
    }
  }

  /** However many wait. */
  async createOne(): Promise<void> {
    const { followed, pods, onPod } = this.#options;
    const { name, manifest, isDeleted } = planShortPod(`pod-${this.#count}`, pods);
    this.#count += 1;
    await followed.create(manifest);
    if (isDeleted) this.#doomed.push(name);
    onPod(this.#count);
    if (this.#count % deleteEvery === 0) await this.#deleteOne();
  }

  /** Deletes those that are to be deleted and are still there. */
  async deleteRest(): Promise<void> {
    while (this.#doomed.length > 0) await this.#deleteOne();
  }

  async #deleteOne(): Promise<void> {
    const name = this.#doomed.shift();
    if (name !== undefined) await this.#options.followed.delete(name);
  }
}

/** Without a node, and not over. */
export function isUnbound(pod: PodState): boolean {
  return pod.spec.nodeName === undefined && !isOver(pod);
}
