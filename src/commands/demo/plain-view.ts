/** The demo in a pipe or a log: how to talk to it, then a line for each change. */
import type { Clock } from '../../model/clock.ts';
import { changeText, shownName } from './change-texts.ts';
import { PlainLines } from './plain-lines.ts';
import type { BoardChange } from './pod-board.ts';
import { elapsedText } from './pod-texts.ts';
import type { View } from './view.ts';

export interface PlainViewOptions {
  readonly clock: Clock;
  readonly write: (line: string) => void;
  readonly help: readonly string[];
}

export class PlainView implements View {
  readonly #options: PlainViewOptions;
  readonly #lines: PlainLines;
  readonly #startedMs: number;

  constructor(options: PlainViewOptions) {
    this.#options = options;
    this.#lines = new PlainLines(options.clock, options.write);
    this.#startedMs = options.clock.nowMs();
  }

  open(): void {
    for (const line of this.#options.help) this.#options.write(`  ${line}`);
  }

  take(change: BoardChange): void {
    const at = elapsedText(change.atMs - this.#startedMs);
    this.#lines.add(`${at.padStart(6)}  ${shownName(change.entry)} ${changeText(change).text}`);
  }

  close(): Promise<void> {
    this.#lines.close();
    return Promise.resolve();
  }
}
