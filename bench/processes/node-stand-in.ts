/**
 * Stands in for the device plugin and the kubelet of every machine: a bound pod gets its devices, its node's lock is
 * released and it runs, in the same writes and the same order as in reality but without their calls. For every pod that
 * begins, the oldest ones end, so that the cluster stays as full as it was.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ApiObject, keyOf, type TextMap, withMeta } from '../../src/emulator/api/api-object.ts';
import { without } from '../../src/emulator/api/json.ts';
import { nodes, pods } from '../../src/emulator/api/resources.ts';
import type { ObjectStore } from '../../src/emulator/api/store.ts';
import { nvidiaFamily } from '../../src/emulator/node-agent/plugin-family.ts';
import { shuffled } from '../../src/emulator/node-agent/register-annotation.ts';
import { takeEntry } from '../../src/emulator/node-agent/to-allocate.ts';
import { decodeEntries } from '../../src/vendors/allocation-codec.ts';
import { nodeLockAnnotation } from '../../src/vendors/node-lock.ts';
import { bindPhaseAnnotation } from '../../src/vendors/pod-annotations.ts';
import { required } from '../required.ts';
import { endedStatus, nodeNameOf, runningStatus } from '../workload/pod-object.ts';

const { vendor, toAllocateAnnotation } = nvidiaFamily;
const allocatedAnnotation = 'hami.io/vgpu-devices-allocated';

interface RunningPod {
  readonly key: string;
  readonly memoryMiB: number;
}

export class NodeStandIn {
  readonly #store: ObjectStore;
  /** Oldest first. */
  readonly #running: RunningPod[];
  readonly #keepMiB: number;
  #heldMiB: number;
  readonly #done = new Set<string>();
  readonly #waiting = new Map<string, () => void>();

  constructor(store: ObjectStore, random: () => number) {
    this.#store = store;
    const present = store.collection(pods.collection).at(store.version) ?? [];
    this.#running = shuffled(present.map(runningOf), random).slice();
    this.#heldMiB = this.#running.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
    this.#keepMiB = this.#heldMiB;
    store.collection(pods.collection).subscribe(({ type, object, previous }) => {
      const wasBound = previous === undefined || nodeNameOf(previous) !== '';
      // A failure ends this process, which the benchmark tells.
      if (type === 'MODIFIED' && !wasBound && nodeNameOf(object) !== '') void this.#serve(object);
    });
  }

  /** Resolves when the pod runs and its node's lock is free. */
  whenRunning(podUid: string): Promise<void> {
    if (this.#done.delete(podUid)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.set(podUid, resolve);
    });
  }

  async #serve(bound: ApiObject): Promise<void> {
    const key = keyOf(bound.metadata);
    let left = bound.metadata.annotations?.[toAllocateAnnotation] ?? '';
    while (left.includes(vendor)) {
      await nextTurn();
      left = required(takeEntry(left, vendor)).erased;
      this.#annotate(key, { [toAllocateAnnotation]: left });
    }
    await nextTurn();
    this.#annotate(key, { [bindPhaseAnnotation]: 'success' });
    this.#unlock(nodeNameOf(bound));
    await nextTurn();
    const pod = this.#find(key);
    if (pod !== undefined) this.#begin(this.#store.put(pods.collection, { ...pod, status: runningStatus }));
    const uid = bound.metadata.uid ?? '';
    const waiting = this.#waiting.get(uid);
    if (waiting === undefined) this.#done.add(uid);
    else {
      this.#waiting.delete(uid);
      waiting();
    }
  }

  #begin(pod: ApiObject): void {
    const begun = runningOf(pod);
    this.#running.push(begun);
    this.#heldMiB += begun.memoryMiB;
    while (this.#heldMiB > this.#keepMiB) {
      const oldest = this.#running.shift();
      if (oldest === undefined) return;
      this.#heldMiB -= oldest.memoryMiB;
      const ending = this.#find(oldest.key);
      if (ending === undefined) continue;
      const ended = this.#store.put(pods.collection, { ...ending, status: endedStatus });
      this.#store.remove(pods.collection, ended);
    }
  }

  #unlock(nodeName: string): void {
    const node = this.#store.collection(nodes.collection).find(nodeName);
    if (node === undefined) return;
    const annotations = without(node.metadata.annotations ?? {}, nodeLockAnnotation) as TextMap;
    this.#store.put(nodes.collection, withMeta(node, { annotations }));
  }

  #annotate(key: string, annotations: TextMap): void {
    const pod = this.#find(key);
    if (pod === undefined) return;
    const merged = { ...pod.metadata.annotations, ...annotations };
    this.#store.put(pods.collection, withMeta(pod, { annotations: merged }));
  }

  #find(key: string): ApiObject | undefined {
    return this.#store.collection(pods.collection).find(key);
  }
}

function runningOf(pod: ApiObject): RunningPod {
  const written = pod.metadata.annotations?.[allocatedAnnotation] ?? '';
  const shares = required(decodeEntries(written, vendor)).flat();
  return {
    key: keyOf(pod.metadata),
    memoryMiB: shares.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0),
  };
}
