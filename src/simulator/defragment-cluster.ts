/**
 * The cluster of a defragmentation plan: the live nodes with some pods moved between them, on copies. Every move is made
 * on the cluster as it is then, and taken back in reverse.
 */
import type { Allocation } from '../model/allocation.ts';
import { compareText } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';
import { plan, type PolicyDefaults } from '../placement/planner.ts';
import { shapeOf, Verdicts } from '../placement/verdicts.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { LedgerEntry } from '../state/ledger-entry.ts';
import { heldMilli } from './card-shares.ts';
import { refuseHost } from './node-choice.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

/** A bound pod that may move. */
export interface Mover {
  readonly entry: LedgerEntry;
  readonly node: number;
  /** As it would be placed anew. */
  readonly request: PodRequest;
  readonly shape: string;
  /** Thousandths of a card that it holds. */
  readonly milli: number;
  /** Equal for pods of one node that leave the same behind and ask for the same. */
  readonly likeness: string;
}

export interface Move {
  readonly mover: Mover;
  readonly to: number;
  readonly allocation: Allocation;
}

export class DefragmentCluster {
  /** In the order in which they were made. */
  readonly moves: Move[] = [];
  readonly #state: DeviceState;
  readonly #policies: PolicyDefaults;
  readonly #cluster: SimulatedCluster;
  readonly #verdicts = new Verdicts();
  /** By node, those that hold most last. */
  readonly #movers: readonly (readonly Mover[])[];

  constructor(state: DeviceState, policies: PolicyDefaults, mayMove: (entry: LedgerEntry) => boolean) {
    this.#state = state;
    this.#policies = policies;
    const names = [...state.nodeNames()].sort(compareText);
    this.#cluster = new SimulatedCluster(names.flatMap((name) => state.view(name) ?? []));
    this.#movers = this.views.map((view, node) => moversOf(state.entriesOf(view.name), view, node, mayMove));
  }

  get views(): readonly NodeView[] {
    return this.#cluster.views;
  }

  /** The pods of a node that may move and have not. */
  moversOn(node: number): readonly Mover[] {
    const movers = this.#movers[node] ?? [];
    return this.moves.some(({ mover }) => mover.node === node)
      ? movers.filter((mover) => !this.hasMoved(mover))
      : movers;
  }

  hasMoved({ entry }: Mover): boolean {
    return this.moves.some(({ mover }) => mover.entry === entry);
  }

  /** The node as it would be without some more of its pods. */
  viewWithout(node: number, leaving: readonly Mover[]): NodeView | undefined {
    const before = this.#startWithout(node, leaving);
    return before && this.#cluster.supposing(node, before);
  }

  /** Nodes that a pod fits as they are, other than its own, the best by the policy first. */
  nodesFor({ request, shape, node: own }: Mover): readonly number[] {
    const table = this.#verdicts.of(request, shape, this.#policies);
    const fitting: { readonly node: number; readonly score: number }[] = [];
    for (const [node, view] of this.views.entries()) {
      if (node === own || refuseHost(view, request) !== undefined) continue;
      const verdict = table.judge(view);
      if (verdict.ok) fitting.push({ node, score: verdict.score });
    }
    return fitting.sort((a, b) => b.score - a.score || a.node - b.node).map(({ node }) => node);
  }

  /** Whether a pod fits a node with some of its pods gone. */
  fits({ request }: Pick<Mover, 'request'>, node: number, leaving: readonly Mover[]): boolean {
    const view = leaving.length === 0 ? this.views[node] : this.viewWithout(node, leaving);
    return (
      view !== undefined && refuseHost(view, request) === undefined && plan(view, request, this.#policies).ok
    );
  }

  /** Moves a pod to another node; false, and nothing is done, where it does not fit. */
  move(mover: Mover, to: number): boolean {
    const { request, node } = mover;
    const view = this.views[to];
    if (view === undefined || refuseHost(view, request) !== undefined) return false;
    const planned = plan(view, request, this.#policies);
    if (!planned.ok) return false;
    const { allocation } = planned;
    this.#cluster.place({ request, node: to, allocation });
    this.moves.push({ mover, to, allocation });
    this.#restart(node);
    return true;
  }

  undo(): void {
    const last = this.moves.pop();
    if (last === undefined) return;
    this.#cluster.release(last.mover.request.podUid);
    this.#restart(last.mover.node);
  }

  undoAll(): void {
    while (this.moves.length > 0) this.undo();
  }

  #restart(node: number): void {
    const before = this.#startWithout(node, []);
    if (before !== undefined) this.#cluster.restart(node, before);
  }

  /** As the node started, without the pods that have left it, and without these. */
  #startWithout(node: number, leaving: readonly Mover[]): NodeView | undefined {
    const name = this.views[node]?.name;
    const gone = this.moves.flatMap(({ mover }) => (mover.node === node ? [mover] : []));
    const uids = [...gone, ...leaving].map(({ entry }) => entry.podUid);
    return name === undefined ? undefined : this.#state.viewWithout(name, uids);
  }
}

function moversOf(
  entries: readonly LedgerEntry[],
  view: NodeView,
  node: number,
  mayMove: (entry: LedgerEntry) => boolean,
): readonly Mover[] {
  return entries
    .filter((entry) => entry.state === 'bound' && entry.request.counts.size > 0 && mayMove(entry))
    .map((entry) => {
      const { allocation, host, unknown } = entry;
      const shape = shapeOf(entry.request);
      const request = { ...entry.request, host };
      const likeness = JSON.stringify([shape, allocation, host, [...unknown], entry.initFinished]);
      return { entry, node, request, shape, milli: heldMilli(allocation, view), likeness };
    })
    .sort(
      (a, b) =>
        a.milli - b.milli ||
        compareText(a.likeness, b.likeness) ||
        compareText(a.entry.podUid, b.entry.podUid),
    );
}
