/**
 * The device plugin of one node, as far as a scheduler can see it (spec §7.3): kubelet says how many devices it wants,
 * not for whom. The plugin trusts the node lock for that, takes the named pod's next entry, whatever pod that is, and
 * writes phase and lock back. It does so step by step as the real one does, and never corrects a scheduler's mistake.
 */
import type { Share } from '../../model/allocation.ts';
import type { Clock } from '../../model/clock.ts';
import { type PodObject, podName } from '../../model/cluster-objects.ts';
import { bindPhaseAnnotation, bindTimeAnnotation, nodeAnnotation } from '../../vendors/pod-annotations.ts';
import { isLockedBy, nodeLockAnnotation, parseNodeLock } from '../../vendors/node-lock.ts';
import { pause } from '../../kubernetes/backoff.ts';
import { type AgentApi, hasStatus, isAgentApiError } from './agent-api.ts';
import type { BehaviourSwitch } from './plugin-behaviour.ts';
import type { PluginFamily } from './plugin-family.ts';
import { takeEntry } from './to-allocate.ts';

export interface DevicePluginOptions {
  readonly node: string;
  readonly family: PluginFamily;
  readonly api: AgentApi;
  readonly clock: Clock;
  readonly behaviour: BehaviourSwitch;
}

export type AllocateAnswer =
  | {
      readonly kind: 'given';
      /** Whose annotation the devices were taken from. */
      readonly pod: PodObject;
      /** The container for which the scheduler meant them. */
      readonly container: string;
      readonly shares: readonly Share[];
    }
  | { readonly kind: 'refused'; readonly message: string };

const mostReleaseAttempts = 5;
const firstRetryMs = 100;
/** When a plugin that saw no answer to its final writes sends them again. */
const secondAnswerMs = 1000;

export class DevicePlugin {
  readonly #options: DevicePluginOptions;
  /** Calls are served one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DevicePluginOptions) {
    this.#options = options;
  }

  /** Kubelet's call for one container. Rejects only over a bug. */
  allocate(deviceCount: number): Promise<AllocateAnswer> {
    const answer = this.#last.then(() => this.#allocate(deviceCount));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #allocate(deviceCount: number): Promise<AllocateAnswer> {
    const behaviour = await this.#options.behaviour.take();
    let pod: PodObject;
    try {
      pod = await this.#pendingPod();
    } catch (error) {
      return refusal(error);
    }
    if (behaviour === 'crash') return { kind: 'refused', message: 'the device plugin went away' };
    try {
      if (behaviour === 'fail') throw new AllocateError('told to fail');
      return await this.#serve(pod, deviceCount, behaviour === 'answer-twice');
    } catch (error) {
      const answer = refusal(error);
      await this.#finish(pod, 'failed').catch(rethrowBugs);
      return answer;
    }
  }

  /** The lock's pod, unconditionally; without a lock that names one, the first that waits for its devices. */
  async #pendingPod(): Promise<PodObject> {
    const { api, node } = this.#options;
    const written = (await api.node(node)).annotations[nodeLockAnnotation];
    const lock = written === undefined ? undefined : parseNodeLock(written);
    if (lock?.kind === 'owned') return api.pod(lock.owner);
    const waiting = (await api.podsOf(node)).find((pod) => this.#awaitsDevices(pod));
    if (waiting === undefined) throw new AllocateError(`no binding pod found on node ${node}`);
    return waiting;
  }

  #awaitsDevices({ phase, annotations }: PodObject): boolean {
    return (
      phase === 'Pending' &&
      annotations[bindTimeAnnotation] !== undefined &&
      ['allocating', 'success'].includes(annotations[bindPhaseAnnotation] ?? '') &&
      annotations[nodeAnnotation] === this.#options.node
    );
  }

  async #serve(pod: PodObject, deviceCount: number, twice: boolean): Promise<AllocateAnswer> {
    const { api, family, clock } = this.#options;
    const value = pod.annotations[family.toAllocateAnnotation];
    if (value === undefined)
      throw new AllocateError(`pod ${podName(pod)} has no ${family.toAllocateAnnotation}`);
    const taken = takeEntry(value, family.vendor);
    if (!taken.ok) throw new AllocateError(taken.problem);
    const { index, shares, erased } = taken.value;
    const container = pod.containers[index];
    if (container === undefined) throw new AllocateError(`container index ${index} out of range`);
    if (shares.length !== deviceCount) {
      throw new AllocateError(`device number not matched: ${shares.length} written, ${deviceCount} asked`);
    }
    await api.annotatePod(pod, { [family.toAllocateAnnotation]: erased });
    const left = (await api.pod(pod)).annotations[family.toAllocateAnnotation] ?? '';
    if (!left.includes(family.vendor)) {
      await this.#finish(pod, 'success');
      if (twice) {
        clock.after(secondAnswerMs, () => {
          // The first answer counts; what becomes of the second is the server's business.
          void this.#finish(pod, 'success').catch(rethrowBugs);
        });
      }
    }
    return { kind: 'given', pod, container: container.name, shares };
  }

  async #finish(pod: PodObject, phase: 'success' | 'failed'): Promise<void> {
    await this.#options.api.annotatePod(pod, { [bindPhaseAnnotation]: phase });
    await this.#release(pod);
  }

  /** Removes the lock if its text ends with this pod's name; tries again over any error. */
  async #release(pod: PodObject): Promise<void> {
    const { api, node, clock } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { annotations, resourceVersion } = await api.node(node);
        const lock = annotations[nodeLockAnnotation];
        if (lock === undefined || (lock.includes(',') && !isLockedBy(lock, pod))) return;
        await api.patchNode(node, {
          metadata: { resourceVersion, annotations: { [nodeLockAnnotation]: null } },
        });
        return;
      } catch (error) {
        rethrowBugs(error);
        if (attempt === mostReleaseAttempts || hasStatus(error, 404)) throw error;
        await pause(clock, firstRetryMs * 2 ** (attempt - 1));
      }
    }
  }
}

/** Allocate cannot give what it was asked for. */
class AllocateError extends Error {
  override readonly name = 'AllocateError';
  readonly code = 'ALLOCATE';
}

function refusal(error: unknown): AllocateAnswer {
  if (error instanceof AllocateError || isAgentApiError(error)) {
    return { kind: 'refused', message: error.message };
  }
  throw error;
}

function rethrowBugs(error: unknown): void {
  if (!isAgentApiError(error)) throw error;
}
