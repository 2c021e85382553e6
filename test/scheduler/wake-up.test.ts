import { describe, expect, it } from '@jest/globals';
import { WakeUp } from '../../src/scheduler/wake-up.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { flush } from './support/scheduler-world.ts';

function waking() {
  const clock = new ManualClock();
  const nudged: string[] = [];
  /** Whether the next nudges work. */
  const api = { works: true };
  const wakeUp = new WakeUp({
    clock,
    nudge: (node) => {
      nudged.push(node);
      return Promise.resolve(api.works);
    },
  });
  return { clock, nudged, wakeUp, api };
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

  it('looks back for minutes when a watch was lost a moment ago', () => {
    const { clock, nudged, wakeUp } = waking();
    wakeUp.refused();
    clock.advance(200_000);
    wakeUp.interrupted();
    clock.advance(30_000);
    wakeUp.released('n1');
    clock.advance(200);
    expect(nudged).toEqual(['n1']);
    clock.advance(60_000);
    wakeUp.released('n1');
    clock.advance(200);
    expect(nudged).toEqual(['n1']);
  });

  it('tries again, less and less often, until it has worked', async () => {
    const { clock, nudged, wakeUp, api } = waking();
    api.works = false;
    wakeUp.nudgeSoon('n1');
    clock.advance(200);
    for (const waitMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      await flush();
      const before = nudged.length;
      clock.advance(waitMs - 1);
      expect(nudged).toHaveLength(before);
      clock.advance(1);
      expect(nudged).toHaveLength(before + 1);
    }
    api.works = true;
    await flush();
    clock.advance(30_000);
    await flush();
    clock.advance(600_000);
    expect(nudged).toHaveLength(9);
  });

  it('takes a later release for the next attempt', async () => {
    const { clock, nudged, wakeUp, api } = waking();
    api.works = false;
    wakeUp.nudgeSoon('n1');
    clock.advance(200);
    api.works = true;
    wakeUp.nudgeSoon('n2');
    await flush();
    clock.advance(10_000);
    expect(nudged).toEqual(['n1', 'n2']);
  });
});
