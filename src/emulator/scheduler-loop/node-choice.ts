/** Which of the feasible nodes gets the pod: the extender's scores and the pod's own preferences, ties by chance. */
import { maxExtenderPriority } from '../../wire/extender.ts';
import { preferenceOf } from './node-affinity.ts';
import type { SchedulableNode } from './node-spec.ts';
import type { SchedulablePod } from './pod-spec.ts';

/** kube-scheduler's scale of a plugin's scores, and the weight of its NodeAffinity plugin. */
const maxNodeScore = 100;
const nodeAffinityWeight = 2;

export interface Scoring {
  readonly pod: SchedulablePod;
  readonly nodes: readonly SchedulableNode[];
  /** 0 to 10 by node; a node without one has none to add. */
  readonly extenderScores: ReadonlyMap<string, number>;
  readonly extenderWeight: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** The name of a node of the highest sum; there must be one. */
export function chooseNode(scoring: Scoring): string {
  const totals = totalScores(scoring);
  const highest = Math.max(...totals.values());
  const best = [...totals].filter(([, total]) => total === highest).map(([name]) => name);
  const chosen = best[Math.floor(scoring.random() * best.length)];
  if (chosen === undefined) throw new RangeError('there is no node to choose from');
  return chosen;
}

/** `extender score × weight × 10 + 2 × (sum of preferred weights, the best node's being 100)`, by node. */
export function totalScores(scoring: Scoring): ReadonlyMap<string, number> {
  const { pod, nodes, extenderScores, extenderWeight } = scoring;
  const preferences = nodes.map(({ labels }) => preferenceOf(pod.preferredTerms, labels));
  const mostPreferred = Math.max(...preferences);
  return new Map(
    nodes.map(({ name }, index) => {
      const preference =
        mostPreferred <= 0 ? 0 : Math.floor((maxNodeScore * (preferences[index] ?? 0)) / mostPreferred);
      const extended =
        (extenderScores.get(name) ?? 0) * extenderWeight * (maxNodeScore / maxExtenderPriority);
      return [name, extended + nodeAffinityWeight * preference];
    }),
  );
}
