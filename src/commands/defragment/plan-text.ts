/** A defragmentation plan for people and as JSON, whose shape stays. */
import type { Allocation } from '../../model/allocation.ts';
import { type NamespacedName, podName } from '../../model/cluster-objects.ts';
import { refusalSentence } from '../../scheduler/refusal-text.ts';
import type { DefragmentPlan, PodMove } from '../../simulator/defragment.ts';
import { isHostReason, type SimulatedRefusal } from '../../simulator/node-choice.ts';
import { refusalWord } from '../../simulator/unplaced-reason.ts';
import { plural } from '../plural.ts';

export interface PlanReport {
  /** For whom there should be room. */
  readonly pod: NamespacedName;
  readonly plan: DefragmentPlan;
  /** Pods of the plan that nobody makes anew. */
  readonly withoutController: readonly string[];
}

/** Ends in a line break. */
export function planText({ pod, plan, withoutController }: PlanReport): string {
  const name = podName(pod);
  switch (plan.kind) {
    case 'invalid':
      return `What ${name} asks for cannot be understood: ${plan.problems.join('; ')}.\n`;
    case 'never':
      return `No list of moves helps: every node would refuse ${name} with nothing on it. ${neverText(plan.refusal)}\n`;
    case 'fits':
      return `Nothing has to move: ${name} fits ${placeText(plan.node, plan.allocation)} now.\n`;
    case 'none':
      return `${name} fits nowhere, and no list of up to ${plural(plan.mostMoves, 'move')} was found that makes room; up to ${plan.ruledOut} there is none.\n`;
    case 'moves':
      return movesText(name, plan, withoutController);
  }
}

function movesText(
  name: string,
  { moves, node, allocation, isShortest }: Extract<DefragmentPlan, { readonly kind: 'moves' }>,
  withoutController: readonly string[],
): string {
  const least = isShortest
    ? 'no shorter list does'
    : 'the shortest list that was found; there may be a shorter one';
  return [
    `${name} fits once ${plural(moves.length, 'pod')} ${moves.length === 1 ? 'has' : 'have'} moved (${least}):`,
    ...moves.map(moveText),
    `Then ${name} fits ${placeText(node, allocation)}.`,
    'This is a proposal: nothing was evicted. Node selectors, affinity, taints and disruption budgets were not looked at.',
    ...(withoutController.length === 0
      ? []
      : [`Nobody makes these anew once they are gone: ${withoutController.join(', ')}.`]),
    '',
  ].join('\n');
}

function moveText({ from, to, held, allocation, ...pod }: PodMove, index: number): string {
  return `  ${index + 1}. ${podName(pod)}: from ${from} (${sharesText(held)}) to ${to} (${sharesText(allocation)})`;
}

function placeText(node: string, allocation: Allocation): string {
  return `node ${node} (${sharesText(allocation)})`;
}

function sharesText(allocation: Allocation): string {
  const shares = allocation.flat().map(({ deviceId, memoryMiB, corePercent }) => {
    const cores = corePercent === 0 ? '' : ` ${corePercent} %`;
    return `${deviceId} ${memoryMiB} MiB${cores}`;
  });
  return shares.length === 0 ? 'no card' : shares.join(', ');
}

function neverText(refusal: SimulatedRefusal | undefined): string {
  if (refusal === undefined) return 'There are no nodes.';
  return `Most say: ${isOfPlanner(refusal) ? refusalSentence(refusal) : refusalWord(refusal)}.`;
}

type PlannerRefusal = Parameters<typeof refusalSentence>[0];

function isOfPlanner(refusal: SimulatedRefusal): refusal is PlannerRefusal {
  return !isHostReason(refusal.code);
}

/** A change that breaks readers raises `version`. */
export function planJson({ pod, plan, withoutController }: PlanReport): string {
  const { kind: result, ...rest } = plan;
  const document = { version: 1, pod: podName(pod), result, ...rest, withoutController };
  return `${JSON.stringify(document, null, 2)}\n`;
}
