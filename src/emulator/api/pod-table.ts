/** The columns of `kubectl get pods`; the reading of a pod's state is that of k8s.io/kubernetes `pkg/printers`. */
import type { ApiObject } from './api-object.ts';
import { ageText } from './duration.ts';
import { at, isRecord, listAt, numberAt, textAt } from './json.ts';
import type { Column } from './tables.ts';

const none = '<none>';

export const podColumns: readonly Column[] = [
  { name: 'Name', format: 'name', cell: ({ metadata }) => metadata.name },
  { name: 'Ready', cell: (pod) => `${readyCount(pod)}/${containerCount(pod)}` },
  { name: 'Status', cell: statusOf },
  { name: 'Restarts', cell: restartsOf },
  { name: 'Age', cell: ({ metadata }, nowMs) => ageText(metadata.creationTimestamp ?? '', nowMs) },
  {
    name: 'IP',
    wide: true,
    cell: (pod) => textAt(listAt(pod, 'status', 'podIPs')[0], 'ip') || textAt(pod, 'status', 'podIP') || none,
  },
  { name: 'Node', wide: true, cell: (pod) => textAt(pod, 'spec', 'nodeName') || none },
  { name: 'Nominated Node', wide: true, cell: (pod) => textAt(pod, 'status', 'nominatedNodeName') || none },
  { name: 'Readiness Gates', wide: true, cell: readinessGates },
];

/** Init containers that keep running beside the others. */
function sidecarNames(pod: ApiObject): ReadonlySet<string> {
  const inits = listAt(pod, 'spec', 'initContainers');
  return new Set(
    inits
      .filter((container) => textAt(container, 'restartPolicy') === 'Always')
      .map((container) => textAt(container, 'name')),
  );
}

function containerCount(pod: ApiObject): number {
  return listAt(pod, 'spec', 'containers').length + sidecarNames(pod).size;
}

function readyCount(pod: ApiObject): number {
  const sidecars = sidecarNames(pod);
  const readySidecars = listAt(pod, 'status', 'initContainerStatuses').filter(
    (entry) => sidecars.has(textAt(entry, 'name')) && at(entry, 'ready') === true,
  );
  const ready = listAt(pod, 'status', 'containerStatuses').filter(isReadyAndRunning);
  return ready.length + readySidecars.length;
}

function isReadyAndRunning(status: unknown): boolean {
  return at(status, 'ready') === true && isRecord(at(status, 'state', 'running'));
}

function conditionOf(pod: ApiObject, type: string): unknown {
  return listAt(pod, 'status', 'conditions').find((condition) => textAt(condition, 'type') === type);
}

function statusOf(pod: ApiObject): string {
  const phase = textAt(pod, 'status', 'phase');
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (textAt(pod, 'status', 'reason') === 'NodeLost') return 'Unknown';
    if (phase !== 'Succeeded' && phase !== 'Failed') return 'Terminating';
  }
  const scheduling = textAt(conditionOf(pod, 'PodScheduled'), 'reason');
  const ownReason =
    scheduling === 'SchedulingGated' ? scheduling : textAt(pod, 'status', 'reason') || phase || 'Pending';
  const initReason = initReasonOf(pod);
  if (initReason !== undefined && textAt(conditionOf(pod, 'Initialized'), 'status') !== 'True')
    return initReason;
  return containerReasonOf(pod, initReason ?? ownReason);
}

/** What holds the init containers up; undefined when they are through. */
function initReasonOf(pod: ApiObject): string | undefined {
  const sidecars = sidecarNames(pod);
  const statuses = listAt(pod, 'status', 'initContainerStatuses');
  for (const [index, status] of statuses.entries()) {
    if (at(status, 'state', 'terminated', 'exitCode') === 0) continue;
    if (sidecars.has(textAt(status, 'name')) && at(status, 'started') === true) continue;
    if (isRecord(at(status, 'state', 'terminated'))) return `Init:${endReason(status)}`;
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
    return `Init:${index}/${listAt(pod, 'spec', 'initContainers').length}`;
  }
  return undefined;
}

function endReason(status: unknown): string {
  const terminated = at(status, 'state', 'terminated');
  const signal = numberAt(terminated, 'signal') ?? 0;
  const fallback = signal === 0 ? `ExitCode:${numberAt(terminated, 'exitCode') ?? 0}` : `Signal:${signal}`;
  return textAt(terminated, 'reason') || fallback;
}

/** The first container that waits or has ended decides; the last one wins a tie of neither. */
function containerReasonOf(pod: ApiObject, otherwise: string): string {
  let reason = otherwise;
  let failure = '';
  let running = false;
  for (const status of listAt(pod, 'status', 'containerStatuses').toReversed()) {
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    if (waiting !== '') {
      reason = waiting;
    } else if (isRecord(at(status, 'state', 'terminated'))) {
      reason = endReason(status);
      if (at(status, 'state', 'terminated', 'exitCode') !== 0) failure = reason;
    } else if (isReadyAndRunning(status)) {
      running = true;
    }
  }
  if (reason !== 'Completed') return reason;
  if (running && textAt(conditionOf(pod, 'Ready'), 'status') === 'True') return 'Running';
  if (failure !== '') return failure;
  return running ? 'NotReady' : reason;
}

function restartsOf(pod: ApiObject, nowMs: number): string {
  const sidecars = sidecarNames(pod);
  const initializing =
    initReasonOf(pod) !== undefined && textAt(conditionOf(pod, 'Initialized'), 'status') !== 'True';
  const inits = listAt(pod, 'status', 'initContainerStatuses').filter(
    (status) => initializing || sidecars.has(textAt(status, 'name')),
  );
  const statuses = initializing ? inits : [...inits, ...listAt(pod, 'status', 'containerStatuses')];
  const count = statuses.reduce<number>((sum, status) => sum + (numberAt(status, 'restartCount') ?? 0), 0);
  const last = statuses
    .map((status) => textAt(status, 'lastState', 'terminated', 'finishedAt'))
    .filter((time) => time !== '')
    .toSorted()
    .at(-1);
  return count === 0 || last === undefined ? String(count) : `${count} (${ageText(last, nowMs)} ago)`;
}

function readinessGates(pod: ApiObject): string {
  const gates = listAt(pod, 'spec', 'readinessGates');
  if (gates.length === 0) return none;
  const open = gates.filter(
    (gate) => textAt(conditionOf(pod, textAt(gate, 'conditionType')), 'status') === 'True',
  );
  return `${open.length}/${gates.length}`;
}
