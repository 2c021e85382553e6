/** A line on a terminal that shows how far all runs together are, painted over in place and gone at the end. */
import type { WriteStream } from 'node:tty';
import { type Line, paint, piece } from '../demo/painting.ts';

const barWidth = 30;
const usualWidth = 80;
const repaintMs = 100;
const clearLine = '\r\x1b[K';

export interface Progress {
  /** Of all runs, 0 to 1. */
  readonly part: number;
  readonly runsDone: number;
  readonly runs: number;
  readonly elapsedMs: number;
}

/** Time left is what is left at the pace so far; it is told once there is a pace. */
export function progressLine({ part, runsDone, runs, elapsedMs }: Progress): Line {
  const full = Math.min(barWidth, Math.floor(part * barWidth));
  const leftSeconds = part > 0.02 ? Math.ceil(((elapsedMs / part) * (1 - part)) / 1000) : undefined;
  return [
    piece('█'.repeat(full), 'bar'),
    piece('░'.repeat(barWidth - full), 'faint'),
    piece(` ${String(Math.floor(part * 100)).padStart(3)} %`, 'strong'),
    piece(`  ${runsDone} of ${runs} ${runs === 1 ? 'run' : 'runs'}`),
    ...(leftSeconds === undefined ? [] : [piece(`  ${durationText(leftSeconds)} left`, 'faint')]),
  ];
}

export function durationText(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} min`;
}

export class ProgressBar {
  readonly #out: Pick<WriteStream, 'columns' | 'write'>;
  readonly #colours: boolean;
  readonly #nowMs: () => number;
  readonly #startedMs: number;
  #paintedMs = -Infinity;

  constructor(out: Pick<WriteStream, 'columns' | 'write'>, colours: boolean, nowMs: () => number) {
    this.#out = out;
    this.#colours = colours;
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
  }

  show(progress: Omit<Progress, 'elapsedMs'>): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#paintedMs < repaintMs) return;
    this.#paintedMs = nowMs;
    const line = progressLine({ ...progress, elapsedMs: nowMs - this.#startedMs });
    // Some terminals do not say how wide they are.
    const width = this.#out.columns > 0 ? this.#out.columns : usualWidth;
    // The last column stays empty, where some terminals break the line.
    this.#out.write(`${clearLine}${paint(line, width - 1, this.#colours)}`);
  }

  /** May be called without a line on the screen. */
  clear(): void {
    if (this.#paintedMs > -Infinity) this.#out.write(clearLine);
  }
}
