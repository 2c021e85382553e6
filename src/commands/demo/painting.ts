/** Colours and widths of terminal text. Pure: what is painted is a list of pieces, and only `paint` knows escape codes. */

export type Tone = 'plain' | 'strong' | 'faint' | 'bar' | 'good' | 'notice' | 'bad';

export interface Piece {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Piece[];

export function piece(text: string, tone: Tone = 'plain'): Piece {
  return { text, tone };
}

/** ANSI "select graphic rendition" codes: the terminal's own colours, which its owner has made readable. */
const codes: Readonly<Record<Tone, string>> = {
  plain: '',
  strong: '1',
  faint: '2',
  bar: '36',
  good: '32',
  notice: '33',
  bad: '31',
};

/** The line cut to `width` characters, with colours if wanted. Every character used here is one column wide. */
export function paint(line: Line, width: number, colours: boolean): string {
  let left = width;
  let painted = '';
  for (const { text, tone } of line) {
    const shown = cut(text, left);
    left -= shown.length;
    painted += colours && codes[tone] !== '' && shown !== '' ? `\x1b[${codes[tone]}m${shown}\x1b[0m` : shown;
    if (left === 0) break;
  }
  return painted;
}

/** The text in at most `width` characters; what is cut ends in an ellipsis. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 0 ? '' : `${text.slice(0, width - 1)}…`;
}

/** The text in exactly `width` characters. */
export function column(text: string, width: number): string {
  return cut(text, width).padEnd(width);
}
