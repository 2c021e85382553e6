import { describe, expect, it } from '@jest/globals';
import { ManualClock } from './manual-clock.ts';

describe('ManualClock', () => {
  it('fires timers by due time, equals in the order they were set, and shows each its own time', () => {
    const clock = new ManualClock(1000);
    const seen: string[] = [];
    const note = (name: string) => () => {
      seen.push(`${name}@${clock.nowMs()}`);
    };
    clock.after(30, note('late'));
    clock.after(10, note('first'));
    clock.after(10, note('second'));
    clock.after(31, note('never'));
    clock.advance(30);
    expect(seen).toEqual(['first@1010', 'second@1010', 'late@1030']);
    expect(clock.nowMs()).toBe(1030);
    expect(clock.pending).toBe(1);
  });

  it('fires a timer that an action sets within the same advance', () => {
    const clock = new ManualClock(0);
    const seen: number[] = [];
    clock.after(10, () => {
      clock.after(5, () => seen.push(clock.nowMs()));
      clock.after(50, () => seen.push(clock.nowMs()));
    });
    clock.advance(20);
    expect(seen).toEqual([15]);
  });

  it('never fires a cancelled timer, and cancelling twice is harmless', () => {
    const clock = new ManualClock();
    let fired = 0;
    const cancel = clock.after(1, () => (fired += 1));
    cancel();
    cancel();
    clock.advance(10);
    expect(fired).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
