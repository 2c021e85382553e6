/** Tables of figures, the same for the terminal and for the page: words in cells, and which columns stand right. */

export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

export interface Column {
  readonly name: string;
  readonly align: 'left' | 'right';
}

export const missing = '–';

export function wordColumn(name: string): Column {
  return { name, align: 'left' };
}

export function figureColumn(name: string): Column {
  return { name, align: 'right' };
}

/** Columns two spaces apart; ends in a line break. */
export function tableText({ caption, columns, rows }: Table): string {
  const widths = columns.map(({ name }, index) =>
    Math.max(name.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    columns
      .map(({ align }, index) => {
        const [cell = '', width = 0] = [cells[index], widths[index]];
        return align === 'left' ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd();
  return `${[caption, line(columns.map(({ name }) => name)), ...rows.map(line)].join('\n')}\n`;
}
