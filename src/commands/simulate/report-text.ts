/** The report for a terminal: what was simulated, every run, the policies beside each other, unplaced pods. */
import { headline } from './headline.ts';
import { comparisonTable, reasonsOf, runsTable, unplacedTable } from './report-tables.ts';
import type { ScenarioFacts, SimulationReport } from './run-report.ts';
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

export function scenarioSentence({ facts, arrivals, runs }: SimulationReport): string {
  const seeds = new Set(runs.map(({ seed }) => seed)).size;
  const policies = new Set(runs.map(({ policy }) => policy)).size;
  const how =
    arrivals.kind === 'load'
      ? `coming again and again until they ask for ${arrivals.percent} % of the cards`
      : { all: 'coming one after the other', timed: 'coming and leaving by their times' }[arrivals.kind];
  return `${clusterText(facts)}, ${plural(facts.pods, 'pod')} ${how}; ${plural(policies, 'policy', 'policies')}, ${plural(seeds, 'seed')}.`;
}

export function clusterText({ nodes, cards }: Pick<ScenarioFacts, 'nodes' | 'cards'>): string {
  return `${plural(cards, 'card')} on ${plural(nodes, 'node')}`;
}

export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`;
}
