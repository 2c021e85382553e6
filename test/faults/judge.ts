/**
 * Looks at every change of a pod in the API's store, in the step that makes it: what the bound pods of a node have
 * written on them must stay within what its cards have, and what a pod was given once never changes. It shares no code
 * with the server, so that the server's mistakes are not its own.
 */
import type { ObjectStore } from '../../src/emulator/api/store.ts';
import type { AllocationBook } from '../../src/emulator/node-agent/allocation-book.ts';
import { devicesOf, type NodeDescription } from '../../src/emulator/node-agent/node-description.ts';
import { nvidiaFamily } from '../../src/emulator/node-agent/plugin-family.ts';
import type { Clock } from '../../src/model/clock.ts';
import { isOver, isRunning, type Part, partsOf, type PodState } from '../integration/scenarios/pods.ts';

interface Card {
  readonly slots: number;
  readonly memoryMiB: number;
  readonly corePercent: number;
}

interface Held {
  readonly name: string;
  readonly parts: readonly Part[];
}

const allocationKey = 'hami.io/vgpu-devices-allocated';

export class Judge {
  /** Sentences about what must never happen. */
  readonly faults: string[] = [];
  readonly #cards = new Map<string, ReadonlyMap<string, Card>>();
  readonly #held = new Map<string, Map<string, Held>>();
  readonly #given = new Map<string, string>();
  readonly #ran = new Set<string>();
  /** When the objects of pods went, by UID. */
  readonly #goneAtMs = new Map<string, number>();

  constructor(store: ObjectStore, nodes: readonly NodeDescription[], time: Pick<Clock, 'nowMs'>) {
    for (const node of nodes) {
      this.#cards.set(
        node.name,
        new Map(devicesOf(node, nvidiaFamily.vendor).map((device) => [device.id, device])),
      );
    }
    store.collection('pods').subscribe(({ type, object }) => {
      const pod = object as unknown as PodState;
      if (type === 'DELETED') {
        this.#goneAtMs.set(pod.metadata.uid, time.nowMs());
        this.#forget(pod);
      } else this.#see(pod);
    });
  }

  /**
   * What the machines saw go wrong. A plugin that is asked for a pod, answers late, and finds that the pod was deleted
   * by force and the lock is another's, takes that one's devices for a container that never starts; it costs the other
   * pod its start, whose containers are served out of step until one of them gets nothing. Nobody but the plugin could
   * prevent it, and nobody runs with another's devices.
   */
  faultsOf({ faults, records }: AllocationBook): readonly string[] {
    const forNobody = records.filter(
      ({ podUid, takenFromUid, atMs }) =>
        podUid !== takenFromUid && (this.#goneAtMs.get(podUid) ?? Infinity) <= atMs,
    );
    const robbed = new Set(forNobody.map(({ takenFromUid }) => takenFromUid));
    const excused = [
      ...forNobody.map(({ podName, podUid }) => `${podName} (${podUid}) was given`),
      ...records
        .filter(({ podUid }) => robbed.has(podUid) && !this.#ran.has(podUid))
        .map(({ podName }) => `${podName}: container `),
    ];
    return faults.filter((fault) => !excused.some((beginning) => fault.startsWith(beginning)));
  }

  #see(pod: PodState): void {
    const { name, uid, annotations = {} } = pod.metadata;
    const { nodeName } = pod.spec;
    const allocation = annotations[allocationKey];
    if (nodeName === undefined) {
      if (allocation !== undefined) this.faults.push(`pod ${name} has cards but no node`);
      return;
    }
    if (isRunning(pod)) this.#ran.add(uid);
    const given = `${nodeName} ${allocation ?? ''}`;
    const before = this.#given.get(uid);
    this.#given.set(uid, before ?? given);
    if (before !== undefined && before !== given) {
      this.faults.push(`pod ${name} was given ${before} and now has ${given}`);
    }
    if (isOver(pod)) {
      this.#held.get(nodeName)?.delete(uid);
      return;
    }
    const held = this.#held.get(nodeName) ?? new Map<string, Held>();
    this.#held.set(nodeName, held);
    if (held.has(uid)) return;
    held.set(uid, { name, parts: worstMoment(pod) });
    this.#checkNode(nodeName, held);
  }

  #forget({ metadata, spec }: PodState): void {
    if (spec.nodeName !== undefined) this.#held.get(spec.nodeName)?.delete(metadata.uid);
    this.#given.delete(metadata.uid);
  }

  #checkNode(node: string, held: ReadonlyMap<string, Held>): void {
    const sums = new Map<string, Card>();
    for (const { device, memoryMiB, corePercent } of [...held.values()].flatMap(({ parts }) => parts)) {
      const sum = sums.get(device) ?? { slots: 0, memoryMiB: 0, corePercent: 0 };
      sums.set(device, {
        slots: sum.slots + 1,
        memoryMiB: sum.memoryMiB + memoryMiB,
        corePercent: sum.corePercent + corePercent,
      });
    }
    for (const [device, { slots, memoryMiB, corePercent }] of sums) {
      const card = this.#cards.get(node)?.get(device);
      if (card === undefined) this.faults.push(`node ${node} has no card ${device}`);
      else if (slots > card.slots || memoryMiB > card.memoryMiB || corePercent > card.corePercent) {
        const names = [...held.values()]
          .filter(({ parts }) => parts.some((part) => part.device === device))
          .map(({ name }) => name);
        this.faults.push(
          `card ${device} of ${node} is over-committed: ${slots} slots, ${memoryMiB} MiB, ${corePercent} % by ${names.join(', ')}`,
        );
      }
    }
  }
}

/** What its app containers hold together; what init containers hold before them may be as much again. */
function worstMoment(pod: PodState): readonly Part[] {
  const written = partsOf(pod);
  const apps = pod.spec.containers.length;
  return written.slice(written.length - apps).flat();
}
