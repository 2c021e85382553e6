/**
 * Arrivals and departures by the times in a trace. When another scheduler placed a pod says nothing here: a pod comes
 * when it was created, is tried once, and leaves when it was deleted.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import type { TracePod } from './openb-pods.ts';
import type { Arrival } from './replay.ts';

/** Seconds from the start of the trace; the end is no part of it. */
export interface TimeWindow {
  readonly fromSeconds: number;
  readonly untilSeconds: number;
}

/**
 * In order of time, equals in the order of the workload. Of a window the pods that are there at its beginning come first,
 * at once. Refuses a pod without a time of creation, and a window in which nobody comes.
 */
export function arrivalsByTime(pods: readonly TracePod[], window?: TimeWindow): Parsed<readonly Arrival[]> {
  const { fromSeconds = 0, untilSeconds = Infinity } = window ?? {};
  const arrivals: { readonly arrival: Arrival; readonly createdSeconds: number }[] = [];
  for (const [index, { pod, createdSeconds, deletedSeconds }] of pods.entries()) {
    if (createdSeconds === undefined)
      return unparsable(`pod ${pod.name} has no creation_time, so the workload has no times`);
    const isOver =
      deletedSeconds !== undefined && createdSeconds < fromSeconds && deletedSeconds <= fromSeconds;
    if (isOver || createdSeconds >= untilSeconds) continue;
    const arrival = {
      pod: index,
      atSeconds: Math.max(createdSeconds, fromSeconds),
      ...(deletedSeconds === undefined ? {} : { untilSeconds: deletedSeconds }),
    };
    arrivals.push({ arrival, createdSeconds });
  }
  if (arrivals.length === 0) return unparsable('no pod comes in that time');
  arrivals.sort((a, b) => a.createdSeconds - b.createdSeconds || a.arrival.pod - b.arrival.pod);
  return parsed(arrivals.map(({ arrival }) => arrival));
}
