/**
 * Values as Go programs read them from flags and variables: durations (`5m`, `1h30m`, `1.5s`) and booleans (`1`, `t`,
 * `TRUE`). What Go would refuse is refused.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const part = String.raw`(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)`;
/** What 64 bits hold of nanoseconds. */
const longestMs = 2 ** 63 / 1e6;
const wholeDuration = new RegExp(`^([-+]?)((?:${part})+|0)$`);

/** Milliseconds, negative ones too. Never throws. */
export function parseGoDuration(text: string): Parsed<number> {
  const [matched, sign, amount = ''] = wholeDuration.exec(text) ?? [];
  const refusal = unparsable(`${JSON.stringify(text)} is not a duration such as 5m or 1h30m`);
  if (matched === undefined) return refusal;
  let totalMs = 0;
  for (const [, count, unit = ''] of amount.matchAll(new RegExp(part, 'g'))) {
    totalMs += Number(count) * (unitMs[unit] ?? 0);
  }
  if (totalMs >= longestMs) return refusal;
  return parsed(sign === '-' ? -totalMs : totalMs);
}

const truths: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const falsehoods: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

export function parseGoBool(text: string): Parsed<boolean> {
  if (truths.has(text)) return parsed(true);
  return falsehoods.has(text)
    ? parsed(false)
    : unparsable(`${JSON.stringify(text)} is neither true nor false`);
}
