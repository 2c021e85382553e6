/**
 * The device plugin of one node, as far as a scheduler can see it (spec §7.3): kubelet says how many devices it wants,
 * not for whom. The plugin trusts the node lock for that, takes the named pod's next entry, whatever pod that is, and
 * writes phase and lock back. It does so step by step as the real one does, and never corrects a scheduler's mistake.
 */
import type { Share } from '../../model/allocation.ts';
import type { Clock } from '../../model/clock.ts';
import { type PodObject, podName, type TextMap } from '../../model/cluster-objects.ts';
import { isCut } from '../../model/mig.ts';
import { bindPhaseAnnotation, bindTimeAnnotation, nodeAnnotation } from '../../vendors/pod-annotations.ts';
import { isLockedBy, nodeLockAnnotation, parseNodeLock } from '../../vendors/node-lock.ts';
import { pause } from '../../kubernetes/backoff.ts';
import { type AgentApi, hasStatus, isAgentApiError } from './agent-api.ts';
import { instanceEnvironment, sharedCardEnvironment } from './container-environment.ts';
import { type LiveInstance, MigInstances } from './mig-instances.ts';
import { realise } from './mig-realisation.ts';
import { devicesOf, type NodeDescription } from './node-description.ts';
import type { BehaviourSwitch } from './plugin-behaviour.ts';
import type { PluginFamily } from './plugin-family.ts';
import { type PluginTraits, traitsOf } from './plugin-version.ts';
import { parseReservations } from './reservation-annotation.ts';
import { takeEntry } from './to-allocate.ts';

export interface DevicePluginOptions {
  readonly node: string;
  readonly family: PluginFamily;
  /** The machine as it is now. */
  readonly describe: () => NodeDescription;
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
      /** On cards in MIG mode: the instance of each share. */
      readonly instances: readonly LiveInstance[];
      /** What the container is told. */
      readonly env: TextMap;
    }
  | { readonly kind: 'refused'; readonly message: string };

const pluginGone: AllocateAnswer = { kind: 'refused', message: 'the device plugin went away' };
const mostReleaseAttempts = 5;
const firstRetryMs = 100;
/** When a plugin that saw no answer to its final writes sends them again. */
const secondAnswerMs = 1000;

export class DevicePlugin {
  readonly #options: DevicePluginOptions;
  readonly #instances = new MigInstances();
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

  /** The pod's containers have ended: its MIG instances go. The real plugin finds out by itself. */
  release(podUid: string): void {
    this.#instances.destroyOf(podUid);
  }

  /** A pod that ran before this plugin: the MIG instances that its annotation tells of exist. */
  adopt({ uid: podUid, annotations }: PodObject): void {
    const written = parseReservations(annotations[this.#options.family.reservationAnnotation] ?? '[]');
    for (const { made, ...planned } of written.ok ? written.value : []) {
      if (made !== undefined) this.#instances.adopt({ ...planned, ...made, podUid });
    }
  }

  async #allocate(deviceCount: number): Promise<AllocateAnswer> {
    const behaviour = await this.#options.behaviour.take();
    let pod: PodObject;
    try {
      pod = await this.#pendingPod();
    } catch (error) {
      return refusal(error);
    }
    if (behaviour === 'crash') return pluginGone;
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
      this.#traits().waitingPhases.includes(annotations[bindPhaseAnnotation] ?? '') &&
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
    const position = this.#positionOf(index, pod);
    const container = pod.containers[position];
    if (container === undefined) {
      // A plugin that knows app containers alone dies of it.
      if (this.#traits().entriesOf === 'app-containers') return pluginGone;
      throw new AllocateError(`container index ${index} out of range`);
    }
    if (shares.length !== deviceCount) {
      throw new AllocateError(`device number not matched: ${shares.length} written, ${deviceCount} asked`);
    }
    const made = await this.#make(pod, position, shares);
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
    return { kind: 'given', pod, container: container.name, shares, ...made };
  }

  /** Where the container of an entry stands among all. */
  #positionOf(index: number, { containers }: PodObject): number {
    const countsAll = this.#traits().entriesOf === 'all-containers';
    return countsAll ? index : index + containers.filter(({ role }) => role !== 'app').length;
  }

  /** What the container gets for its entry: parts of cards as they are, or instances that are made now. */
  async #make(
    pod: PodObject,
    containerIndex: number,
    shares: readonly Share[],
  ): Promise<{ readonly instances: readonly LiveInstance[]; readonly env: TextMap }> {
    const { family, api, describe } = this.#options;
    const description = describe();
    const devices = devicesOf(description, family.vendor);
    const isMig = devices.some(
      (device) => isCut(device) && shares.some(({ deviceId }) => deviceId === device.id),
    );
    if (!isMig) {
      return { instances: [], env: sharedCardEnvironment(shares, description.plugin?.memoryScaling ?? 1) };
    }
    if (!this.#traits().makesReservedInstances) {
      throw new AllocateError('a plugin of this age makes no reserved MIG instances');
    }
    const reservations = pod.annotations[family.reservationAnnotation];
    if (reservations === undefined) {
      throw new AllocateError(`pod ${podName(pod)} has no ${family.reservationAnnotation}`);
    }
    const container = { podUid: pod.uid, containerIndex, shares, reservations };
    const realised = realise(container, devices, this.#instances);
    if (!realised.ok) throw new AllocateError(realised.problem);
    const { instances } = realised.value;
    // Once, without looking again: whoever has changed the pod meanwhile makes it fail, as with the real plugin.
    await api.annotateVersion(pod, { [family.reservationAnnotation]: realised.value.reservations });
    return { instances, env: instanceEnvironment(instances) };
  }

  #traits(): PluginTraits {
    return traitsOf(this.#options.describe().plugin?.version);
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
