/** The machine's own clocks. Their timers never keep the process alive: what waits on one is already being served. */
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

/**
 * Counts on from the time at which the process started, whatever is done to the machine's clock since: for what must
 * last as long as it says. It stands still while the whole machine does.
 */
export const steadyClock: Clock = {
  ...systemClock,
  nowMs: () => Math.floor(performance.timeOrigin + performance.now()),
};
