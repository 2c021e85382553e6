/** What the runs came to, for people: per variant and policy the mean over the seeds, beside the published one. */
import { comparedPercents, type Run, type RunFigures } from './experiment.ts';
import type { Published } from './published.ts';
import { type DeterministicPolicy, deterministicPolicies } from './selection.ts';

const columns = [12, 14, 9, 11, 9, 11, 14];

/** One line per variant and policy, in the order of the runs. */
export function resultTable(runs: readonly RunFigures[], published: Published): string {
  const head = ['variant', 'policy', ...comparedPercents.flatMap((at) => [`${at} %`, 'published'])];
  const groups = Map.groupBy(runs, ({ variant, policy }) => `${variant}/${policy}`);
  const rows = [...groups.values()].flatMap((own) =>
    own[0] === undefined ? [] : [rowOf(own[0], own, published)],
  );
  return [[...head, 'decisions/s'], ...rows].map(lineOf).join('\n');
}

function rowOf(
  { variant, policy }: Run,
  runs: readonly RunFigures[],
  published: Published,
): readonly string[] {
  // Our own policy is compared with the best of the published ones.
  const rival = policy === 'random' || isDeterministic(policy) ? policy : 'fgd';
  const figures = comparedPercents.flatMap((percent) => {
    const column = `alloc_${percent}`;
    const theirs = runs.map(({ seed }) => published.of(variant, rival, seed)[column]);
    const label = rival === policy ? '' : `${deterministicPolicies.fgd} `;
    return [meanText(runs.map((run) => run.figures[column])), `${label}${meanText(theirs)}`];
  });
  const decisions = runs.reduce((sum, { placements }) => sum + placements.length, 0);
  const seconds = runs.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
  return [variant, policy, ...figures, `${Math.round(decisions / seconds)}`];
}

function isDeterministic(policy: string): policy is DeterministicPolicy {
  return policy in deterministicPolicies;
}

function meanText(figures: readonly (number | undefined)[]): string {
  return (figures.reduce<number>((sum, figure) => sum + (figure ?? NaN), 0) / figures.length).toFixed(2);
}

function lineOf(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (index < 2 ? cell.padEnd(columns[index] ?? 0) : cell.padStart(columns[index] ?? 0)))
    .join(' ');
}
