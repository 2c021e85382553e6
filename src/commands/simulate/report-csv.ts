/** The curves of all runs as CSV (RFC 4180), a row per whole percent of arrived demand; all figures are percent. */
import type { RunReport } from './run-report.ts';

const columns = ['policy', 'seed', 'arrived', 'allocated', 'fragmented', 'rate'];

/** No cell needs quotes: names of policies are words, the rest are numbers. */
export function curvesCsv(runs: readonly RunReport[]): string {
  const rows = runs.flatMap(({ policy, seed, curve }) =>
    curve.map(({ arrivedPercent, allocatedPercent, fragmentedPercent, fragmentationRate }) =>
      [
        policy,
        seed,
        arrivedPercent,
        ...[allocatedPercent, fragmentedPercent, fragmentationRate].map((value) => value.toFixed(4)),
      ].join(','),
    ),
  );
  return `${[columns.join(','), ...rows].join('\r\n')}\r\n`;
}
