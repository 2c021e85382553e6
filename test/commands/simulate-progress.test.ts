/** The progress line of `tessera simulate`: what it says, and that a terminal is left as it was. */
import { describe, expect, it } from '@jest/globals';
import { durationText, ProgressBar, progressLine } from '../../src/commands/simulate/progress-bar.ts';

const textOf = (line: ReturnType<typeof progressLine>) => line.map(({ text }) => text).join('');

describe('the progress line', () => {
  it.each([
    { name: 'nothing, and no guess', part: 0, elapsedMs: 500, want: `${'░'.repeat(30)}   0 %  1 of 4 runs` },
    {
      name: 'half, and as long again',
      part: 0.5,
      elapsedMs: 5000,
      want: `${'█'.repeat(15)}${'░'.repeat(15)}  50 %  1 of 4 runs  5 s left`,
    },
    { name: 'all', part: 1, elapsedMs: 5000, want: `${'█'.repeat(30)} 100 %  1 of 4 runs  0 s left` },
  ])('says $name', ({ part, elapsedMs, want }) => {
    expect(textOf(progressLine({ part, runsDone: 1, runs: 4, elapsedMs }))).toBe(want);
  });

  it.each([
    { seconds: 59, want: '59 s' },
    { seconds: 61, want: '1 min 01 s' },
    { seconds: 3_660, want: '1 h 01 min' },
  ])('writes $seconds seconds as $want', ({ seconds, want }) => {
    expect(durationText(seconds)).toBe(want);
  });

  it('is painted over in place, at most ten times a second, without colours where none are wanted, and is gone at the end', () => {
    const written: string[] = [];
    let nowMs = 0;
    const out = { columns: 60, write: (text: string) => written.push(text) > 0 };
    const bar = new ProgressBar(out, false, () => nowMs);
    for (nowMs = 0; nowMs < 250; nowMs += 50) bar.show({ part: nowMs / 250, runsDone: 0, runs: 1 });
    bar.clear();
    expect(written).toHaveLength(4);
    for (const text of written) expect(text.startsWith('\r\x1b[K')).toBe(true);
    expect(written.at(-1)).toBe('\r\x1b[K');
    expect(written.join('')).not.toContain('\x1b[3');
  });

  it('fits a narrow terminal', () => {
    const written: string[] = [];
    const bar = new ProgressBar(
      { columns: 20, write: (text: string) => written.push(text) > 0 },
      false,
      () => 0,
    );
    bar.show({ part: 0.5, runsDone: 1, runs: 2 });
    expect(written[0]?.replace('\r\x1b[K', '')).toHaveLength(19);
  });

  it('writes nothing at the end when nothing was shown', () => {
    const written: string[] = [];
    new ProgressBar({ columns: 80, write: (text: string) => written.push(text) > 0 }, true, () => 0).clear();
    expect(written).toEqual([]);
  });
});
