/**
 * The report as one page that needs nothing else: no script, no font, no picture from elsewhere. It follows the reader's
 * light or dark screen, prints, and tells every chart's figures in a table, too.
 */
import { chartStyle } from './charts/chart-style.ts';
import { element, escaped } from './charts/svg.ts';
import { headline } from './headline.ts';
import { comparisonTable, runsTable } from './report-tables.ts';
import { reportCharts, type ReportChart } from './report-charts.ts';
import { scenarioSentence } from './report-text.ts';
import type { SimulationReport } from './run-report.ts';
import type { Table } from './table.ts';

const pageStyle = `
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:980px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem}
h2{font-size:1.2rem;margin:2.6rem 0 .2rem;padding-top:1.2rem;border-top:1px solid var(--rule)}
p{margin:.3rem 0 .8rem;max-width:88ch}.headline{font-size:1.15rem;font-weight:600;margin:1rem 0 1.2rem}.quiet{color:var(--faint)}
.chart{width:100%;height:auto;display:block}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;margin:.6rem 0}
caption{text-align:left;color:var(--faint);padding:.2rem 0}
th,td{padding:3px 10px 3px 0;border-bottom:1px solid var(--rule);text-align:left;white-space:nowrap}
th.right,td.right{text-align:right;padding:3px 0 3px 14px}
th{font-weight:600}tbody th{font-weight:400}.first tbody tr:first-child>*{font-weight:700}
@media print{h2{break-after:avoid}figure{break-inside:avoid}}
figure{margin:0}
`;

/** @param version of the program that made it */
export function reportHtml(report: SimulationReport, version: string): string {
  const { facts, runs } = report;
  const told = headline(report);
  const sources = facts.sources.map((source) => element('code', {}, escaped(source))).join(', ');
  const body = element(
    'main',
    {},
    element('h1', {}, 'How policies fill this cluster'),
    element('p', { class: 'quiet' }, escaped(scenarioSentence(report))),
    ...(told === undefined ? [] : [element('p', { class: 'headline' }, escaped(told))]),
    runs.length > 1 ? tableHtml(comparisonTable(report), 'first') : tableHtml(runsTable(report)),
    ...reportCharts(report).map(chartSection),
    ...(runs.length > 1 ? [element('h2', {}, 'Every run'), tableHtml(runsTable(report))] : []),
    element('p', { class: 'quiet' }, `Inputs: ${sources}. Made by tessera ${escaped(version)}.`),
  );
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>Placement policies on a simulated cluster</title>',
    `<style>${chartStyle}${pageStyle}</style></head>`,
    `<body>${body}</body></html>\n`,
  ].join('\n');
}

function chartSection({ id, title, caption, draw, table }: ReportChart): string {
  return element(
    'section',
    { id: `section-${id}` },
    element('h2', {}, escaped(title)),
    element('p', { class: 'quiet' }, escaped(caption)),
    element('figure', {}, draw('page')),
    ...(table === undefined ? [] : [tableHtml(table)]),
  );
}

/** @param kind `first`: the first row is the one to look at */
function tableHtml({ caption, columns, rows }: Table, kind?: 'first'): string {
  const side = (index: number) => (columns[index]?.align === 'right' ? { class: 'right' } : {});
  const head = columns.map(({ name }, index) =>
    element('th', { scope: 'col', ...side(index) }, escaped(name)),
  );
  const body = rows.map((cells) =>
    element(
      'tr',
      {},
      ...cells.map((cell, index) =>
        index === 0
          ? element('th', { scope: 'row', ...side(index) }, escaped(cell))
          : element('td', side(index), escaped(cell)),
      ),
    ),
  );
  return element(
    'div',
    { class: 'scroll' },
    element(
      'table',
      kind === undefined ? {} : { class: kind },
      element('caption', {}, escaped(caption)),
      element('thead', {}, element('tr', {}, ...head)),
      element('tbody', {}, ...body),
    ),
  );
}
