/**
 * The kubelet of one node, as far as a scheduler can see it: pods bound to the node are admitted one after the other,
 * with devices from the plugins, then run side by side until their time is over or they are deleted. Status writes are
 * tried until they succeed or the pod is gone; an admission that fails is final, as on a real node.
 */
import { pause } from '../../kubernetes/backoff.ts';
import type { PodObject } from '../../model/cluster-objects.ts';
import type { Clock } from '../../model/clock.ts';
import { type AgentApi, hasStatus, isAgentApiError } from './agent-api.ts';
import type { AllocationBook } from './allocation-book.ts';
import { admitDevices, type DevicePlugin } from './device-admission.ts';
import {
  endedStatus,
  initFinishedStatus,
  refusedStatus,
  runningStatus,
  runSecondsAnnotation,
  secondsOf,
  stopSecondsAnnotation,
} from './pod-status.ts';

export interface KubeletOptions {
  readonly node: string;
  /** Those that run on the machine now. */
  readonly plugins: () => readonly DevicePlugin[];
  readonly api: Pick<AgentApi, 'patchPodStatus' | 'deletePod'>;
  readonly book: AllocationBook;
  readonly clock: Clock;
}

interface PodRun {
  /** As last seen. */
  pod: PodObject;
  /** Holds devices from `admitting` to `ending`. */
  stage: 'queued' | 'admitting' | 'running' | 'ending' | 'ended';
  startedMs: number;
  /** The object no longer exists. */
  gone: boolean;
  /** Its deletion has been asked of the server. */
  removing: boolean;
  cancelTimer: () => void;
}

const firstRetryMs = 100;
const longestRetryMs = 3000;
/** What a container that SIGTERM ended leaves behind: 128 + 15. */
const terminatedExitCode = 143;

export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #runs = new Map<string, PodRun>();
  #admissions: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: KubeletOptions) {
    this.#options = options;
  }

  /** A pod of this node, as the watch shows it. */
  see(pod: PodObject): void {
    const known = this.#runs.get(pod.uid);
    if (known === undefined) {
      this.#begin(pod);
      return;
    }
    known.pod = pod;
    if (pod.deleting) this.#delete(known);
  }

  /** The pod's object is gone; if its containers still run, they are stopped now. */
  forget(uid: string): void {
    const run = this.#runs.get(uid);
    if (run === undefined) return;
    run.gone = true;
    this.#runs.delete(uid);
    for (const plugin of this.#options.plugins()) this.#task(plugin.forget?.(run.pod));
    if (run.stage === 'running') this.#task(this.#terminate(run));
    else if (run.stage === 'queued') run.stage = 'ended';
  }

  /** The machine is switched off: nothing is written any more. */
  stop(): void {
    this.#stopped = true;
    for (const run of this.#runs.values()) run.cancelTimer();
  }

  /** Asked after every wait, so that nothing outlives the machine. */
  #isOff(): boolean {
    return this.#stopped;
  }

  #begin(pod: PodObject): void {
    const run: PodRun = {
      pod,
      stage: 'queued',
      startedMs: this.#options.clock.nowMs(),
      gone: false,
      removing: false,
      cancelTimer: () => undefined,
    };
    this.#runs.set(pod.uid, run);
    if (pod.phase === 'Succeeded' || pod.phase === 'Failed') {
      run.stage = 'ended';
    } else if (pod.phase === 'Running') {
      // From before this agent: it goes on as if its time began now.
      run.stage = 'running';
      for (const plugin of this.#options.plugins()) plugin.adopt?.(pod);
      this.#awaitEnd(run);
    } else if (!pod.deleting) {
      this.#admissions = this.#admissions.then(() => this.#guarded(this.#admit(run)));
    }
    if (pod.deleting) this.#delete(run);
  }

  // --- admission

  async #admit(run: PodRun): Promise<void> {
    if (run.stage !== 'queued' || this.#isOff()) return;
    run.stage = 'admitting';
    const problem = await this.#findAdmissionProblem(run.pod);
    if (this.#isOff()) return;
    if (problem === undefined && !run.gone && !run.pod.deleting) {
      this.#task(this.#start(run));
      return;
    }
    run.stage = 'ended';
    this.#takeBack(run);
    if (problem !== undefined) {
      await this.#report(run, refusedStatus(problem, this.#options.clock.nowMs()));
    }
    if (run.pod.deleting) this.#delete(run);
  }

  /** Asks the plugins for every container's devices; answers why the pod cannot run. */
  #findAdmissionProblem(pod: PodObject): Promise<string | undefined> {
    const { node, plugins, book } = this.#options;
    const others = [...this.#runs.values()]
      .filter(({ pod: other, stage }) => other.uid !== pod.uid && stage !== 'queued' && stage !== 'ended')
      .map((run) => run.pod);
    return admitDevices(pod, { node, plugins: plugins(), others, book });
  }

  // --- life and end

  async #start(run: PodRun): Promise<void> {
    const { book } = this.#options;
    run.stage = 'running';
    if (run.pod.containers.some(({ role }) => role === 'init')) {
      await this.#report(run, initFinishedStatus(run.pod, this.#times(run)));
      book.finishInit(run.pod.uid);
    }
    if (!isRunning(run)) return;
    await this.#report(run, runningStatus(run.pod, this.#times(run)));
    if (isRunning(run)) this.#awaitEnd(run);
  }

  #awaitEnd(run: PodRun): void {
    const seconds = secondsOf(run.pod, runSecondsAnnotation);
    if (seconds === undefined) return;
    run.cancelTimer = this.#options.clock.after(seconds * 1000, () => {
      this.#task(this.#complete(run));
    });
  }

  async #complete(run: PodRun): Promise<void> {
    run.stage = 'ending';
    await this.#end(run, 0);
  }

  async #terminate(run: PodRun): Promise<void> {
    run.stage = 'ending';
    run.cancelTimer();
    const seconds = secondsOf(run.pod, stopSecondsAnnotation) ?? 0;
    if (seconds > 0) await pause(this.#options.clock, seconds * 1000);
    await this.#end(run, terminatedExitCode);
  }

  async #end(run: PodRun, exitCode: number): Promise<void> {
    this.#takeBack(run);
    await this.#report(run, endedStatus(run.pod, this.#times(run), exitCode));
    run.stage = 'ended';
    if (run.pod.deleting) this.#delete(run);
  }

  /** No container of the pod runs any more. */
  #takeBack({ pod }: PodRun): void {
    this.#options.book.end(pod.uid);
    for (const plugin of this.#options.plugins()) plugin.release?.(pod.uid);
  }

  /** The pod is to go: its containers first, then its object. */
  #delete(run: PodRun): void {
    switch (run.stage) {
      case 'running':
        this.#task(this.#terminate(run));
        break;
      case 'queued':
      case 'ended':
        run.stage = 'ended';
        this.#task(this.#remove(run));
        break;
      case 'admitting':
      case 'ending':
        // Comes back here when it is done.
        break;
    }
  }

  async #remove(run: PodRun): Promise<void> {
    if (run.removing) return;
    run.removing = true;
    await this.#untilDone(run, () => this.#options.api.deletePod(run.pod));
  }

  // --- writing

  #times(run: PodRun) {
    return { startedMs: run.startedMs, nowMs: this.#options.clock.nowMs() };
  }

  async #report(run: PodRun, status: object): Promise<void> {
    await this.#untilDone(run, () => this.#options.api.patchPodStatus(run.pod, status));
  }

  async #untilDone(run: PodRun, write: () => Promise<void>): Promise<void> {
    for (
      let retryMs = firstRetryMs;
      !run.gone && !this.#isOff();
      retryMs = Math.min(retryMs * 2, longestRetryMs)
    ) {
      try {
        await write();
        return;
      } catch (error) {
        if (!isAgentApiError(error)) throw error;
        // 404: the pod is gone; 409: another pod has its name now.
        if (hasStatus(error, 404) || hasStatus(error, 409)) return;
        await pause(this.#options.clock, retryMs);
      }
    }
  }

  #task(work: Promise<void> | undefined): void {
    // What goes wrong in it becomes a fault in the book.
    void this.#guarded(work);
  }

  async #guarded(work: Promise<void> | undefined): Promise<void> {
    try {
      await work;
    } catch (error) {
      const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#options.book.addFault(`the kubelet of ${this.#options.node} broke: ${cause}`);
    }
  }
}

/** Asked after every wait: the pod may have been deleted meanwhile. */
function isRunning(run: PodRun): boolean {
  return run.stage === 'running' && !run.gone;
}
