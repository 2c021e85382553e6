/** Ages as `kubectl` shows them: two or three significant figures (k8s.io/apimachinery `pkg/util/duration`). */

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

interface Range {
  /** Applies below this many seconds. */
  readonly below: number;
  readonly unit: readonly [seconds: number, letter: string];
  /** A second, smaller figure, left out when 0. */
  readonly rest?: readonly [seconds: number, letter: string];
}

const ranges: readonly Range[] = [
  { below: 2 * minute, unit: [1, 's'] },
  { below: 10 * minute, unit: [minute, 'm'], rest: [1, 's'] },
  { below: 3 * hour, unit: [minute, 'm'] },
  { below: 8 * hour, unit: [hour, 'h'], rest: [minute, 'm'] },
  { below: 2 * day, unit: [hour, 'h'] },
  { below: 8 * day, unit: [day, 'd'], rest: [hour, 'h'] },
  { below: 2 * year, unit: [day, 'd'] },
  { below: 8 * year, unit: [year, 'y'], rest: [day, 'd'] },
  { below: Number.POSITIVE_INFINITY, unit: [year, 'y'] },
];

/** `1h23m` of a duration in seconds. A clock that runs a second behind reads 0s; beyond that `<invalid>`. */
export function humanDuration(seconds: number): string {
  const whole = Math.trunc(seconds);
  if (whole < -1) return '<invalid>';
  if (whole < 0) return '0s';
  const range = ranges.find(({ below }) => whole < below);
  if (range === undefined) return '<unknown>';
  const { unit, rest } = range;
  const text = `${Math.floor(whole / unit[0])}${unit[1]}`;
  const remainder = rest === undefined ? 0 : Math.floor((whole % unit[0]) / rest[0]);
  return remainder === 0 ? text : `${text}${remainder}${rest?.[1] ?? ''}`;
}

/** The age of an RFC 3339 time; `<unknown>` when it is none. */
export function ageText(time: string, nowMs: number): string {
  const thenMs = Date.parse(time);
  return Number.isNaN(thenMs) ? '<unknown>' : humanDuration((nowMs - thenMs) / 1000);
}
