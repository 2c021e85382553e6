/** The answer of `POST /simulate` as JSON: where each pod would go, and why the others would wait. */
import { podName } from '../model/cluster-objects.ts';
import { compareText } from '../model/device.ts';
import type { Share } from '../model/allocation.ts';
import { refusalSentence, wireReason } from '../scheduler/refusal-text.ts';
import type { SimulatedRefusal } from '../simulator/node-choice.ts';
import type { SimulatedPod } from '../simulator/simulated-pod.ts';
import type { PodOutcome, WhatIfAnswer } from '../simulator/what-if.ts';

export interface SimulateAnswer {
  /** For pods that name none. */
  readonly policy: string;
  readonly counts: {
    readonly asked: number;
    readonly placed: number;
    readonly unplaced: number;
    /** No longer tried: the time was over, or a copy before it fitted nowhere. */
    readonly untried: number;
    /** How many nodes of the shape are needed for those that are placed; absent without a shape. */
    readonly newNodes?: number;
  };
  /** True when the time was over before every pod was tried. */
  readonly truncated: boolean;
  readonly placed: readonly PlacedAnswer[];
  readonly unplaced: readonly UnplacedAnswer[];
  /** How many pods share each reason, most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly pods: number }[];
}

export interface PlacedAnswer {
  /** Position in the list, or number of the copy, from 0. */
  readonly index: number;
  readonly pod: string;
  readonly node: string;
  /** True on a node that is not there yet. */
  readonly isNewNode: boolean;
  readonly containers: readonly { readonly name: string; readonly shares: readonly Share[] }[];
}

export interface UnplacedAnswer {
  readonly index: number;
  readonly pod: string;
  /** Of most nodes, as kube-scheduler would be told it. */
  readonly reason: string;
  readonly sentence: string;
  /** How many nodes share each reason, most frequent first. */
  readonly nodes: readonly { readonly reason: string; readonly nodes: number }[];
  /** Why another new node does not help; absent without a shape. */
  readonly newNode?: { readonly reason: string; readonly sentence: string };
}

export interface AnswerParts {
  readonly policy: string;
  readonly pods: readonly SimulatedPod[];
  readonly answer: WhatIfAnswer;
  readonly truncated: boolean;
  readonly hasNewNodes: boolean;
}

export function simulateAnswer({
  policy,
  pods,
  answer,
  truncated,
  hasNewNodes,
}: AnswerParts): SimulateAnswer {
  const placed: PlacedAnswer[] = [];
  const unplaced: UnplacedAnswer[] = [];
  for (const [index, outcome] of answer.outcomes.entries()) {
    const pod = pods[index];
    if (pod === undefined) continue;
    if (outcome.ok) placed.push(placedAnswer(index, pod, outcome));
    else unplaced.push(unplacedAnswer(index, pod, outcome));
  }
  return {
    policy,
    counts: {
      asked: pods.length,
      placed: placed.length,
      unplaced: unplaced.length,
      untried: pods.length - answer.outcomes.length,
      ...(hasNewNodes ? { newNodes: answer.newNodes } : {}),
    },
    truncated,
    placed,
    unplaced,
    reasons: counted(unplaced.map(({ reason }) => ({ reason, count: 1 }))).map(({ reason, count }) => ({
      reason,
      pods: count,
    })),
  };
}

function placedAnswer(
  index: number,
  { request }: SimulatedPod,
  { node, isNew, allocation }: Extract<PodOutcome, { readonly ok: true }>,
): PlacedAnswer {
  const containers = request.containers.map(({ name }, at) => ({ name, shares: allocation[at] ?? [] }));
  return { index, pod: podName(request), node, isNewNode: isNew, containers };
}

function unplacedAnswer(
  index: number,
  { request, problems }: SimulatedPod,
  outcome: Extract<PodOutcome, { readonly ok: false }>,
): UnplacedAnswer {
  const { refusals, newNode } = outcome;
  const told = (refusal: SimulatedRefusal) => ({ reason: reasonOf(refusal), sentence: sentenceOf(refusal) });
  // Where there are no nodes yet, what a new one says is all there is to tell.
  const first = refusals[0]?.refusal ?? (newNode === 'most' ? undefined : newNode);
  const main =
    problems.length > 0
      ? told({ code: 'RequestInvalid', problems })
      : first === undefined
        ? { reason: outcome.reason, sentence: 'there are no nodes' }
        : told(first);
  return {
    index,
    pod: podName(request),
    ...main,
    nodes: counted(refusals.map(({ refusal, nodes }) => ({ reason: reasonOf(refusal), count: nodes }))).map(
      ({ reason, count }) => ({ reason, nodes: count }),
    ),
    ...(newNode === undefined ? {} : { newNode: newNode === 'most' ? asManyAsAllowed : told(newNode) }),
  };
}

const asManyAsAllowed = {
  reason: 'TooManyNewNodes',
  sentence: 'it would fit another new node, but there are as many as a question may have',
};

function reasonOf(refusal: SimulatedRefusal): string {
  return isOfHost(refusal) ? refusal.code : wireReason(refusal, false);
}

function sentenceOf(refusal: SimulatedRefusal): string {
  return isOfHost(refusal) ? hostSentences[refusal.code] : refusalSentence(refusal);
}

type HostRefusal = Extract<SimulatedRefusal, { readonly code: keyof typeof hostSentences }>;

/** What kube-scheduler itself would say. */
const hostSentences = {
  HostInsufficientCpu: 'the cards would do, but the node has too little CPU left',
  HostInsufficientMemory: 'the cards would do, but the node has too little memory left',
  HostTooManyPods: 'the cards would do, but the node has as many pods as it may',
} as const;

function isOfHost(refusal: SimulatedRefusal): refusal is HostRefusal {
  return refusal.code in hostSentences;
}

interface Counted {
  readonly reason: string;
  readonly count: number;
}

/** One entry per reason, the most frequent first. */
function counted(entries: readonly Counted[]): readonly Counted[] {
  const counts = new Map<string, number>();
  for (const { reason, count } of entries) counts.set(reason, (counts.get(reason) ?? 0) + count);
  return [...counts]
    .map(([reason, count]) => ({ reason, count }))
    .sort((a, b) => b.count - a.count || compareText(a.reason, b.reason));
}
