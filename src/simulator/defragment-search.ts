/**
 * The search for moves: depth first, with no more moves than are allowed. Room for a pod is made by moving others, and in
 * a chain room for those by moving further ones; each is moved when its turn has come, on the cluster as it is then, and
 * what leads nowhere is taken back.
 */
import type { Allocation } from '../model/allocation.ts';
import type { NamespaceQuota } from '../model/quota.ts';
import type { PodRequest } from '../model/request.ts';
import { plan, type PlanRules, type PolicyDefaults } from '../placement/planner.ts';
import type { DeviceState } from '../state/device-state.ts';
import type { LedgerEntry } from '../state/ledger-entry.ts';
import { DefragmentCluster, type Move, type Mover } from './defragment-cluster.ts';
import { type Room, type RoomQuestion, roomsWithin } from './defragment-room.ts';
import { refuseHost } from './node-choice.ts';
import type { SimulatedPod } from './simulated-pod.ts';

export interface SearchInputs {
  readonly state: DeviceState;
  /** What is to fit in the end. */
  readonly target: SimulatedPod;
  readonly policies: PolicyDefaults;
  /** Of the target's namespace; pods that move are planned without any. */
  readonly quota?: NamespaceQuota;
  readonly mayMove: (entry: LedgerEntry) => boolean;
}

export interface FoundMoves {
  /** In the order in which they are possible. */
  readonly moves: readonly Move[];
  readonly node: number;
  readonly allocation: Allocation;
}

export class DefragmentSearch {
  readonly #target: PodRequest;
  readonly #rules: PlanRules;
  readonly #cluster: DefragmentCluster;
  /** Pods that wait for others to move before they can. */
  readonly #waiting = new Set<Mover>();
  /** Where the target has room without some pods, by how many those may be. */
  readonly #rooms = new Map<number, readonly Room[]>();
  #chains = false;
  #triesLeft = 0;

  constructor(inputs: SearchInputs) {
    const { state, target, policies, quota, mayMove } = inputs;
    this.#target = target.request;
    this.#rules = quota === undefined ? policies : { ...policies, quota };
    this.#cluster = new DefragmentCluster(state, policies, mayMove);
  }

  /** True when the last search ended because it had tried as much as it might: what it has not found may be there. */
  get isExhausted(): boolean {
    return this.#triesLeft <= 0;
  }

  /** What may be tried from now on: sets of pods and places for them. */
  allow(tries: number): void {
    this.#triesLeft = tries;
  }

  nodeName(node: number): string {
    return this.#cluster.views[node]?.name ?? '';
  }

  /** Where the target fits as things are: of several nodes the best by the policy. */
  asItIs(): FoundMoves | undefined {
    let best: { readonly score: number; readonly found: FoundMoves } | undefined;
    for (const node of this.#cluster.views.keys()) {
      const planned = this.#planTarget(node, []);
      if (planned === undefined || (best !== undefined && planned.score <= best.score)) continue;
      best = { score: planned.score, found: { moves: [], node, allocation: planned.allocation } };
    }
    return best?.found;
  }

  /** Where the target fits once so many pods have left its node and gone where there is room for them. */
  byLeaving(pods: number): FoundMoves | undefined {
    this.#chains = false;
    const rooms = this.#roomsForTarget(pods).filter(({ leaving }) => leaving.length === pods);
    return this.#firstOf(rooms, pods);
  }

  /** Where it fits after so many moves, some of which make room for pods that leave its node. */
  byChains(moves: number): FoundMoves | undefined {
    this.#chains = true;
    return this.#firstOf(this.#roomsForTarget(moves - 1), moves);
  }

  #roomsForTarget(most: number): readonly Room[] {
    let rooms = this.#rooms.get(most);
    if (rooms === undefined) {
      const fits = (node: number, leaving: readonly Mover[]) => this.#planTarget(node, leaving) !== undefined;
      rooms = roomsWithin(this.#roomQuestion(fits), most);
      if (!this.isExhausted) this.#rooms.set(most, rooms);
    }
    return rooms;
  }

  #firstOf(rooms: readonly Room[], most: number): FoundMoves | undefined {
    for (const { node, leaving } of rooms) {
      const ways = this.#allMoved(leaving, most);
      while (ways.next().done !== true) {
        const planned = this.#planTarget(node, []);
        if (planned === undefined) continue;
        const found = { moves: [...this.#cluster.moves], node, allocation: planned.allocation };
        this.#cluster.undoAll();
        this.#waiting.clear();
        return found;
      }
    }
    return undefined;
  }

  #planTarget(node: number, leaving: readonly Mover[]) {
    const view = this.#cluster.viewWithout(node, leaving);
    if (view === undefined || refuseHost(view, this.#target) !== undefined) return undefined;
    const planned = plan(view, this.#target, this.#rules);
    return planned.ok ? planned : undefined;
  }

  /** Every way to have these pods elsewhere with at most so many moves; answers how many it took. */
  *#allMoved(leaving: readonly Mover[], most: number): Generator<number> {
    // A way to move one of them may have moved another on the way.
    const staying = leaving.filter((mover) => !this.#cluster.hasMoved(mover));
    if (staying.length === 0) yield 0;
    if (staying.length > most) return;
    for (const first of staying) {
      const rest = staying.filter((mover) => mover !== first);
      for (const taken of this.#moved(first, most - rest.length)) {
        for (const takenByRest of this.#allMoved(rest, most - taken)) yield taken + takenByRest;
      }
    }
  }

  /** Every way to have a pod elsewhere with at most so many moves, its own included. */
  *#moved(mover: Mover, most: number): Generator<number> {
    for (const node of this.#cluster.nodesFor(mover)) {
      if (!this.#mayTry()) return;
      if (!this.#cluster.move(mover, node)) continue;
      yield 1;
      this.#cluster.undo();
    }
    if (!this.#chains || most < 2) return;
    this.#waiting.add(mover);
    const fits = (node: number, leaving: readonly Mover[]) => this.#cluster.fits(mover, node, leaving);
    for (const { node, leaving } of roomsWithin(this.#roomQuestion(fits), most - 1, mover.node)) {
      for (const taken of this.#allMoved(leaving, most - 1)) {
        if (!this.#cluster.move(mover, node)) continue;
        yield taken + 1;
        this.#cluster.undo();
      }
    }
    this.#waiting.delete(mover);
  }

  #roomQuestion(fits: RoomQuestion['fits']): RoomQuestion {
    return {
      cluster: this.#cluster,
      fits,
      mayLeave: (mover) => !this.#waiting.has(mover),
      mayTry: () => this.#mayTry(),
    };
  }

  #mayTry(): boolean {
    this.#triesLeft -= 1;
    return this.#triesLeft > 0;
  }
}
