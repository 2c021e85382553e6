/**
 * Soft assumptions: where the pod that was just ranked will most likely be bound. They steer the ranking and the
 * choice of cards for other pods, never refuse anything, and end with the bind, a new filter of the pod, its
 * deletion, or two seconds.
 */
import type { Allocation } from '../model/allocation.ts';
import { effectiveUsage, heldSlices } from '../model/allocation.ts';
import type { Clock } from '../model/clock.ts';
import { type MoreUsed, type NodeView, withMoreUsed } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';

interface Assumption {
  readonly node: string;
  readonly held: MoreUsed;
  readonly untilMs: number;
}

const lifetimeMs = 2000;

export class Assumptions {
  readonly #clock: Clock;
  readonly #byPod = new Map<string, Assumption>();
  readonly #podsByNode = new Map<string, Set<string>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  expect(request: PodRequest, node: string, allocation: Allocation): void {
    this.end(request.podUid);
    const roles = request.containers.map(({ role }) => role);
    const { slices, kinds } = heldSlices(allocation, roles, false);
    const usage = effectiveUsage(allocation, roles, false);
    const held = { usage, slices, kinds, host: request.host };
    this.#byPod.set(request.podUid, { node, held, untilMs: this.#clock.nowMs() + lifetimeMs });
    const pods = this.#podsByNode.get(node) ?? new Set();
    this.#podsByNode.set(node, pods.add(request.podUid));
  }

  /** Forgets a pod's assumption. May be called twice. */
  end(podUid: string): void {
    const assumption = this.#byPod.get(podUid);
    if (assumption === undefined) return;
    this.#byPod.delete(podUid);
    const pods = this.#podsByNode.get(assumption.node);
    pods?.delete(podUid);
    if (pods?.size === 0) this.#podsByNode.delete(assumption.node);
  }

  /** The node as it will be once the pods expected there, other than this one, have come; itself if none are. */
  expected(view: NodeView, exceptPodUid: string): NodeView {
    const pods = this.#podsByNode.size === 0 ? undefined : this.#podsByNode.get(view.name);
    if (pods === undefined) return view;
    const nowMs = this.#clock.nowMs();
    let picture = view;
    for (const uid of [...pods]) {
      const assumption = this.#byPod.get(uid);
      if (assumption === undefined || assumption.untilMs <= nowMs) this.end(uid);
      else if (uid !== exceptPodUid) picture = withMoreUsed(picture, assumption.held);
    }
    return picture;
  }
}
