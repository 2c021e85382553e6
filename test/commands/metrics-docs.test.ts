/** `docs/metrics.md` lists every metric of ours and of HAMi's, and no other. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { HamiMetrics } from '../../src/commands/hami-metrics.ts';
import { problemReports } from '../../src/commands/problem-reports.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { nodeObject, podObject } from '../state/support/device-states.ts';
import { makeRecordingLog } from '../http/served-app.ts';
import { parsePage } from '../telemetry/exposition-page.ts';
import { makeHamiCluster } from './hami-cluster.ts';

const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

/** The rows of the table under a heading as cells without code marks; the first two lines are its head. */
function rowsUnder(heading: string, columns: string): readonly (readonly string[])[] {
  const section = text.slice(text.indexOf(`\n## ${heading}\n`) + 1).split('\n## ')[0] ?? '';
  const table =
    section
      .slice(section.indexOf(`| ${columns}`))
      .trimEnd()
      .split('\n\n')[0] ?? '';
  return table
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.replaceAll('`', '').trim()),
    );
}

/** `name label,label`, labels in order. */
function familyText(name: string, labels: readonly string[]): string {
  return `${name} ${[...labels].sort().join()}`;
}

const labelsIn = (cell: string) => cell.split(', ').filter((label) => label !== '');

describe('docs/metrics.md', () => {
  it('lists our metrics with their types', async () => {
    const families = parsePage(await makeMetrics({ processMetrics: false }).render());
    const listed = rowsUnder('Ours', 'metric').map(([name, type]) => `${name!} ${type!}`);
    expect(listed.sort()).toEqual(families.map(({ name, type }) => `${name} ${type}`).sort());
  });

  it('lists HAMi’s metrics with their labels, under both names', async () => {
    const build = { version: '', runtime: '', platform: '' };
    const parts: string[] = [];
    const hami = new HamiMetrics(makeHamiCluster(), { names: 'both', build });
    for await (const part of hami.page()) parts.push(part);
    const served = parsePage(parts.join('')).map(({ name, samples: [sample] }) =>
      familyText(
        name,
        Object.keys(sample?.labels ?? {}).filter((label) => label !== 'zone'),
      ),
    );
    const listed = rowsUnder("HAMi's", 'current name').flatMap(
      ([current = '', own = '', legacy = '', old = '']) => [
        ...(current === '' ? [] : [familyText(current, labelsIn(own))]),
        ...(legacy === '' ? [] : [familyText(legacy, labelsIn(old))]),
      ],
    );
    expect(listed.sort()).toEqual(served.sort());
  });

  it('lists the events about what cannot be read', () => {
    const reasons: string[] = [];
    const metrics = makeMetrics({ processMetrics: false });
    const reports = problemReports({
      metrics,
      log: makeRecordingLog().log,
      events: { report: ({ reason }) => reasons.push(reason) },
    });
    reports.onRegisterProblem(nodeObject(), { vendor: 'NVIDIA', problem: '' });
    reports.onAllocationProblem(podObject(), { annotation: '', problem: '' });
    const quota = { namespace: 'a', name: 'b', resourceVersion: '1', hard: {} };
    reports.onQuotaProblem(quota, { resource: '', problem: '' });
    expect(rowsUnder('Events', 'reason').map(([reason]) => reason)).toEqual(reasons);
  });
});
