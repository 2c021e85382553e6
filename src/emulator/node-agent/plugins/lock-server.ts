/**
 * Allocate of the plugins that share the node lock (spec §7.3, vendors §1.8 to §1.10): kubelet says how many devices it
 * wants, not for whom. The plugin trusts the lock for that, serves the pod that it names, whatever pod that is, and
 * writes phase and lock back. It does so step by step as the real ones do, and never corrects a scheduler's mistake.
 */
import type { PodObject } from '../../../model/cluster-objects.ts';
import { bindPhaseAnnotation, bindTimeAnnotation, nodeAnnotation } from '../../../vendors/pod-annotations.ts';
import { isLockedBy, nodeLockAnnotation, parseNodeLock } from '../../../vendors/node-lock.ts';
import { pause } from '../../../kubernetes/backoff.ts';
import { hasStatus } from '../agent-api.ts';
import { AllocateError, PluginGoneError, refusal, rethrowBugs } from './allocate-error.ts';
import { CallQueue } from './call-queue.ts';
import type { AllocateAnswer, AllocateCall, Given, PluginHost } from './node-plugin.ts';

/** In what these plugins differ. */
export interface LockSteps {
  /** The bind phases of pods that it takes for waiting when no lock names one. */
  readonly waitingPhases: () => readonly string[];
  /** Gives the pod's next container its devices. Throws `AllocateError`, and `PluginGoneError` where it would die. */
  readonly serve: (pod: PodObject, count: number) => Promise<ServedContainer>;
}

export interface ServedContainer {
  readonly gift: Given;
  /** The plugin takes the pod for served completely. */
  readonly isLast: boolean;
}

const mostReleaseAttempts = 5;
const firstRetryMs = 100;
/** When a plugin that saw no answer to its final writes sends them again. */
const secondAnswerMs = 1000;

export class LockServer {
  readonly #host: PluginHost;
  readonly #steps: LockSteps;
  readonly #calls = new CallQueue();

  constructor(host: PluginHost, steps: LockSteps) {
    this.#host = host;
    this.#steps = steps;
  }

  allocate({ count }: AllocateCall): Promise<AllocateAnswer> {
    return this.#calls.run(() => this.#allocate(count));
  }

  async #allocate(count: number): Promise<AllocateAnswer> {
    const behaviour = await this.#host.behaviour.take();
    let pod: PodObject;
    try {
      pod = await this.#pendingPod();
      if (behaviour === 'crash') throw new PluginGoneError();
    } catch (error) {
      return refusal(error);
    }
    try {
      if (behaviour === 'fail') throw new AllocateError('told to fail');
      const { gift, isLast } = await this.#steps.serve(pod, count);
      if (isLast) await this.#succeed(pod, behaviour === 'answer-twice');
      return { kind: 'given', ...gift };
    } catch (error) {
      const answer = refusal(error);
      if (!(error instanceof PluginGoneError)) await this.#finish(pod, 'failed').catch(rethrowBugs);
      return answer;
    }
  }

  /** The lock's pod, unconditionally; without a lock that names one, the first that waits for its devices. */
  async #pendingPod(): Promise<PodObject> {
    const { api, node } = this.#host;
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
      this.#steps.waitingPhases().includes(annotations[bindPhaseAnnotation] ?? '') &&
      annotations[nodeAnnotation] === this.#host.node
    );
  }

  async #succeed(pod: PodObject, twice: boolean): Promise<void> {
    await this.#finish(pod, 'success');
    if (!twice) return;
    this.#host.clock.after(secondAnswerMs, () => {
      // The first answer counts; what becomes of the second is the server's business.
      void this.#finish(pod, 'success').catch(rethrowBugs);
    });
  }

  async #finish(pod: PodObject, phase: 'success' | 'failed'): Promise<void> {
    await this.#host.api.annotatePod(pod, { [bindPhaseAnnotation]: phase });
    await this.#release(pod);
  }

  /** Removes the lock if its text ends with this pod's name; tries again over any error. */
  async #release(pod: PodObject): Promise<void> {
    const { api, node, clock } = this.#host;
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
