/**
 * The live screen: the terminal's second page, painted over in place about once a second and after a change of size.
 * What stood on the first page is there again when it closes, however the process ends.
 */
import type { WriteStream } from 'node:tty';
import type { FrameContent } from './frame.ts';
import { frameLines } from './frame.ts';
import { paint } from './painting.ts';

/** DEC private modes: the second page, and the cursor. */
const open = '\x1b[?1049h\x1b[?25l';
const close = '\x1b[?25h\x1b[?1049l';
const home = '\x1b[H';
const clearToLineEnd = '\x1b[K';
const clearBelow = '\x1b[J';

export class Screen {
  readonly #out: WriteStream;
  readonly #colours: boolean;
  #content: FrameContent | undefined;
  #isOpen = false;
  readonly #repaint = () => {
    this.#paint();
  };
  readonly #close = () => {
    this.close();
  };

  constructor(out: WriteStream, colours: boolean) {
    this.#out = out;
    this.#colours = colours;
  }

  open(): void {
    this.#isOpen = true;
    this.#out.write(open);
    this.#out.on('resize', this.#repaint);
    process.once('exit', this.#close);
  }

  show(content: FrameContent): void {
    this.#content = content;
    this.#paint();
  }

  /** May be called twice. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#out.off('resize', this.#repaint);
    process.off('exit', this.#close);
    this.#out.write(close);
  }

  #paint(): void {
    if (!this.#isOpen || this.#content === undefined) return;
    const { columns, rows } = this.#out;
    const lines = frameLines(this.#content, rows).map((line) => paint(line, columns, this.#colours));
    // One write, so that no half picture is seen; no line break after the last line, which would scroll.
    this.#out.write(`${home}${lines.join(`${clearToLineEnd}\r\n`)}${clearToLineEnd}${clearBelow}`);
  }
}
