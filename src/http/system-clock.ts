/** The machine's own clock. Its timers never keep the process alive: what waits on one is already being served. */
import type { Clock } from '../model/clock.ts';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
