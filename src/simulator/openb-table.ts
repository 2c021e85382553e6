/**
 * The CSV of the openb trace: one header line, then one row per line, no quotes. Columns are found by their names, and a
 * row that does not match the header refuses the text with its line: figures from half a trace would be wrong figures.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';

export interface OpenbRow {
  /** As an editor counts: the header is line 1. */
  readonly line: number;
  /** The cell of a column; empty where the table has no such column. */
  readonly cell: (column: string) => string;
}

export interface OpenbTable {
  readonly columns: readonly string[];
  readonly rows: readonly OpenbRow[];
}

/** The column names in the first line of a text. */
export function columnsOf(text: string): readonly string[] {
  const end = text.indexOf('\n');
  const header = end < 0 ? text : text.slice(0, end);
  return header.split(',').map((name) => name.trim());
}

/** Refuses a text without rows, one that lacks a wanted column, and a row of another length than the header. */
export function parseOpenbTable(text: string, wanted: readonly string[]): Parsed<OpenbTable> {
  const columns = columnsOf(text);
  const missing = wanted.filter((name) => !columns.includes(name));
  if (missing.length > 0)
    return unparsable(`line 1: no column ${missing.join(', ')}; wanted are ${wanted.join(',')}`);
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) return unparsable(`line 1: column ${twice} is there twice`);
  const position = new Map(columns.map((name, index) => [name, index]));
  const rows: OpenbRow[] = [];
  for (const [index, written] of text.split('\n').entries()) {
    const row = written.trim();
    if (index === 0 || row === '') continue;
    const line = index + 1;
    const cells = row.split(',');
    if (cells.length !== columns.length)
      return unparsable(`line ${line}: ${cells.length} cells; the header has ${columns.length} columns`);
    rows.push({ line, cell: (column) => (cells[position.get(column) ?? -1] ?? '').trim() });
  }
  return rows.length === 0 ? unparsable('no row below the header') : parsed({ columns, rows });
}

/** A whole number of 0 to `largest` in a cell. */
export function wholeNumber(row: OpenbRow, column: string, largest: number): Parsed<number> {
  const written = row.cell(column);
  const value = Number(written);
  return /^\d{1,15}$/.test(written) && value <= largest
    ? parsed(value)
    : unparsable(
        `line ${row.line}: ${column} is ${JSON.stringify(written)}; wanted is a whole number from 0 to ${largest}`,
      );
}

/** Something that names its row: not empty, and not there twice. `seen` remembers. */
export function uniqueName(row: OpenbRow, column: string, seen: Map<string, number>): Parsed<string> {
  const name = row.cell(column);
  if (name === '') return unparsable(`line ${row.line}: ${column} is empty`);
  const before = seen.get(name);
  if (before !== undefined)
    return unparsable(`line ${row.line}: ${column} ${name} is on line ${before} already`);
  seen.set(name, row.line);
  return parsed(name);
}
