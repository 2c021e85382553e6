/** Answers to what-if questions, for people and as JSON, whose shape stays. */
import { plural } from '../plural.ts';
import { clusterText } from './report-text.ts';
import type { PolicyAnswer, WhatIfReport } from './what-if.ts';

/** Ends in a line break. */
export function whatIfText({ asked, facts, answers }: WhatIfReport): string {
  const there = facts.nodes === 0 ? 'no node yet' : clusterText(facts);
  const lines = answers.map((answer) => {
    const { policy } = answer;
    return `${policy}: ${asked === 'how-many' ? howManyText(answer, facts.pods) : nodesText(answer, facts.pods)}`;
  });
  return `${[`On ${there}, for ${plural(facts.pods, 'pod')}:`, ...lines].join('\n')}\n`;
}

function howManyText({ placed, sets = 0, isCutOff, refusals, unplaced }: PolicyAnswer, pods: number): string {
  const count = pods === 1 ? plural(placed, 'copy', 'copies') : plural(placed, 'pod');
  const more = pods === 1 ? '' : `, ${sets} times all ${pods}`;
  if (isCutOff === true) return `at least ${count} fit${more}.`;
  const said = refusals.map(({ reason, nodes }) => `${reason} (${plural(nodes, 'node')})`);
  const why = said.length > 0 ? said : Object.keys(unplaced);
  return `${count} ${placed === 1 ? 'fits' : 'fit'}${more}; then ${why.join(', ')}.`;
}

function nodesText({ placed, newNodes = 0, unplaced }: PolicyAnswer, pods: number): string {
  const needed = `${plural(newNodes, 'more node')} for ${placed} of ${plural(pods, 'pod')}`;
  const reasons = Object.entries(unplaced).map(([reason, count]) => `${reason} ${count}`);
  return reasons.length === 0
    ? `${needed}.`
    : `${needed}; the others fit no such node: ${reasons.join(', ')}.`;
}

export function whatIfJson({ asked, facts, answers }: WhatIfReport): string {
  const document = {
    version: 1,
    question: asked,
    cluster: { nodes: facts.nodes, cards: facts.cards },
    workload: { pods: facts.pods },
    answers,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
