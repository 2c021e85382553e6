/** Every benchmark once, as small as it gets: whether it works and what it reports, never how long it takes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeProgram } from '../../bench/program.ts';
import type { BenchResult } from '../../bench/report/row.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tessera-bench-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function bench(
  ...args: readonly string[]
): Promise<{ result: BenchResult; printed: string; told: string }> {
  const file = join(folder, 'figures.json');
  const printed: string[] = [];
  const told: string[] = [];
  const program = makeProgram({ print: (text) => printed.push(text), tell: (line) => told.push(line) });
  await program.parseAsync([...args, '--json', file], { from: 'user' });
  const result = JSON.parse(readFileSync(file, 'utf8')) as BenchResult;
  return { result, printed: printed.join('\n'), told: told.join('\n') };
}

const everyRow = ['p50_ms', 'p90_ms', 'p99_ms', 'max_ms', 'per_second', 'peak_rss_mib', 'loop_delay_p99_ms'];
const withFloor = [...everyRow, 'floor_p50_ms', 'floor_p99_ms'];

const small = ['--nodes', '6', '--cards', '4'];
const few = ['--calls', '6', '--warmup', '1'];
const kinds = ['fractional', 'percent', 'multi-card', 'typed', 'numa', 'mig', 'whole'];

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  /** Names of the rows, in order. */
  readonly wantRows: readonly string[];
  readonly wantFigures: readonly string[];
}

const cases: readonly Case[] = [
  {
    name: 'filter',
    args: ['--nodes', '12', '--cards', '4', '--names', '6', '12', '--calls', '12', '--warmup', '1'],
    wantRows: ['filter', 'prioritize', 'bind', 'filter', 'prioritize', 'bind'],
    wantFigures: withFloor,
  },
  {
    name: 'planner',
    args: [...small, ...few],
    wantRows: kinds.flatMap(() => ['planner', 'planner']),
    wantFigures: everyRow,
  },
  {
    name: 'admission',
    args: [...small, ...few, '--connections', '1', '2'],
    wantRows: ['admission', 'admission', 'admission', 'admission'],
    wantFigures: withFloor,
  },
  {
    name: 'scaling',
    args: ['--nodes', '4', '8', '--cards', '4', '--names', '4', ...few],
    wantRows: ['filter', 'filter', 'planner', 'planner', 'scaling', 'scaling', 'scaling'],
    wantFigures: everyRow,
  },
  {
    name: 'sync',
    args: [...small, '--pods', '30', '--per-second', '200', '--seconds', '1'],
    wantRows: ['sync', 'storm_nodes', 'storm_pods'],
    wantFigures: [...everyRow, 'cpu_percent'],
  },
  {
    name: 'refusals',
    args: [
      ...small,
      '--names',
      '6',
      '--pending',
      '5',
      '--per-second',
      '10',
      '--seconds',
      '1',
      '--warmup',
      '1',
    ],
    wantRows: ['refusals'],
    wantFigures: [...withFloor, 'cpu_percent', 'cpu_percent_added'],
  },
];

describe('a benchmark, run small', () => {
  it.each(cases)(
    '$name prints a table and writes its figures',
    async ({ name, args, wantRows, wantFigures }) => {
      const { result, printed, told } = await bench(name, ...args);
      expect(result.name).toBe(name);
      expect(result.params['seed']).toBe(1);
      expect(result.rows.map((row) => row.name)).toEqual(wantRows);
      const places = result.rows.map((row) => JSON.stringify([row.name, row.params]));
      expect(new Set(places).size).toBe(places.length);
      for (const row of result.rows) {
        const figures = Object.fromEntries(Object.entries(row));
        const odd = wantFigures.filter((figure) => !Number.isFinite(figures[figure]));
        expect({ row: row.name, odd }).toEqual({ row: row.name, odd: [] });
        expect(row.max_ms).toBeGreaterThan(0);
        expect(row.peak_rss_mib).toBeGreaterThan(10);
      }
      expect(printed.split('\n')).toHaveLength(1 + wantRows.length);
      expect(told).not.toMatch(/[1-9]\d* failed/);
    },
    60_000,
  );

  it('tells the part of a bind that is our own', async () => {
    const { result } = await bench('filter', ...small, '--names', '6', '--calls', '8', '--warmup', '0');
    const row = result.rows.find(({ name }) => name === 'bind')!;
    expect(row.own_p99_ms).toBeGreaterThan(0);
    expect(Number.isFinite(row.own_p99_ms)).toBe(true);
  }, 60_000);

  it('tells exponents of what it compared', async () => {
    const { result } = await bench('scaling', '--nodes', '4', '8', '--cards', '2', '--names', '4', ...few);
    const rows = result.rows.filter(({ name }) => name === 'scaling');
    expect(rows.map(({ params }) => params['of'])).toEqual(['filter_p50', 'filter_p99', 'planner_p50']);
    expect(rows.every(({ exponent }) => Number.isFinite(exponent))).toBe(true);
  }, 60_000);
});

describe('the command line', () => {
  it('runs as often as it is told and gives one result', async () => {
    const { result, told } = await bench('planner', ...small, '--calls', '5', '--warmup', '0', '--runs', '2');
    expect(result.params).toMatchObject({ nodes: 6, runs: 2 });
    expect(result.rows).toHaveLength(14);
    expect(told).toBe('');
  });

  it.each([
    { name: 'a number in words', args: ['planner', '--nodes', 'many'] },
    { name: 'no run at all', args: ['planner', '--runs', '0'] },
    { name: 'a benchmark that there is not', args: ['speed'] },
    { name: 'a setting of another benchmark', args: ['planner', '--pending', '5'] },
  ])('refuses $name', async ({ args }) => {
    const program = makeProgram();
    for (const command of [program, ...program.commands]) {
      command.exitOverride().configureOutput({ writeErr: () => undefined });
    }
    await expect(program.parseAsync(args, { from: 'user' })).rejects.toMatchObject({ exitCode: 1 });
  });
});
