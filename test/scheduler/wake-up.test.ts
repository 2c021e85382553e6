import { describe, expect, it } from '@jest/globals';
import { WakeUp } from '../../src/scheduler/wake-up.ts';
import { ManualClock } from '../support/manual-clock.ts';

function waking() {
  const clock = new ManualClock();
  const nudged: string[] = [];
  const wakeUp = new WakeUp({ clock, nudge: (node) => nudged.push(node) });
  return { clock, nudged, wakeUp };
}

describe('waking refused pods', () => {
  it('changes the node shortly after a release that follows a refusal', () => {
    const { clock, nudged, wakeUp } = waking();
    wakeUp.refused();
    clock.advance(5000);
    wakeUp.released('n1');
    clock.advance(199);
    expect(nudged).toEqual([]);
    clock.advance(1);
    expect(nudged).toEqual(['n1']);
    expect(clock.pending).toBe(0);
  });

  it('leaves everybody asleep when the last refusal is long ago, or there was none', () => {
    const { clock, nudged, wakeUp } = waking();
    wakeUp.released('n1');
    wakeUp.refused();
    clock.advance(5001);
    wakeUp.released('n1');
    clock.advance(10_000);
    expect(nudged).toEqual([]);
  });

  it('makes one change for releases that come together, and another for later ones', () => {
    const { clock, nudged, wakeUp } = waking();
    wakeUp.refused();
    wakeUp.released('n1');
    clock.advance(100);
    wakeUp.released('n1');
    wakeUp.released('n2');
    clock.advance(1000);
    // The latest release: its node is the likeliest still to be there.
    expect(nudged).toEqual(['n2']);
    wakeUp.released('n1');
    clock.advance(200);
    expect(nudged).toEqual(['n2', 'n1']);
  });
});
