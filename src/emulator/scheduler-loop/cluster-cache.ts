/**
 * What the loop knows of the cluster: nodes, and what pods take of them, those included whose binding is under way
 * ("assumed"). It is brought up to date by the watches and by the loop's own decisions, and asks nobody.
 */
import type { NodeUsage } from './in-tree-filters.ts';
import type { SchedulableNode } from './node-spec.ts';
import type { SchedulablePod } from './pod-spec.ts';

interface Placed {
  readonly node: string;
  readonly pod: SchedulablePod;
}

const unused: NodeUsage = { pods: 0, requested: new Map() };

export class ClusterCache {
  readonly #nodes = new Map<string, SchedulableNode>();
  /** Pods that have a node, by UID. */
  readonly #placed = new Map<string, Placed>();
  readonly #assumed = new Set<string>();
  readonly #usage = new Map<string, { pods: number; requested: Map<string, number> }>();

  /** By name, so that their order does not depend on when they came. */
  get nodes(): readonly SchedulableNode[] {
    return [...this.#nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  findNode(name: string): SchedulableNode | undefined {
    return this.#nodes.get(name);
  }

  setNode(node: SchedulableNode): void {
    this.#nodes.set(node.name, node);
  }

  removeNode(name: string): void {
    this.#nodes.delete(name);
  }

  usageOf(node: string): NodeUsage {
    return this.#usage.get(node) ?? unused;
  }

  isAssumed(uid: string): boolean {
    return this.#assumed.has(uid);
  }

  /** The watch shows the pod on a node. */
  assign(pod: SchedulablePod, node: string): void {
    this.#release(pod.uid);
    this.#place(pod, node);
  }

  /** The loop has chosen a node and goes on as if the pod were there. */
  assume(pod: SchedulablePod, node: string): void {
    this.#place(pod, node);
    this.#assumed.add(pod.uid);
  }

  /** Its binding came to nothing. Has no effect on a pod that the watch has shown on a node. */
  forget(uid: string): void {
    if (this.#assumed.has(uid)) this.#release(uid);
  }

  /** The pod is gone or over; answers whether it had a node. */
  removePod(uid: string): boolean {
    return this.#release(uid);
  }

  #place(pod: SchedulablePod, node: string): void {
    this.#placed.set(pod.uid, { node, pod });
    const usage = this.#usage.get(node) ?? { pods: 0, requested: new Map<string, number>() };
    this.#usage.set(node, usage);
    usage.pods += 1;
    for (const [resource, amount] of pod.requests) {
      usage.requested.set(resource, (usage.requested.get(resource) ?? 0) + amount);
    }
  }

  #release(uid: string): boolean {
    const placed = this.#placed.get(uid);
    if (placed === undefined) return false;
    this.#placed.delete(uid);
    this.#assumed.delete(uid);
    const usage = this.#usage.get(placed.node);
    if (usage === undefined) return true;
    usage.pods -= 1;
    for (const [resource, amount] of placed.pod.requests) {
      usage.requested.set(resource, (usage.requested.get(resource) ?? 0) - amount);
    }
    return true;
  }
}
