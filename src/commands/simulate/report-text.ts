/** The report for a terminal: what was simulated, every run, the policies beside each other, unplaced pods. */
import { plural } from '../plural.ts';
import { headline } from './headline.ts';
import { comparisonTable, reasonsOf, runsTable, unplacedTable } from './report-tables.ts';
import type { RunConditions, ScenarioFacts, SimulationReport } from './run-report.ts';
import { tableText } from './table.ts';

/** Ends in a line break. */
export function reportText(report: SimulationReport): string {
  const { runs } = report;
  const told = headline(report);
  return [
    `${scenarioSentence(report)}\n`,
    tableText(runsTable(report)),
    ...(runs.length > 1 ? [tableText(comparisonTable(report))] : []),
    ...(told === undefined ? [] : [`${told}\n`]),
    ...(reasonsOf(runs).length === 0 ? ['Every pod was placed.\n'] : [tableText(unplacedTable(report))]),
  ].join('\n');
}

/** More than one where a run departs from the published experiment. */
export function scenarioSentence({ facts, arrivals, conditions, runs }: SimulationReport): string {
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const policies = new Set(runs.map(({ policy }) => policy)).size;
  const told = `${clusterText(facts)}, ${plural(facts.pods, 'pod')} ${howPodsCome(arrivals)}; ${plural(policies, 'policy', 'policies')}, ${plural(seeds, 'seed')}.`;
  return [told, ...conditionSentences(conditions ?? {})].join(' ');
}

function howPodsCome(arrivals: SimulationReport['arrivals']): string {
  switch (arrivals.kind) {
    case 'load':
      return `coming again and again until they ask for ${arrivals.percent} % of the cards`;
    case 'churn':
      return `coming and leaving by chance, asking for about ${arrivals.percent} % of the cards at any time`;
    case 'timed':
      return 'coming and leaving by their times';
    case 'all':
      return 'coming one after the other';
  }
}

function conditionSentences({ learn, skewMemory, randomTies, sample }: RunConditions): readonly string[] {
  const percent = Math.round((sample ?? 1) * 100);
  return [
    ...(learn === true ? ['The policy fragmentation learns the workload as it comes.'] : []),
    ...(skewMemory === true ? ['Pods ask for half, once or twice the memory that is written.'] : []),
    ...(randomTies === true ? ['Of equally good nodes one is drawn.'] : []),
    ...(sample === undefined ? [] : [`For each pod, ${percent} % of the feasible nodes are compared.`]),
  ];
}

export function clusterText({ nodes, cards }: Pick<ScenarioFacts, 'nodes' | 'cards'>): string {
  return `${plural(cards, 'card')} on ${plural(nodes, 'node')}`;
}
