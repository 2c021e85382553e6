/** The published figures, and where the pods of one run go under five policies. */
import { readTable, type Variant } from './openb-data.ts';
import { type DeterministicPolicy, deterministicPolicies } from './selection.ts';

/** By column, e.g. `alloc_130`, in percent, to two decimals. */
export type PublishedFigures = Readonly<Record<string, number>>;

export class Published {
  readonly #rows: ReadonlyMap<string, PublishedFigures>;

  constructor(folder: string) {
    const rows = readTable(folder, 'reference/published_results.csv');
    this.#rows = new Map(
      rows.map(({ variant = '', policy = '', seed = '', ...figures }) => [
        `${variant}/${policy}/${seed}`,
        Object.fromEntries(Object.entries(figures).map(([column, figure]) => [column, Number(figure)])),
      ]),
    );
  }

  /** Throws where nothing is published. */
  of(variant: Variant, policy: DeterministicPolicy | 'random', seed: number): PublishedFigures {
    const name = policy === 'random' ? 'Random' : deterministicPolicies[policy];
    const figures = this.#rows.get(`${variant}/${name}/${seed}`);
    if (figures === undefined) throw new Error(`nothing is published of ${name} on ${variant}, seed ${seed}`);
    return figures;
  }
}

/** Of `default`, seed 42: per arrival the row of the node, -1 where it was dropped. */
export function publishedPlacements(folder: string, policy: DeterministicPolicy): readonly number[] {
  const rows = readTable(folder, 'reference/placements_default_seed42.csv');
  return rows.map((row) => Number(row[deterministicPolicies[policy]]));
}
