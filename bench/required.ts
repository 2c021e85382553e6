import type { Parsed } from '../src/model/result.ts';

/** What cannot fail unless the benchmark itself is wrong. */
export function required<T>(result: Parsed<T>): T {
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}
