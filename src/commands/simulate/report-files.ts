/** The files of a report that were asked for: curves, charts, a page. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import { version } from '../version.ts';
import { reportCharts } from './report-charts.ts';
import { curvesCsv } from './report-csv.ts';
import { reportHtml } from './report-html.ts';
import type { SimulationReport } from './run-report.ts';

export interface ReportFiles {
  readonly csv?: string;
  /** A directory, made where there is none; a file for each chart. */
  readonly svg?: string;
  readonly report?: string;
}

/** What was there before is overwritten. Refuses at the first file that cannot be written. */
export function writeReportFiles(
  report: SimulationReport,
  { csv, svg, report: page }: ReportFiles,
): Parsed<undefined> {
  try {
    if (csv !== undefined) writeFileSync(csv, curvesCsv(report.runs));
    if (page !== undefined) writeFileSync(page, reportHtml(report, version));
    if (svg !== undefined) {
      mkdirSync(svg, { recursive: true });
      for (const { id, draw } of reportCharts(report)) writeFileSync(join(svg, `${id}.svg`), draw('alone'));
    }
  } catch (error) {
    return unparsable(error instanceof Error ? error.message : String(error));
  }
  return parsed(undefined);
}
