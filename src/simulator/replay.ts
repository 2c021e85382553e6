/**
 * A replay: pods of a workload come, one after the other, to a cluster that exists only here; each is tried once, by the
 * planner of the scheduler and kube-scheduler's rule about host resources, and leaves when its time is over, if it has
 * one. Nothing here reads a clock: how fast a run was is for its caller to say.
 */
import type { NodeView } from '../model/node-view.ts';
import { Verdicts } from '../placement/verdicts.ts';
import { capacityMilli, demandsMilli, heldMilli, usedMilli } from './card-shares.ts';
import { Departures } from './departures.ts';
import type { ChoiceHabits } from './node-choice.ts';
import { NodeScoresByKind } from './node-scores.ts';
import { type Placement, placePod } from './place-pod.ts';
import type { Random, SimulatedPolicy } from './policy.ts';
import { type CurvePoint, ReplayCurve } from './replay-curve.ts';
import { SimulatedCluster } from './simulated-cluster.ts';
import type { SimulatedPod } from './simulated-pod.ts';

export interface Arrival {
  /** Position among the workload's pods; one pod may come several times. */
  readonly pod: number;
  /** Seconds from the start; only the order counts where no pod leaves. */
  readonly atSeconds: number;
  /** When it leaves; absent: never. */
  readonly untilSeconds?: number;
}

export interface ReplayInputs {
  readonly views: readonly NodeView[];
  readonly pods: readonly SimulatedPod[];
  /** In order of time. */
  readonly arrivals: readonly Arrival[];
  readonly policy: SimulatedPolicy;
  /** By node; ties go to the lowest. Absent: to the node that comes first. */
  readonly rank?: readonly number[] | undefined;
  readonly random: Random;
  readonly habits?: ChoiceHabits | undefined;
  /** The part of a node's idle cards, in thousandths of a card, that the expected workload cannot use. */
  readonly fragmentedMilli: (view: NodeView) => number;
  /** What is idle, as that measure sees it, of which the former is a part. Absent: whatever pods do not hold. */
  readonly idleMilli?: (view: NodeView) => number;
  /** Told now and then how many arrivals are done. */
  readonly onProgress?: (done: number) => void;
}

export interface ReplayResult {
  /** Thousandths of a card that the cluster has. */
  readonly capacityMilli: number;
  /** Asked for by all arrivals, placed or not. */
  readonly arrivedMilli: number;
  /** Held by pods at the end, those that were there at the start included. */
  readonly allocatedMilli: number;
  /** In the order of the arrivals. */
  readonly placements: readonly Placement[];
  /** How many arrivals were not placed, by main reason. */
  readonly unplaced: Readonly<Record<string, number>>;
  readonly curve: readonly CurvePoint[];
}

const arrivalsPerReport = 250;
/** What may be remembered of nodes and shapes together: a workload's shapes all come again and again. */
const mostVerdicts = 4_000_000;
const fewestShapes = 256;

function shapesOn(nodes: number): number {
  return Math.max(fewestShapes, Math.floor(mostVerdicts / Math.max(1, nodes)));
}

/** Runs to the last arrival. The same inputs give the same result. */
export function replay(inputs: ReplayInputs): ReplayResult {
  const { pods, arrivals, policy, random, fragmentedMilli, idleMilli, onProgress } = inputs;
  const cluster = new SimulatedCluster(inputs.views, policy.observer);
  const rank = inputs.rank ?? inputs.views.map((_, node) => node);
  const ground = {
    cluster,
    verdicts: new Verdicts(shapesOn(inputs.views.length)),
    scores: new NodeScoresByKind(),
    policy,
    rank,
    random,
    habits: inputs.habits,
  };
  const departures = new Departures();
  const curve = new ReplayCurve(capacityMilli(inputs.views));
  const asked = demandsMilli(
    pods.map(({ request }) => request),
    inputs.views,
  );
  const fragmented = cluster.views.map(fragmentedMilli);
  const idle = idleMilli && cluster.views.map(idleMilli);
  let arrivedMilli = 0;
  let allocatedMilli = usedMilli(inputs.views);
  const changed = (node: number) => {
    const view = cluster.views[node];
    if (view === undefined) return;
    const now = fragmentedMilli(view);
    curve.fragmentedMilli += now - (fragmented[node] ?? 0);
    fragmented[node] = now;
    if (idle === undefined || idleMilli === undefined) return;
    const idleNow = idleMilli(view);
    curve.idleMilli = (curve.idleMilli ?? 0) + idleNow - (idle[node] ?? 0);
    idle[node] = idleNow;
  };
  curve.fragmentedMilli = fragmented.reduce((sum, milli) => sum + milli, 0);
  curve.idleMilli = idle?.reduce((sum, milli) => sum + milli, 0);
  const placements: Placement[] = [];
  const unplaced: Record<string, number> = {};
  for (const [index, arrival] of arrivals.entries()) {
    for (const { uid, node, milli } of departures.until(arrival.atSeconds)) {
      cluster.release(uid);
      allocatedMilli -= milli;
      changed(node);
    }
    const pod = pods[arrival.pod];
    if (pod === undefined) throw new Error(`arrival ${index} names pod ${arrival.pod}; there is none`);
    arrivedMilli += asked[arrival.pod] ?? 0;
    if (pod.problems.length === 0) policy.learn?.(pod.request);
    const placing = placePod(pod, `${index}`, ground);
    const placement: Placement = placing.ok ? placing : { ok: false, reason: placing.reason };
    placements.push(placement);
    if (placement.ok) {
      const view = cluster.views[placement.node];
      const milli = view === undefined ? 0 : heldMilli(placement.allocation, view);
      allocatedMilli += milli;
      changed(placement.node);
      if (arrival.untilSeconds !== undefined) {
        departures.add({ uid: `${index}`, node: placement.node, milli, atSeconds: arrival.untilSeconds });
      }
    } else unplaced[placement.reason] = (unplaced[placement.reason] ?? 0) + 1;
    curve.note(arrivedMilli, allocatedMilli);
    if ((index + 1) % arrivalsPerReport === 0) onProgress?.(index + 1);
  }
  onProgress?.(arrivals.length);
  return {
    capacityMilli: curve.capacityMilli,
    arrivedMilli,
    allocatedMilli,
    placements,
    unplaced,
    curve: curve.points(),
  };
}
