/** The benchmark that needs real Kubernetes, once and small: what it reports, never how fast it was. */
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

describe('the throughput benchmark, run small', () => {
  it('has rows for the server, the echo and neither of them, and one for a burst', async () => {
    const file = join(folder, 'figures.json');
    const told: string[] = [];
    const program = makeProgram({ print: () => undefined, tell: (line) => told.push(line) });
    const size = ['--nodes', '10', '--cards', '4', '--pods', '20', '--warmup', '2'];
    const burst = ['--burst-nodes', '2', '--burst-pods', '10'];
    await program.parseAsync(['throughput', ...size, ...burst, '--json', file], { from: 'user' });

    const { rows } = JSON.parse(readFileSync(file, 'utf8')) as BenchResult;
    expect(rows.map(({ name }) => name)).toEqual(['throughput', 'echo', 'plain', 'burst']);
    for (const row of rows) {
      expect(row.params['percentage_of_nodes_to_score']).toBe(100);
      expect(row.per_second).toBeGreaterThan(0);
      expect(row.p50_ms).toBeGreaterThan(0);
      expect(row.max_ms).toBeGreaterThanOrEqual(row.p50_ms);
      expect(row.peak_rss_mib).toBeGreaterThan(10);
    }
    const [ours, echo, plain, atOnce] = rows;
    expect(ours?.ratio).toBeCloseTo(ours!.per_second / echo!.per_second, 3);
    expect(plain?.busy_binds).toBeUndefined();
    expect(atOnce?.params).toMatchObject({ nodes: 2, pods: 10 });
    expect(atOnce?.busy_binds).toBe(0);
    // Each node's plugin was at work, one pod after the other, while all were on their way.
    expect(atOnce?.node_agent_ms).toBeGreaterThan(0);
    expect(atOnce?.node_agent_ms).toBeLessThan(atOnce!.all_run_ms!);
    expect(told.filter((line) => line.includes('pods/s'))).toHaveLength(6);
  }, 180_000);
});
