/**
 * The sign of life of plugins up to v2.7 (spec §2.1): Go's way of printing the time, the running time of the process
 * behind it. The scheduler may turn it into `Requesting_…`; the plugin never looks, and writes it anew.
 */

/** How often the plugin says that it lives. */
export const handshakePeriodMs = 30_000;

/** @param startedMs when the plugin's process began */
export function formatHandshake(nowMs: number, startedMs: number): string {
  const [date = '', time = ''] = new Date(nowMs).toISOString().replace('Z', '').split('T');
  // Go leaves out the zeros at the end of a fraction.
  const wall = time.replace(/\.?0*$/, '');
  const running = nowMs - startedMs;
  const seconds = Math.floor(running / 1000);
  const nanoseconds = String((running - seconds * 1000) * 1e6).padStart(9, '0');
  return `Reported ${date} ${wall} +0000 UTC m=+${seconds}.${nanoseconds}`;
}
