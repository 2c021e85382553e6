/**
 * Allocation over a trace's own time: what pods hold between coming and leaving, summed up. Time ends with the last
 * arrival, because a trace says nothing of who would have come later.
 */
import type { NodeView } from '../../model/node-view.ts';
import { heldMilli, usedMilli } from '../../simulator/card-shares.ts';
import type { Arrival, ReplayResult } from '../../simulator/replay.ts';
import type { TimedFigures } from './run-report.ts';

const spanCount = 240;

interface Change {
  readonly atSeconds: number;
  readonly milli: number;
}

/** All zero for a cluster without cards or a trace without time. */
export function timedFigures(
  views: readonly NodeView[],
  arrivals: readonly Arrival[],
  { capacityMilli, placements }: ReplayResult,
): TimedFigures {
  const start = arrivals[0]?.atSeconds ?? 0;
  const end = arrivals.at(-1)?.atSeconds ?? 0;
  const spanSeconds = (end - start) / spanCount;
  const ofCluster = (milli: number) => (capacityMilli === 0 ? 0 : (milli / capacityMilli) * 100);
  let held = usedMilli(views);
  let peak = held;
  let at = start;
  /** Thousandths of a card, times seconds, by span. */
  const bySpan = new Array<number>(spanCount).fill(0);
  const holdUntil = (seconds: number) => {
    if (spanSeconds === 0) return;
    for (let span = Math.floor((at - start) / spanSeconds); span < spanCount; span += 1) {
      const spanStart = start + span * spanSeconds;
      if (spanStart >= seconds) break;
      const overlap = Math.min(seconds, spanStart + spanSeconds) - Math.max(at, spanStart);
      bySpan[span] = (bySpan[span] ?? 0) + held * Math.max(0, overlap);
    }
    at = seconds;
  };
  for (const { atSeconds, milli } of changesOf(views, arrivals, placements)) {
    if (atSeconds > end) break;
    holdUntil(atSeconds);
    held += milli;
    peak = Math.max(peak, held);
  }
  holdUntil(end);
  const spans = bySpan.map((sum, index) => ({
    atSeconds: (index + 1) * spanSeconds,
    allocatedPercent: ofCluster(spanSeconds === 0 ? held : sum / spanSeconds),
  }));
  return {
    peakPercent: ofCluster(peak),
    meanPercent: spans.reduce((sum, { allocatedPercent }) => sum + allocatedPercent, 0) / spanCount,
    spans,
  };
}

/** By time; of one moment, those who leave first, as in the replay. */
function changesOf(
  views: readonly NodeView[],
  arrivals: readonly Arrival[],
  placements: ReplayResult['placements'],
): readonly Change[] {
  const changes: Change[] = [];
  for (const [index, placement] of placements.entries()) {
    const arrival = arrivals[index];
    const view = placement.ok ? views[placement.node] : undefined;
    if (!placement.ok || arrival === undefined || view === undefined) continue;
    const milli = heldMilli(placement.allocation, view);
    changes.push({ atSeconds: arrival.atSeconds, milli });
    if (arrival.untilSeconds !== undefined) changes.push({ atSeconds: arrival.untilSeconds, milli: -milli });
  }
  return changes.sort((a, b) => a.atSeconds - b.atSeconds || a.milli - b.milli);
}
