/**
 * A cluster that exists only for the length of a question: the planner's pictures of its nodes, and the pods that were
 * placed on them since. It starts from anything that has pictures (a snapshot, a trace, the live state) and changes
 * nothing of it.
 */
import { type Allocation, effectiveUsage, heldSlices } from '../model/allocation.ts';
import { asPossible, type MoreUsed, type NodeView, withMoreUsed } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';
import { Likenesses } from './likeness.ts';
import type { PodObserver } from './policy.ts';

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
  readonly #before: NodeView[];
  readonly #views: NodeView[];
  /** By node, then by pod UID. */
  readonly #held: Map<string, Held>[];
  readonly #pods = new Map<string, PlacedPod>();
  readonly #observer: PodObserver | undefined;
  readonly #likenesses = new Likenesses();
  readonly #changes: number[] = [];
  #generation = 0;

  /**
   * Nodes keep their order; it is what ties go by.
   *
   * @param observer that of the policy by which pods are placed here
   */
  constructor(views: Iterable<NodeView>, observer?: PodObserver) {
    this.#observer = observer;
    this.#before = [...views].map((view, slot) => ({ ...asPossible(view), slot, generation: 0 }));
    this.#views = this.#before.map((view) => this.#likened(view));
    this.#held = this.#before.map(() => new Map<string, Held>());
  }

  /** The nodes as they are now; a node's position is its number. */
  get views(): readonly NodeView[] {
    return this.#views;
  }

  /** The number of a node for every change of one since the start, in order. */
  get changes(): readonly number[] {
    return this.#changes;
  }

  get pods(): ReadonlyMap<string, PlacedPod> {
    return this.#pods;
  }

  /** One more node; answers its number. */
  add(view: NodeView): number {
    const slot = this.#before.length;
    const added = { ...asPossible(view), slot, generation: (this.#generation += 1) };
    this.#before.push(added);
    this.#held.push(new Map());
    this.#show(slot, added);
    return slot;
  }

  /** Another picture of a node as it was at the start; what was placed on it since stays. */
  restart(node: number, view: NodeView): void {
    if (this.#before[node] === undefined) throw new Error(`there is no node ${node}`);
    this.#before[node] = { ...asPossible(view), slot: node, generation: 0 };
    this.#rebuild(node);
  }

  /** The node as it would be now had it started from another picture. */
  supposing(node: number, view: NodeView): NodeView {
    return asPossible(this.#withPlaced(node, view));
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
    this.#observer?.placed(view, request);
    this.#show(node, this.#with(view, more));
  }

  /** Takes a placed pod away; a pod that was not placed here is ignored. */
  release(podUid: string): void {
    const pod = this.#pods.get(podUid);
    if (pod === undefined) return;
    this.#pods.delete(podUid);
    this.#held[pod.node]?.delete(podUid);
    const view = this.#before[pod.node];
    if (view !== undefined) this.#observer?.left(view, pod.request);
    this.#rebuild(pod.node);
  }

  #rebuild(node: number): void {
    const before = this.#before[node];
    if (before === undefined) return;
    this.#show(node, this.#withPlaced(node, { ...before, generation: (this.#generation += 1) }));
  }

  #show(node: number, view: NodeView): void {
    this.#views[node] = this.#likened(view);
    this.#changes.push(node);
  }

  #likened(view: NodeView): NodeView {
    const likeness = this.#likenesses.of(view, this.#observer?.describe(view));
    return likeness === undefined ? view : { ...view, likeness };
  }

  #withPlaced(node: number, before: NodeView): NodeView {
    let view = before;
    for (const held of this.#held[node]?.values() ?? []) view = this.#with(view, held);
    return view;
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
