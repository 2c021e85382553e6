/**
 * What the loop tells of its pods through the API server: the PodScheduled condition and events, one after the other,
 * in the background. A failure to tell is logged and not made up for: the next attempt tells again.
 */
import { podPath } from '../../kubernetes/api-paths.ts';
import type { RestClient, RestRequest } from '../../kubernetes/rest-client.ts';
import { failureText } from '../../kubernetes/rest-result.ts';
import type { Clock } from '../../model/clock.ts';
import { podName } from '../../model/cluster-objects.ts';
import type { Log } from '../../telemetry/logger.ts';
import type { SchedulablePod } from './pod-spec.ts';

export interface PodReportsOptions {
  readonly client: Pick<RestClient, 'request'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Named as the source of events. */
  readonly schedulerName: string;
}

export type FailureReason = 'Unschedulable' | 'SchedulerError';

const timeoutMs = 10_000;
/** The bound on an event's note. */
const longestNote = 1024;

export class PodReports {
  readonly #options: PodReportsOptions;
  readonly #said = new Map<string, string>();
  #events = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: PodReportsOptions) {
    this.#options = options;
  }

  /** An attempt came to nothing; the same as before for a pod is not told twice. */
  failed(pod: SchedulablePod, reason: FailureReason, message: string): void {
    const said = `${reason} ${message}`;
    if (this.#said.get(pod.uid) === said) return;
    this.#said.set(pod.uid, said);
    this.#event(pod, { type: 'Warning', reason: 'FailedScheduling', action: 'Scheduling', note: message });
    const { scheduled } = pod;
    if (scheduled?.status === 'False' && scheduled.reason === reason && scheduled.message === message) return;
    this.#send({
      method: 'PATCH',
      path: `${podPath(pod)}/status`,
      contentType: 'application/strategic-merge-patch+json',
      body: {
        metadata: { uid: pod.uid },
        status: {
          conditions: [
            {
              type: 'PodScheduled',
              status: 'False',
              reason,
              message,
              lastProbeTime: null,
              lastTransitionTime: secondsOf(this.#options.clock.nowMs()),
            },
          ],
        },
      },
      timeoutMs,
    });
  }

  bound(pod: SchedulablePod, node: string): void {
    this.forget(pod.uid);
    const note = `Successfully assigned ${podName(pod)} to ${node}`;
    this.#event(pod, { type: 'Normal', reason: 'Scheduled', action: 'Binding', note });
  }

  /** The pod is gone or has a node. */
  forget(uid: string): void {
    this.#said.delete(uid);
  }

  /** Resolves when everything has been told or given up. */
  async flush(): Promise<void> {
    await this.#last;
  }

  #event(pod: SchedulablePod, content: { type: string; reason: string; action: string; note: string }): void {
    const { clock, schedulerName } = this.#options;
    const { namespace, name, uid } = pod;
    this.#events += 1;
    const suffix = `${clock.nowMs().toString(16)}.${this.#events.toString(16)}`;
    this.#send({
      method: 'POST',
      path: `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`,
      body: {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { namespace, name: `${name}.${suffix}` },
        eventTime: microsecondsOf(clock.nowMs()),
        reportingController: schedulerName,
        reportingInstance: `${schedulerName}-loop`,
        regarding: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
        ...content,
        note: content.note.slice(0, longestNote),
      },
      timeoutMs,
    });
  }

  #send(request: RestRequest): void {
    const { client, log } = this.#options;
    this.#last = this.#last.then(async () => {
      const result = await client.request(request);
      // A pod that is gone, or another of its name, needs no telling.
      const isOver = result.kind === 'status' && [404, 409, 422].includes(result.status);
      if (result.kind !== 'ok' && !isOver) {
        log.warn({ path: request.path, reason: failureText(result) }, 'not told');
      }
    });
  }
}

/** As `metav1.Time`. */
function secondsOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** As `metav1.MicroTime`. */
function microsecondsOf(ms: number): string {
  return new Date(ms).toISOString().replace(/Z$/, '000Z');
}
