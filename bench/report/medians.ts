/** Several runs of a benchmark as one: every figure is the median of that figure. */
import { type BenchRow, type Figure, figures } from './row.ts';

/** Takes rows by their place; all runs must have given the same ones. */
export function mediansOf(runs: readonly (readonly BenchRow[])[]): readonly BenchRow[] {
  const [first = []] = runs;
  return first.map((row, index) => {
    const medians: Partial<Record<Figure, number>> = {};
    for (const figure of figures) {
      const values = runs.flatMap((rows) => rows[index]?.[figure] ?? []);
      if (values.length > 0) medians[figure] = rounded(median(values));
    }
    return { ...row, ...medians };
  });
}

/** To a nanosecond where it is milliseconds; more digits tell nothing. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** Of two in the middle, their mean. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}
