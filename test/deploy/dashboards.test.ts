/** The dashboards in `deploy/dashboards/`: what they ask for is what the server serves. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { parsePage } from '../telemetry/exposition-page.ts';

const folder = new URL('../../deploy/dashboards/', import.meta.url);

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

const dashboards = readdirSync(folder).map((file) => ({
  file,
  dashboard: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Dashboard,
}));

const labelsOf: Readonly<Record<string, readonly string[]>> = {
  tessera_fragmentation_ratio: ['vendor'],
  tessera_fragmented_cards: ['vendor'],
  tessera_useless_cards: ['vendor', 'class'],
  tessera_devices: ['vendor', 'state'],
};

describe.each(dashboards)('$file', ({ dashboard }) => {
  const targets = dashboard.panels.flatMap((panel) => panel.targets);

  it('asks for metrics of ours alone', async () => {
    const served = parsePage(await makeMetrics({ processMetrics: false }).render()).map(({ name }) => name);
    const asked = targets.flatMap(({ expr }) => expr.match(/\btessera_\w+/g) ?? []);
    expect(asked.length).toBeGreaterThanOrEqual(targets.length);
    expect(asked.filter((name) => !served.includes(name))).toEqual([]);
  });

  it('groups by labels that they have, and tells them in the legend', () => {
    for (const { expr, legendFormat } of targets) {
      const [, by = '', metric = ''] = /^max by \(([\w, ]+)\) \((\w+)\)$/.exec(expr) ?? [];
      expect(by.split(', ')).toEqual(labelsOf[metric]);
      expect([...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label)).toEqual(by.split(', '));
    }
  });

  it('has panels of their own numbers that do not overlap', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)}/${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});
