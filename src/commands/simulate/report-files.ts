/** The files of a report that were asked for: curves, charts, a page. */
import { accessSync, constants, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
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

/** Looks at the places of the files before anything is run for them; a directory of charts is made. */
export function checkReportFiles({ csv, svg, report }: ReportFiles): Parsed<undefined> {
  for (const file of [csv, report]) {
    if (file === undefined) continue;
    try {
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) {
        return cannotBeWritten(file, 'it is a directory');
      }
      accessSync(dirname(resolve(file)), constants.W_OK);
    } catch (error) {
      return cannotBeWritten(file, reasonOf(error));
    }
  }
  if (svg === undefined) return parsed(undefined);
  try {
    mkdirSync(svg, { recursive: true });
  } catch (error) {
    return cannotBeWritten(svg, reasonOf(error));
  }
  return parsed(undefined);
}

function cannotBeWritten(path: string, reason: string): Parsed<undefined> {
  return unparsable(`${path}: cannot be written: ${reason}`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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
    return unparsable(`a file cannot be written: ${reasonOf(error)}`);
  }
  return parsed(undefined);
}
