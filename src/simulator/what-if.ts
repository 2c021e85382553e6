/**
 * What-if questions: how many of these pods fit, and how many nodes of a shape do they need. Pods come one after the
 * other in the order given, as they would to the scheduler, to copies of the nodes' pictures; what was handed in stays as
 * it was. Work is done in steps, so that a server can answer others in between, and what is known at any step can be told.
 *
 * Where there is a shape, a pod that fits nowhere opens one more node, if it fits an empty one. That is what a cluster
 * autoscaler does; pods in another order may need fewer nodes.
 */
import type { Allocation } from '../model/allocation.ts';
import type { VendorKey } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import { type NamespaceQuota, noQuota, type QuotaLimit } from '../model/quota.ts';
import type { PodRequest } from '../model/request.ts';
import { Verdicts } from '../placement/verdicts.ts';
import { type QuotaAmounts, quotaAmounts } from '../state/quota-amounts.ts';
import type { SimulatedRefusal } from './node-choice.ts';
import { NodeScoresByKind } from './node-scores.ts';
import { placePod, type Placing, type PlacingGround } from './place-pod.ts';
import type { Random, SimulatedPolicy } from './policy.ts';
import { SimulatedCluster } from './simulated-cluster.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import { type CountedRefusal, countRefusals, refusalOf } from './what-if-refusals.ts';

export interface WhatIfQuestion {
  /** The nodes there are; ties go to the one that comes first. None: only new ones. */
  readonly views: readonly NodeView[];
  /** In the order in which they come. */
  readonly pods: readonly SimulatedPod[];
  readonly policy: SimulatedPolicy;
  /** For policies that draw; never asked by others. */
  readonly random: Random;
  readonly newNodes?: NewNodes;
  /** The limits of a namespace with what its pods hold at the start; absent: quotas are not judged. */
  readonly quotaOf?: (namespace: string) => NamespaceQuota;
  /** For copies of one pod: the first that fits nowhere is the last. */
  readonly untilRefused?: boolean;
}

/** Nodes that may be added. */
export interface NewNodes {
  /** One with nothing on it. */
  readonly shape: NodeView;
  readonly most: number;
}

export type PodOutcome =
  | { readonly ok: true; readonly node: string; readonly isNew: boolean; readonly allocation: Allocation }
  | {
      readonly ok: false;
      /** One word, to count pods by. */
      readonly reason: string;
      /** What the nodes say, the most frequent first; none where the request cannot be understood. */
      readonly refusals: readonly CountedRefusal[];
      /** Where new nodes may be: why one more does not help. `most`: there are as many as there may be. */
      readonly newNode?: SimulatedRefusal | 'most';
    };

export interface WhatIfAnswer {
  /** One per pod that was tried, in their order. */
  readonly outcomes: readonly PodOutcome[];
  /** How many nodes were added; each has pods. */
  readonly newNodes: number;
}

/** Copied or asked about in one step at most; a copy or a first verdict takes some ten microseconds. */
const nodesPerStep = 256;

export class WhatIf {
  readonly #question: WhatIfQuestion;
  readonly #ground: PlacingGround & { readonly rank: number[] };
  readonly #quotas = new Map<string, NamespaceQuota>();
  readonly #outcomes: PodOutcome[] = [];
  /** Of the nodes, how many have said what they think of the next pod. */
  #judged = 0;
  #newNodes = 0;
  #ended = false;

  constructor(question: WhatIfQuestion) {
    const { policy, random } = question;
    this.#question = question;
    this.#ground = {
      cluster: new SimulatedCluster([], policy.observer),
      verdicts: new Verdicts(),
      scores: new NodeScoresByKind(),
      policy,
      rank: [],
      random,
    };
  }

  get done(): boolean {
    return this.#ended || this.#outcomes.length >= this.#question.pods.length;
  }

  /** As far as it has come. */
  answer(): WhatIfAnswer {
    return { outcomes: [...this.#outcomes], newNodes: this.#newNodes };
  }

  /** A little more; without effect once it is done. */
  step(): void {
    const pod = this.#question.pods[this.#outcomes.length];
    if (this.done || pod === undefined || this.#copySome() || this.#judgeSome(pod)) return;
    this.#judged = 0;
    const outcome = this.#tryPod(pod, `${this.#outcomes.length}`);
    this.#outcomes.push(outcome);
    if (!outcome.ok && this.#question.untilRefused === true) this.#ended = true;
  }

  /** Copies some of the nodes; false once all of them are there. */
  #copySome(): boolean {
    const { views } = this.#question;
    const { cluster, rank } = this.#ground;
    const from = rank.length;
    if (from >= views.length) return false;
    for (const view of views.slice(from, from + nodesPerStep)) rank.push(cluster.add(view));
    return views.length > nodesPerStep;
  }

  /** Has some nodes give verdicts that are remembered; false once there are few enough left to place the pod. */
  #judgeSome({ request, shape, problems }: SimulatedPod): boolean {
    const { cluster, verdicts, policy } = this.#ground;
    const { views } = cluster;
    if (problems.length > 0 || this.#judged + nodesPerStep >= views.length) return false;
    const table = verdicts.of(request, shape, policy.rules);
    const until = this.#judged + nodesPerStep;
    for (const view of views.slice(this.#judged, until)) table.judge(view);
    this.#judged = until;
    return true;
  }

  #tryPod(pod: SimulatedPod, podUid: string): PodOutcome {
    const placing = this.#place(pod, podUid);
    if (placing.ok) return this.#placed(placing);
    const { request } = pod;
    const { verdicts, reason } = placing;
    const refusals =
      verdicts === undefined ? [] : countRefusals(this.#ground.cluster.views, request, verdicts);
    const { newNodes } = this.#question;
    if (newNodes === undefined || verdicts === undefined) return { ok: false, reason, refusals };
    const newNode = this.#refusalOfNew(newNodes, request);
    if (newNode !== undefined) return { ok: false, reason, refusals, newNode };
    this.#addNode(newNodes);
    const second = this.#place(pod, podUid);
    if (!second.ok) throw new Error('a pod that fits an empty node is refused by it');
    return this.#placed(second);
  }

  #place(pod: SimulatedPod, podUid: string): Placing {
    const { namespace, containers } = pod.request;
    const quota = this.#quotaOf(namespace);
    const placing = placePod(pod, podUid, this.#ground, quota);
    if (placing.ok && quota.size > 0) {
      const roles = containers.map(({ role }) => role);
      this.#quotas.set(namespace, withUsed(quota, quotaAmounts(placing.allocation, roles, false)));
    }
    return placing;
  }

  #placed({ node, allocation }: Extract<Placing, { readonly ok: true }>): PodOutcome {
    const view = this.#ground.cluster.views[node];
    const isNew = node >= this.#question.views.length;
    return { ok: true, node: view?.name ?? '', isNew, allocation };
  }

  #quotaOf(namespace: string): NamespaceQuota {
    return this.#quotas.get(namespace) ?? this.#question.quotaOf?.(namespace) ?? noQuota;
  }

  #refusalOfNew({ shape, most }: NewNodes, request: PodRequest): SimulatedRefusal | 'most' | undefined {
    const rules = { ...this.#ground.policy.rules, quota: this.#quotaOf(request.namespace) };
    return refusalOf(shape, request, rules) ?? (this.#newNodes >= most ? 'most' : undefined);
  }

  #addNode({ shape }: NewNodes): void {
    this.#newNodes += 1;
    const { cluster, rank } = this.#ground;
    rank.push(cluster.add({ ...shape, name: `new-${this.#newNodes}` }));
  }
}

/** How many of these pods fit, and which where. */
export function howManyFit(question: Omit<WhatIfQuestion, 'newNodes'>): WhatIfAnswer {
  return answerWhatIf(question);
}

/**
 * How many nodes of a shape these pods need.
 *
 * @param onlyNew true to leave the nodes there are out
 */
export function nodesNeeded(
  question: WhatIfQuestion & { readonly newNodes: NewNodes },
  onlyNew = false,
): WhatIfAnswer {
  return answerWhatIf(onlyNew ? { ...question, views: [] } : question);
}

function answerWhatIf(question: WhatIfQuestion): WhatIfAnswer {
  const whatIf = new WhatIf(question);
  while (!whatIf.done) whatIf.step();
  return whatIf.answer();
}

function withUsed(quota: NamespaceQuota, amounts: ReadonlyMap<VendorKey, QuotaAmounts>): NamespaceQuota {
  const more = (limit: QuotaLimit | undefined, amount = 0) =>
    limit && { ...limit, used: limit.used + amount };
  return new Map(
    [...quota].map(([vendor, { memory, cores }]) => {
      const ofMemory = more(memory, amounts.get(vendor)?.memoryMiB);
      const ofCores = more(cores, amounts.get(vendor)?.corePercent);
      return [
        vendor,
        {
          ...(ofMemory === undefined ? {} : { memory: ofMemory }),
          ...(ofCores === undefined ? {} : { cores: ofCores }),
        },
      ];
    }),
  );
}
