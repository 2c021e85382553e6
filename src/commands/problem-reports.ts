/**
 * What the feeds could not read, told where people look: a metric, the log, and an Event on the object whose value it
 * is, for whoever can mend it. The state itself goes on with the last good value or with the safe error.
 */
import type { EventRecorder } from '../kubernetes/event-recorder.ts';
import type { FeedCallbacks } from '../kubernetes/feeds.ts';
import { podName } from '../model/cluster-objects.ts';
import { shortText } from '../model/short-text.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface ProblemReportDeps {
  readonly metrics: Pick<Metrics, 'malformed' | 'watchSignals'>;
  readonly log: Log;
  readonly events: Pick<EventRecorder, 'report'>;
}

/** A problem may quote the value, which is as long as whoever wrote it liked. */
const longestReason = 1000;

const malformedKindOf = { nodes: 'node', pods: 'pod', resourcequotas: 'quota' } as const;

export type ProblemReports = Pick<
  FeedCallbacks,
  'onRegisterProblem' | 'onAllocationProblem' | 'onQuotaProblem' | 'onSignal' | 'onMalformed'
>;

/** Callbacks for the feeds, which call each once per change of the value in question. */
export function problemReports({ metrics, log, events }: ProblemReportDeps): ProblemReports {
  return {
    onRegisterProblem: ({ name, resourceVersion }, { vendor, problem }) => {
      metrics.malformed.inc({ kind: 'register' });
      log.warn(
        { node: name, vendor, reason: shortText(problem, longestReason) },
        'devices of the node cannot be read',
      );
      events.report({
        // kubelet, too, gives a node's name for its UID.
        object: { kind: 'Node', name, uid: name },
        type: 'Warning',
        reason: 'DeviceRegisterMalformed',
        message: `what the ${vendor} device plugin published cannot be read: ${problem}`,
        topic: vendor,
        cause: resourceVersion,
      });
    },
    onAllocationProblem: (pod, { annotation, problem }) => {
      metrics.malformed.inc({ kind: 'allocation' });
      log.warn(
        { pod: podName(pod), annotation, reason: shortText(problem, longestReason) },
        'allocation of the pod cannot be read',
      );
      const { namespace, name, uid } = pod;
      events.report({
        object: { kind: 'Pod', namespace, name, uid },
        type: 'Warning',
        reason: 'DeviceAllocationMalformed',
        message: `${annotation} cannot be used: ${problem}`,
        topic: annotation,
      });
    },
    onQuotaProblem: ({ namespace, name, resourceVersion }, { resource, problem }) => {
      metrics.malformed.inc({ kind: 'quota' });
      log.warn(
        { quota: podName({ namespace, name }), resource, reason: shortText(problem, longestReason) },
        'a limit of the quota cannot be taken as written',
      );
      events.report({
        object: { kind: 'ResourceQuota', namespace, name },
        type: 'Warning',
        reason: 'ResourceQuotaMalformed',
        message: `${resource}: ${problem}`,
        topic: resource,
        cause: resourceVersion,
      });
    },
    onSignal: (feed, signal) => {
      metrics.watchSignals.inc({ feed, signal });
    },
    onMalformed: (kind) => {
      metrics.malformed.inc({ kind: malformedKindOf[kind] });
    },
  };
}
