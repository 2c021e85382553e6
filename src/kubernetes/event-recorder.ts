/**
 * Writes Events, in the background and within bounds: telling is never worth delaying or failing a decision. The same
 * thing twice in a row about an object is written once, so a pod that waits gets one event per change of reason; and
 * of what keeps changing, an object gets a few at first and then one every few minutes, as with client-go's recorder.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../model/clock.ts';
import type { PodEvent, PodEvents } from '../scheduler/pod-events.ts';
import type { RestClient } from './rest-client.ts';
import { failureText } from './rest-result.ts';

/** An object of core v1 that an Event is about. */
export interface InvolvedObject {
  readonly kind: 'Pod' | 'Node' | 'ResourceQuota';
  /** Absent for nodes, whose Events live in `default`. */
  readonly namespace?: string;
  readonly name: string;
  /** Of a node its name, as kubelet has it; absent where it is not known. */
  readonly uid?: string;
}

export interface ObjectEvent {
  readonly object: InvolvedObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  /** Cut where client-go cuts, too. */
  readonly message: string;
  /** What of the object it is about: only events of one topic are compared. */
  readonly topic: string;
  /** What makes it another event than the last one; the message where absent. */
  readonly cause?: string;
}

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
/** Warnings that a topic of an object may have at once, and how long it takes to earn another (client-go's numbers). */
const mostWarnings = 25;
const warningEveryMs = 300_000;
const callTimeoutMs = 4000;
/** What is still to be told when the process ends may take so long. */
const flushTimeoutMs = 5000;
/** Where client-go cuts an Event's message, too. */
const longestMessageBytes = 1024;
/** RFC 1123 subdomain, as every object's name. */
const longestName = 253;

interface Told {
  readonly said: string;
  /** Warnings that are left, as of a moment. */
  readonly left: number;
  readonly atMs: number;
}

export class EventRecorder implements PodEvents {
  readonly #options: EventRecorderOptions;
  readonly #queue: ObjectEvent[] = [];
  readonly #last = new Map<string, Told>();
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;
  /** Since the queue was last empty. */
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  emit({ pod: { namespace, name, uid }, ...event }: PodEvent): void {
    this.report({ ...event, object: { kind: 'Pod', namespace, name, uid }, topic: 'decision' });
  }

  /** Takes an event about any object. Never throws. */
  report(event: ObjectEvent): void {
    const key = `${event.topic}\n${textOf(event.object)}`;
    const last = this.#last.get(key);
    const said = `${event.reason}\n${cutText(event.cause ?? event.message)}`;
    if (last?.said === said) return;
    const left = this.#warningsLeft(last) - (event.type === 'Warning' ? 1 : 0);
    if (left < 0) return;
    if (this.#queue.length >= mostQueued) {
      this.#drop(event);
      return;
    }
    this.#remember(key, { said, left, atMs: this.#options.clock.nowMs() });
    // Cut before it waits, for a thousand of the longest would fill the memory.
    this.#queue.push({ ...event, message: cutText(event.message) });
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

  /** The first is told by name and the others as a number: a flood of events is not to become one of the log. */
  #drop({ reason, object }: ObjectEvent): void {
    this.#dropped += 1;
    if (this.#dropped > 1) return;
    this.#options.onFailure(`event ${reason} of ${textOf(object)} dropped: ${mostQueued} are waiting`);
  }

  #warningsLeft(last: Told | undefined): number {
    if (last === undefined) return mostWarnings;
    return Math.min(mostWarnings, last.left + (this.#options.clock.nowMs() - last.atMs) / warningEveryMs);
  }

  #remember(key: string, told: Told): void {
    this.#last.delete(key);
    this.#last.set(key, told);
    const oldest = this.#last.size > mostRemembered ? this.#last.keys().next() : undefined;
    if (oldest?.done === false) this.#last.delete(oldest.value);
  }

  async #drain(): Promise<void> {
    // Whoever tells of a decision has yet to answer for it.
    await nextTurn();
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift())
      await this.#write(event);
    if (this.#dropped > 1) {
      this.#options.onFailure(`${this.#dropped} events dropped until all others were written`);
    }
    this.#dropped = 0;
    this.#running = undefined;
  }

  async #write(event: ObjectEvent): Promise<void> {
    const { client, onFailure } = this.#options;
    const result = await client.request({
      method: 'POST',
      path: `/api/v1/namespaces/${encodeURIComponent(namespaceOf(event.object))}/events`,
      body: this.#objectOf(event),
      timeoutMs: callTimeoutMs,
      signal: this.#ending.signal,
    });
    if (result.kind !== 'ok') {
      onFailure(`event ${event.reason} of ${textOf(event.object)}: ${failureText(result)}`);
    }
  }

  #objectOf({ object, type, reason, message }: ObjectEvent): object {
    const { clock, component, uniqueName } = this.#options;
    const now = new Date(clock.nowMs()).toISOString().replace(/\.\d{3}Z$/, 'Z');
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: eventName(object.name, uniqueName()), namespace: namespaceOf(object) },
      involvedObject: { apiVersion: 'v1', ...object },
      type,
      reason,
      message,
      source: { component },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
  }
}

function namespaceOf({ namespace = 'default' }: InvolvedObject): string {
  return namespace;
}

/** E.g. `pod 8d1f…`; one text per object. */
function textOf({ kind, namespace = '', name, uid = `${namespace}/${name}` }: InvolvedObject): string {
  return `${kind.toLowerCase()} ${uid}`;
}

function eventName(objectName: string, unique: string): string {
  // A cut may not leave a name that ends in a dash or a dot.
  const kept = objectName.slice(0, longestName - 1 - unique.length).replace(/[-.]+$/, '');
  return `${kept}.${unique}`;
}

/** The text, or as many of its whole characters as fit with an ellipsis. */
function cutText(text: string): string {
  if (Buffer.byteLength(text) <= longestMessageBytes) return text;
  const bytes = Buffer.from(text).subarray(0, longestMessageBytes - Buffer.byteLength('…'));
  return `${new TextDecoder().decode(bytes, { stream: true })}…`;
}
