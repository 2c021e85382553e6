/**
 * What every node of a cluster is worth to pods of one kind, kept from one pod to the next: only nodes that have changed
 * since are asked again. Nothing is decided here, and forgetting only costs time.
 */
import type { HostAmounts } from '../model/host-amounts.ts';
import type { NodeView } from '../model/node-view.ts';
import type { PodRequest } from '../model/request.ts';
import type { VerdictTable } from '../placement/verdicts.ts';
import { refuseHost } from './node-choice.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

export class NodeScores {
  readonly #scores: number[] = [];
  /** How many of the cluster's changes are in the scores. */
  #seen = 0;

  /**
   * By node, as they are now; NaN where the node cannot take the pod. Good until it is asked again.
   *
   * @param cluster the same one every time
   * @param verdicts of pods of this kind
   */
  of(
    { views, changes }: Pick<SimulatedCluster, 'views' | 'changes'>,
    verdicts: VerdictTable,
    request: PodRequest,
  ): readonly number[] {
    const scores = this.#scores;
    const isAnew = changes.length - this.#seen >= views.length;
    const update = (node: number) => {
      const view = views[node];
      if (view !== undefined) scores[node] = scoreOf(view, verdicts, request);
    };
    for (let node = isAnew ? 0 : scores.length; node < views.length; node += 1) update(node);
    if (!isAnew)
      for (let change = this.#seen; change < changes.length; change += 1) update(changes[change] ?? 0);
    this.#seen = changes.length;
    return scores;
  }
}

function scoreOf(view: NodeView, verdicts: VerdictTable, request: PodRequest): number {
  if (refuseHost(view, request) !== undefined) return NaN;
  const verdict = verdicts.judge(view);
  return verdict.ok ? verdict.score : NaN;
}

/** Of one shape, kinds beyond this many push out the one that was asked about least recently. */
const mostHosts = 256;

/** Scores for every kind of pod that is asked about: a kind is a shape, which the verdicts are about, and what is taken of the host. */
export class NodeScoresByKind {
  readonly #byVerdicts = new WeakMap<VerdictTable, Map<string, NodeScores>>();

  of(verdicts: VerdictTable, { cpuMilli, memoryMiB }: HostAmounts): NodeScores {
    const byHost = this.#byVerdicts.get(verdicts) ?? new Map<string, NodeScores>();
    this.#byVerdicts.set(verdicts, byHost);
    const key = `${cpuMilli}/${memoryMiB}`;
    const scores = byHost.get(key) ?? new NodeScores();
    byHost.delete(key);
    byHost.set(key, scores);
    const oldest = byHost.size > mostHosts ? byHost.keys().next() : undefined;
    if (oldest?.done === false) byHost.delete(oldest.value);
    return scores;
  }
}
