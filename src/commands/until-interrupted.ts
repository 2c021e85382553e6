/**
 * Waits for SIGINT or SIGTERM. A second interrupt within two seconds is the same one (npm forwards the terminal's);
 * a later one ends the process at once, for people whose patience is over.
 */
const sameInterruptMs = 2000;

export function untilInterrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      const now = performance.now();
      if (firstAt === undefined) {
        firstAt = now;
        resolve(signal);
      } else if (now - firstAt > sameInterruptMs) process.exit(130);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
