/**
 * A cluster that exists only for the length of a question: the planner's pictures of its nodes, and the pods that were
 * placed on them since. It starts from anything that has pictures (a snapshot, a trace, the live state) and changes
 * nothing of it.
 */
import { type Allocation, effectiveUsage, heldSlices } from '../model/allocation.ts';
import { type MoreUsed, type NodeView, withMoreUsed } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';

/** A pod that the simulation has placed. */
export interface PlacedPod {
  readonly request: PodRequest;
  readonly node: number;
  readonly allocation: Allocation;
}

interface Held {
  readonly more: MoreUsed;
  readonly counts: PodRequest['counts'];
}

export class SimulatedCluster {
  /** As they were at the start. */
  readonly #before: readonly NodeView[];
  readonly #views: NodeView[];
  /** By node, then by pod UID. */
  readonly #held: readonly Map<string, Held>[];
  readonly #pods = new Map<string, PlacedPod>();
  #generation = 0;

  /** Nodes keep their order; it is what ties go by. */
  constructor(views: Iterable<NodeView>) {
    this.#before = [...views].map((view, slot) => ({ ...view, slot, generation: 0 }));
    this.#views = [...this.#before];
    this.#held = this.#before.map(() => new Map());
  }

  /** The nodes as they are now; a node's position is its number. */
  get views(): readonly NodeView[] {
    return this.#views;
  }

  get pods(): ReadonlyMap<string, PlacedPod> {
    return this.#pods;
  }

  /** Puts a planned pod on its node. The plan must be one for the node as it is. */
  place(pod: PlacedPod): void {
    const { request, node, allocation } = pod;
    const held = this.#held[node];
    const view = this.#views[node];
    if (held === undefined || view === undefined) throw new Error(`there is no node ${node}`);
    const roles = request.containers.map(({ role }) => role);
    const { slices, kinds } = heldSlices(allocation, roles, false);
    const usage = effectiveUsage(allocation, roles, false);
    const more = { more: { usage, slices, kinds, host: request.host }, counts: request.counts };
    held.set(request.podUid, more);
    this.#pods.set(request.podUid, pod);
    this.#views[node] = this.#with(view, more);
  }

  /** Takes a placed pod away; a pod that was not placed here is ignored. */
  release(podUid: string): void {
    const pod = this.#pods.get(podUid);
    if (pod === undefined) return;
    this.#pods.delete(podUid);
    this.#held[pod.node]?.delete(podUid);
    let view = this.#before[pod.node];
    if (view === undefined) return;
    view = { ...view, generation: (this.#generation += 1) };
    for (const held of this.#held[pod.node]?.values() ?? []) view = this.#with(view, held);
    this.#views[pod.node] = view;
  }

  #with(view: NodeView, { more, counts }: Held): NodeView {
    const { slot = 0 } = view;
    const next = withMoreUsed(view, more);
    const countFree = new Map(
      [...view.countFree].map(([name, free]) => [name, free - (counts.get(name) ?? 0)]),
    );
    return { ...next, countFree, slot, generation: (this.#generation += 1) };
  }
}
