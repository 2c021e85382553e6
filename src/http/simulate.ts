/**
 * From a question of `POST /simulate` to its answer: the pictures of all nodes at this moment, the policies and quotas
 * in force, and the what-if engine on copies of them. Nothing is assumed, bound or told, and the cluster never learns of
 * the question. It works in short turns and lets filter and the others run in between, for so long and no longer.
 */
import { completedPod } from '../admission/completed-pod.ts';
import type { Clock } from '../model/clock.ts';
import type { PodObject } from '../model/cluster-objects.ts';
import { compareText } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { NodePolicy } from '../model/request.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { RuleSources } from '../scheduler/rules.ts';
import type { SimulatedPolicy } from '../simulator/policy.ts';
import { readSimulatedPods, type SimulatedPod } from '../simulator/simulated-pod.ts';
import { WhatIf } from '../simulator/what-if.ts';
import { nodeFromDescription, nodeFromObject } from '../simulator/what-if-shape.ts';
import { mostSimulatedPods, type SimulateRequest, type WrittenShape } from '../wire/simulate.ts';
import { type SimulateAnswer, simulateAnswer } from './simulate-answer.ts';

export interface SimulateDeps extends RuleSources {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Settles when everybody who waited for an answer of this process had a turn. */
  readonly letOthersRun: () => Promise<void>;
}

const mostNewNodes = 200;
/** After so long it answers what it has. */
const budgetMs = 5000;
/** So long nobody else is answered. */
const turnMs = 10;

/** Refuses what cannot be answered here: a node or a policy that there is not. */
export async function simulate(asked: SimulateRequest, deps: SimulateDeps): Promise<Parsed<SimulateAnswer>> {
  const { clock, letOthersRun } = deps;
  const pods = podsOf(asked, deps);
  const policy = policyOf(asked.policy, pods, deps);
  if (!policy.ok) return policy;
  const shape = asked.nodeShape === undefined ? parsed(undefined) : shapeOf(asked.nodeShape, deps);
  if (!shape.ok) return shape;
  const whatIf = new WhatIf({
    views: asked.onlyNewNodes ? [] : viewsOf(deps),
    pods,
    policy: policy.value,
    // None of the policies that a server has draws.
    random: () => 0,
    // All of them now: what is answered is of one moment.
    quotaOf: quotasOf(pods, deps),
    untilRefused: asked.workload.kind === 'copies' && asked.workload.copies === undefined,
    ...(shape.value === undefined ? {} : { newNodes: { shape: shape.value, most: mostNewNodes } }),
  });
  const untilMs = clock.nowMs() + budgetMs;
  let turnUntilMs = clock.nowMs() + turnMs;
  while (!whatIf.done && clock.nowMs() < untilMs) {
    whatIf.step();
    if (clock.nowMs() < turnUntilMs) continue;
    await letOthersRun();
    turnUntilMs = clock.nowMs() + turnMs;
  }
  return parsed(
    simulateAnswer({
      policy: policy.value.name,
      pods,
      answer: whatIf.answer(),
      truncated: !whatIf.done,
      hasNewNodes: shape.value !== undefined,
    }),
  );
}

function policyOf(
  asked: NodePolicy | undefined,
  pods: readonly SimulatedPod[],
  { policies, scoring }: SimulateDeps,
): Parsed<SimulatedPolicy> {
  const name = asked ?? policies.nodePolicy;
  if (name === 'fragmentation' && (scoring ?? policies.scoring) === undefined) {
    return unparsable('policy: this server does not judge by fragmentation');
  }
  // A pod may name the policy for itself. A server that was asked for the scoring keeps it from then on.
  const isAsked = pods.some(({ request }) => (request.nodePolicy ?? name) === 'fragmentation');
  const judging = isAsked ? scoring?.() : undefined;
  const rules = { ...policies, nodePolicy: name, ...(judging === undefined ? {} : { scoring: judging }) };
  return parsed({ name, rules, choice: 'highest' });
}

function shapeOf(written: WrittenShape, { state }: SimulateDeps): Parsed<NodeView> {
  const shape = readShape(written, { state });
  return shape.ok ? shape : unparsable(`nodeShape: ${shape.problem}`);
}

function readShape(written: WrittenShape, { state }: Pick<SimulateDeps, 'state'>): Parsed<NodeView> {
  switch (written.kind) {
    case 'like': {
      const view = state.idleView(written.node);
      return view === undefined ? unparsable(`like: there is no node ${written.node}`) : parsed(view);
    }
    case 'object':
      return nodeFromObject(written.node, state.vendors);
    case 'described':
      return nodeFromDescription(written, state.vendors);
  }
}

/** In the order by which equals are told apart in the cluster. */
function viewsOf({ state }: SimulateDeps): readonly NodeView[] {
  return [...state.nodeNames()].sort(compareText).flatMap((name) => state.view(name) ?? []);
}

/** As admission would leave them for the scheduler. */
function podsOf({ workload }: SimulateRequest, { state }: SimulateDeps): readonly SimulatedPod[] {
  const read = (pods: readonly PodObject[]) =>
    readSimulatedPods(
      pods.map((pod) => completedPod(pod, state.vendors).pod),
      state.vendors,
    );
  if (workload.kind === 'pods') return read(workload.pods);
  const { pod, copies = mostSimulatedPods } = workload;
  const one = read([pod]);
  return Array.from({ length: copies }, () => one).flat();
}

function quotasOf(pods: readonly SimulatedPod[], { state }: SimulateDeps) {
  const namespaces = new Set(pods.map(({ request }) => request.namespace));
  const quotas = new Map([...namespaces].map((namespace) => [namespace, state.quotaOf(namespace)]));
  return (namespace: string) => quotas.get(namespace) ?? state.quotaOf(namespace);
}
