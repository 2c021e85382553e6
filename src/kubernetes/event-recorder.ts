/**
 * Writes Events about pods, in the background and within bounds: telling is never worth delaying or failing a decision.
 * The same event twice in a row for a pod is written once, so a pod that waits gets one event per change of reason.
 */
import type { Clock } from '../model/clock.ts';
import type { PodEvent, PodEvents } from '../scheduler/pod-events.ts';
import type { RestClient } from './rest-client.ts';
import { failureText } from './rest-result.ts';

export interface EventRecorderOptions {
  readonly client: RestClient;
  readonly clock: Clock;
  /** Shown as the source, e.g. `tessera-scheduler`. */
  readonly component: string;
  /** A suffix that makes an event's name unique. */
  readonly uniqueName: () => string;
  readonly onFailure: (message: string) => void;
}

const mostQueued = 1000;
const mostRemembered = 20_000;
const callTimeoutMs = 4000;
/** What is still to be told when the process ends may take so long. */
const flushTimeoutMs = 5000;
/** Where client-go cuts an Event's message, too. */
const longestMessageBytes = 1024;
/** RFC 1123 subdomain, as every object's name. */
const longestName = 253;

export class EventRecorder implements PodEvents {
  readonly #options: EventRecorderOptions;
  readonly #queue: PodEvent[] = [];
  readonly #last = new Map<string, string>();
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  emit(event: PodEvent): void {
    const said = `${event.reason}\n${event.message}`;
    if (this.#last.get(event.pod.uid) === said) return;
    if (this.#queue.length >= mostQueued) {
      this.#options.onFailure(
        `event ${event.reason} of pod ${event.pod.uid} dropped: ${mostQueued} are waiting`,
      );
      return;
    }
    this.#remember(event.pod.uid, said);
    this.#queue.push(event);
    this.#running ??= this.#drain();
  }

  /** For the end of the process: resolves when everything emitted is written, or given up after a few seconds. */
  async flush(): Promise<void> {
    const cancel = this.#options.clock.after(flushTimeoutMs, () => {
      const left = this.#queue.splice(0).length;
      if (left > 0) this.#options.onFailure(`${left} events dropped: the process is ending`);
      this.#ending.abort();
    });
    await this.#running;
    cancel();
  }

  #remember(podUid: string, said: string): void {
    this.#last.delete(podUid);
    this.#last.set(podUid, said);
    const oldest = this.#last.size > mostRemembered ? this.#last.keys().next() : undefined;
    if (oldest?.done === false) this.#last.delete(oldest.value);
  }

  async #drain(): Promise<void> {
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift())
      await this.#write(event);
    this.#running = undefined;
  }

  async #write(event: PodEvent): Promise<void> {
    const { client, onFailure } = this.#options;
    const result = await client.request({
      method: 'POST',
      path: `/api/v1/namespaces/${encodeURIComponent(event.pod.namespace)}/events`,
      body: this.#objectOf(event),
      timeoutMs: callTimeoutMs,
      signal: this.#ending.signal,
    });
    if (result.kind !== 'ok') {
      onFailure(`event ${event.reason} of pod ${event.pod.uid}: ${failureText(result)}`);
    }
  }

  #objectOf({ pod, type, reason, message }: PodEvent): object {
    const { clock, component, uniqueName } = this.#options;
    const now = new Date(clock.nowMs()).toISOString().replace(/\.\d{3}Z$/, 'Z');
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: eventName(pod.name, uniqueName()), namespace: pod.namespace },
      involvedObject: {
        apiVersion: 'v1',
        kind: 'Pod',
        namespace: pod.namespace,
        name: pod.name,
        uid: pod.uid,
      },
      type,
      reason,
      message: cutText(message),
      source: { component },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
  }
}

function eventName(podName: string, unique: string): string {
  // A cut may not leave a name that ends in a dash or a dot.
  const kept = podName.slice(0, longestName - 1 - unique.length).replace(/[-.]+$/, '');
  return `${kept}.${unique}`;
}

/** The text, or as many of its whole characters as fit with an ellipsis. */
function cutText(text: string): string {
  if (Buffer.byteLength(text) <= longestMessageBytes) return text;
  const bytes = Buffer.from(text).subarray(0, longestMessageBytes - Buffer.byteLength('…'));
  return `${new TextDecoder().decode(bytes, { stream: true })}…`;
}
