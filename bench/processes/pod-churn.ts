/**
 * Pod events at a steady rate, as a busy cluster makes them: most change a status, and now and then a pod ends, goes,
 * and another one takes its place. Some events carry a mark, so that the server's lag can be measured.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type ApiObject, keyOf, type TextMap, withMeta } from '../../src/emulator/api/api-object.ts';
import { without } from '../../src/emulator/api/json.ts';
import { pods } from '../../src/emulator/api/resources.ts';
import type { ObjectStore } from '../../src/emulator/api/store.ts';
import { anyOf } from '../workload/any-of.ts';
import { endedStatus } from '../workload/pod-object.ts';
import { epochMs, markAnnotation } from './marked-client.ts';

const tickMs = 5;
const markEveryMs = 100;
/** Of so many events three are a pod's end, its deletion and its successor; all others change a status. */
const eventsPerSuccession = 12;
const mostTries = 100;

export interface ChurnOptions {
  readonly perSecond: number;
  readonly seconds: number;
  /** Marks are this and a number. */
  readonly mark: string;
}

export interface Churned {
  readonly events: number;
  readonly startedMs: number;
  readonly marks: readonly { readonly mark: string; readonly sentMs: number }[];
}

export class PodChurn {
  readonly #store: ObjectStore;
  readonly #random: () => number;
  readonly #keys: readonly string[];
  #events = 0;
  #leaving: { readonly pod: ApiObject; readonly ended: ApiObject } | undefined;

  constructor(store: ObjectStore, random: () => number) {
    this.#store = store;
    this.#random = random;
    this.#keys = (store.collection(pods.collection).at(store.version) ?? []).map(({ metadata }) =>
      keyOf(metadata),
    );
  }

  async run({ perSecond, seconds, mark }: ChurnOptions): Promise<Churned> {
    const startedMs = epochMs();
    const marks: { mark: string; sentMs: number }[] = [];
    const total = perSecond * seconds;
    while (this.#events < total) {
      await pause(tickMs);
      const nowMs = epochMs();
      const due = Math.min(total, Math.floor(((nowMs - startedMs) * perSecond) / 1000));
      while (this.#events < due) this.#next();
      const isLast = this.#events >= total;
      if (isLast || nowMs - (marks.at(-1)?.sentMs ?? startedMs) >= markEveryMs) {
        const name = `${mark}-${marks.length}`;
        this.#change({ [markAnnotation]: name });
        marks.push({ mark: name, sentMs: epochMs() });
      }
    }
    return { events: this.#events, startedMs, marks };
  }

  #next(): void {
    const step = this.#events % eventsPerSuccession;
    if (step === 0) this.#end();
    else if (step === 1) this.#remove();
    else if (step === 2) this.#succeed();
    else this.#change();
  }

  /** One that is there: all but those that have just gone are. */
  #any(): ApiObject {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const pod = this.#store.collection(pods.collection).find(anyOf(this.#keys, this.#random));
      if (pod !== undefined) return pod;
    }
    throw new Error('there are too few pods to change any');
  }

  #change(annotations: TextMap = {}): void {
    this.#events += 1;
    const pod = this.#any();
    const others = without(pod.metadata.annotations ?? {}, markAnnotation) as TextMap;
    const heartbeat = { ...(pod['status'] as object), observedGeneration: this.#events };
    const changed = withMeta(pod, { annotations: { ...others, ...annotations } });
    this.#store.put(pods.collection, { ...changed, status: heartbeat });
  }

  #end(): void {
    this.#events += 1;
    const pod = this.#any();
    this.#leaving = { pod, ended: this.#store.put(pods.collection, { ...pod, status: endedStatus }) };
  }

  #remove(): void {
    this.#events += 1;
    if (this.#leaving !== undefined) this.#store.remove(pods.collection, this.#leaving.ended);
  }

  /** With the cards, the name and the UID of the pod that went: the allocation is sealed for these. */
  #succeed(): void {
    this.#events += 1;
    if (this.#leaving !== undefined) this.#store.put(pods.collection, this.#leaving.pod);
    this.#leaving = undefined;
  }
}
