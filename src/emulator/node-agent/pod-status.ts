/** The status that kubelet reports for a pod at each turn of its life. Only content is made here; nothing is sent. */
import type { ContainerObject, PodObject } from '../../model/cluster-objects.ts';

/** When the pod's containers run, seconds as text; it then ends well. Without it a pod runs until it is deleted. */
export const runSecondsAnnotation = 'tessera.io/run-seconds';
/** How long the pod's containers take to stop once it is deleted, seconds as text; at once where left out. */
export const stopSecondsAnnotation = 'tessera.io/stop-seconds';

/** Seconds written under a key of the pod's annotations; undefined where there are none or no number. */
export function secondsOf(pod: PodObject, annotation: string): number | undefined {
  const text = pod.annotations[annotation] ?? '';
  return /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined;
}

export interface Times {
  /** When kubelet accepted the pod; milliseconds since the epoch. */
  readonly startedMs: number;
  readonly nowMs: number;
}

/** The plain init containers have run, nothing else has started. */
export function initFinishedStatus(pod: PodObject, times: Times): object {
  return {
    phase: 'Pending',
    startTime: timeOf(times.startedMs),
    initContainerStatuses: statuses(pod, isInit, (container) =>
      container.role === 'init' ? terminated(times, 0) : waiting(),
    ),
  };
}

export function runningStatus(pod: PodObject, times: Times): object {
  return {
    phase: 'Running',
    startTime: timeOf(times.startedMs),
    conditions: conditions(times.nowMs, 'True'),
    ...containerStatuses(pod, ({ role }) => (role === 'init' ? terminated(times, 0) : running(times))),
  };
}

/** All containers have ended; sidecars always end well. */
export function endedStatus(pod: PodObject, times: Times, exitCode: number): object {
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    conditions: conditions(times.nowMs, 'False'),
    ...containerStatuses(pod, ({ role }) => terminated(times, role === 'app' ? exitCode : 0)),
  };
}

/** Kubelet does not run the pod at all. */
export function refusedStatus(message: string, nowMs: number): object {
  return {
    phase: 'Failed',
    reason: 'UnexpectedAdmissionError',
    message: `Pod was rejected: ${message}`,
    startTime: timeOf(nowMs),
  };
}

/** What a container's status says of it, besides its name. */
interface ContainerState {
  readonly ready: boolean;
  readonly started: boolean;
  readonly state: object;
}

function containerStatuses(pod: PodObject, stateOf: (container: ContainerObject) => ContainerState): object {
  return {
    initContainerStatuses: statuses(pod, isInit, stateOf),
    containerStatuses: statuses(pod, (container) => !isInit(container), stateOf),
  };
}

function statuses(
  { containers }: PodObject,
  isWanted: (container: ContainerObject) => boolean,
  stateOf: (container: ContainerObject) => ContainerState,
): readonly object[] {
  return containers.filter(isWanted).map((container) => ({
    name: container.name,
    image: '',
    imageID: '',
    restartCount: 0,
    ...stateOf(container),
  }));
}

function isInit({ role }: ContainerObject): boolean {
  return role !== 'app';
}

function waiting(): ContainerState {
  return { ready: false, started: false, state: { waiting: { reason: 'PodInitializing' } } };
}

function running({ nowMs }: Times): ContainerState {
  return { ready: true, started: true, state: { running: { startedAt: timeOf(nowMs) } } };
}

function terminated({ startedMs, nowMs }: Times, exitCode: number): ContainerState {
  return {
    ready: false,
    started: false,
    state: {
      terminated: {
        exitCode,
        reason: exitCode === 0 ? 'Completed' : 'Error',
        startedAt: timeOf(startedMs),
        finishedAt: timeOf(nowMs),
      },
    },
  };
}

function conditions(nowMs: number, status: 'True' | 'False'): readonly object[] {
  return ['Initialized', 'ContainersReady', 'Ready'].map((type) => ({
    type,
    status: type === 'Initialized' ? 'True' : status,
    lastTransitionTime: timeOf(nowMs),
  }));
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
