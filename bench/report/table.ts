/** Rows as a table for people: one line each, figures to the right, only the columns that some row has. */
import { type BenchRow, type Figure, figures } from './row.ts';

const titles: Readonly<Record<Figure, string>> = {
  p50_ms: 'p50 ms',
  p90_ms: 'p90 ms',
  p99_ms: 'p99 ms',
  max_ms: 'max ms',
  floor_p50_ms: 'floor p50',
  floor_p99_ms: 'floor p99',
  own_p50_ms: 'own p50',
  own_p99_ms: 'own p99',
  per_second: 'per s',
  cpu_percent: 'CPU %',
  cpu_percent_added: 'added %',
  exponent: 'exponent',
  ratio: 'ratio',
  all_run_ms: 'all run ms',
  node_agent_ms: 'node ms',
  busy_binds: 'busy',
  peak_rss_mib: 'peak MiB',
  loop_delay_p99_ms: 'loop p99',
};

export function tableText(rows: readonly BenchRow[]): string {
  const shown = figures.filter((figure) => rows.some((row) => row[figure] !== undefined));
  const ratio = rows.some(({ floor_p99_ms }) => floor_p99_ms !== undefined);
  const lines = [
    ['', ...shown.map((figure) => titles[figure]), ...(ratio ? ['p99/floor'] : [])],
    ...rows.map((row) => [
      [row.name, ...Object.entries(row.params).map(([key, value]) => `${key}=${value}`)].join(' '),
      ...shown.map((figure) => figureText(row[figure])),
      ...(ratio ? [row.floor_p99_ms === undefined ? '' : figureText(row.p99_ms / row.floor_p99_ms)] : []),
    ]),
  ];
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.length ?? 0)),
  );
  return lines
    .map((cells) =>
      cells
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Three digits that count. */
function figureText(value: number | undefined): string {
  if (value === undefined) return '';
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toFixed(digits);
}
