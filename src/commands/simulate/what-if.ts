/**
 * What-if questions of the command line: how many copies of these pods fit, and how many nodes of a shape they need. Each
 * policy that is asked about gets an answer of its own, from the cluster as it is in the files.
 */
import type { TesseraConfig } from '../../config/config.ts';
import type { NodeView } from '../../model/node-view.ts';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { makePolicy } from '../../simulator/policies/policies.ts';
import type { PolicyName } from '../../simulator/policy.ts';
import { seededRandom } from '../../simulator/seeded-random.ts';
import type { SimulatedPod } from '../../simulator/simulated-pod.ts';
import { refusalWord } from '../../simulator/unplaced-reason.ts';
import { howManyFit, nodesNeeded, type WhatIfAnswer } from '../../simulator/what-if.ts';
import { nodeFromObject } from '../../simulator/what-if-shape.ts';
import type { Vendor } from '../../vendors/vendor.ts';
import { makeVendors } from '../../vendors/vendors.ts';
import { readSnapshotFile } from '../snapshot-file.ts';
import { readTraceCluster } from './inputs-cluster.ts';
import type { SimulationInputOptions } from './inputs.ts';
import { readScenario, type Scenario } from './scenario.ts';

export type WhatIfAsked =
  | { readonly kind: 'how-many' }
  /** A file with the one node that more would look like. */
  | { readonly kind: 'add-node'; readonly file: string };

export interface WhatIfReport {
  readonly asked: WhatIfAsked['kind'];
  readonly facts: Scenario['facts'];
  readonly warnings: readonly string[];
  readonly answers: readonly PolicyAnswer[];
}

export interface PolicyAnswer {
  readonly policy: PolicyName;
  readonly placed: number;
  /** With `how-many`: how often all the pods fit, one set after the other. */
  readonly sets?: number;
  /** With `how-many`: the cluster would take more than this command counts. */
  readonly isCutOff?: boolean;
  /** With `add-node`. */
  readonly newNodes?: number;
  readonly unplaced: Readonly<Record<string, number>>;
  /** What the nodes say to the last pod that was refused, the most frequent first. */
  readonly refusals: readonly { readonly reason: string; readonly nodes: number }[];
}

export interface WhatIfWish {
  readonly asked: WhatIfAsked;
  readonly options: SimulationInputOptions;
  readonly policies: readonly PolicyName[];
  readonly seed: number;
}

/** Copies beyond this are not counted. */
const mostCopies = 1_000_000;

/** Without a cluster in the options, `add-node` begins with no node at all. Never throws. */
export function answerWhatIf({ asked, options, policies, seed }: WhatIfWish): Parsed<WhatIfReport> {
  const onlyNew = asked.kind === 'add-node' && options.nodes === undefined && options.snapshot === undefined;
  const shape = asked.kind === 'add-node' ? readShape(asked.file, options.config) : parsed(undefined);
  if (!shape.ok) return shape;
  const scenario = readScenario(onlyNew ? { ...options, ...clusterOf(asked.file) } : options);
  if (!scenario.ok) return scenario;
  const { facts, inputs, mix } = scenario.value;
  const answers = policies.map((name): PolicyAnswer => {
    const { views, policies: defaults, simulatedPods: pods } = inputs;
    const random = seededRandom(seed, 1);
    const policy = makePolicy(name, { views, mix, defaults, random });
    const question = { views, policy, random };
    if (shape.value === undefined) {
      const copies = copiesOf(pods, views);
      const answer = howManyFit({ ...question, pods: copies, untilRefused: true });
      const placed = placedOf(answer);
      return {
        ...answerOf(name, answer),
        sets: Math.floor(placed / Math.max(1, pods.length)),
        isCutOff: placed === mostCopies,
      };
    }
    const newNodes = { shape: shape.value, most: pods.length };
    const answer = nodesNeeded({ ...question, pods, newNodes }, onlyNew);
    return { ...answerOf(name, answer), newNodes: answer.newNodes };
  });
  const present = onlyNew ? { ...facts, nodes: 0, cards: 0 } : facts;
  return parsed({ asked: asked.kind, facts: present, warnings: inputs.warnings, answers });
}

function answerOf(policy: PolicyName, answer: WhatIfAnswer): PolicyAnswer {
  const unplaced: Record<string, number> = {};
  let refusals: PolicyAnswer['refusals'] = [];
  for (const outcome of answer.outcomes) {
    if (outcome.ok) continue;
    unplaced[outcome.reason] = (unplaced[outcome.reason] ?? 0) + 1;
    const byReason = new Map<string, number>();
    for (const { refusal, nodes } of outcome.refusals) {
      const reason = refusalWord(refusal);
      byReason.set(reason, (byReason.get(reason) ?? 0) + nodes);
    }
    refusals = [...byReason].map(([reason, nodes]) => ({ reason, nodes })).sort((a, b) => b.nodes - a.nodes);
  }
  return { policy, placed: placedOf(answer), unplaced, refusals };
}

function placedOf({ outcomes }: WhatIfAnswer): number {
  return outcomes.filter(({ ok }) => ok).length;
}

/** One set of the pods after the other, one more pod than the nodes have places for. */
function copiesOf(pods: readonly SimulatedPod[], views: readonly NodeView[]): readonly SimulatedPod[] {
  const places = views.reduce((sum, { hostFree }) => sum + Math.max(0, hostFree.pods), 0);
  const count = Math.min(mostCopies, places + 1);
  return Array.from({ length: count }, (_, index) => pods[index % pods.length]).filter(
    (pod) => pod !== undefined,
  );
}

function readShape(file: string, config: TesseraConfig): Parsed<NodeView> {
  const vendors = makeVendors(config);
  const nodes = readNodes(file, vendors);
  if (!nodes.ok) return nodes;
  const [node] = nodes.value;
  if (node === undefined || nodes.value.length > 1)
    return unparsable(
      `${file}: holds ${nodes.value.length} nodes; wanted is the one that more would look like`,
    );
  const shape = nodeFromObject(node, vendors);
  return shape.ok ? shape : unparsable(`${file}: ${shape.problem}`);
}

function readNodes(file: string, vendors: readonly Vendor[]) {
  const read = file.endsWith('.csv') ? readTraceCluster(file, vendors) : readSnapshotFile(file);
  return read.ok ? parsed(read.value.nodes) : read;
}

/** Where no cluster is named, the shape's own file stands in for one, so that the pods are read in its light. */
function clusterOf(file: string): Pick<SimulationInputOptions, 'nodes' | 'snapshot'> {
  return file.endsWith('.csv') ? { nodes: file } : { snapshot: file };
}
