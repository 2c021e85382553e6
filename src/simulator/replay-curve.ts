/**
 * Allocation and fragmentation over arrived demand, as the published experiments report them: the figure at x percent
 * is the mean over the events whose arrived demand rounds to x percent of the cluster.
 */
export interface CurvePoint {
  /** Whole percent of the cluster's cards that have been asked for. */
  readonly arrivedPercent: number;
  /** Percent of the cluster's cards that pods hold. */
  readonly allocatedPercent: number;
  /** Idle cards that the expected workload cannot use, in percent of the cluster's cards. */
  readonly fragmentedPercent: number;
  /** The same in percent of the idle cards; 0 where nothing is idle. */
  readonly fragmentationRate: number;
}

interface Sums {
  events: number;
  allocated: number;
  fragmented: number;
  rate: number;
}

export class ReplayCurve {
  readonly capacityMilli: number;
  /** Of the cluster as it is now. */
  fragmentedMilli = 0;
  /** The same of its idle cards; absent: whatever pods do not hold. */
  idleMilli: number | undefined;
  readonly #points = new Map<number, Sums>();

  constructor(capacityMilli: number) {
    this.capacityMilli = capacityMilli;
  }

  note(arrivedMilli: number, allocatedMilli: number): void {
    if (this.capacityMilli === 0) return;
    const percent = Math.round((arrivedMilli / this.capacityMilli) * 100);
    const idleMilli = this.idleMilli ?? this.capacityMilli - allocatedMilli;
    const point = this.#points.get(percent) ?? { events: 0, allocated: 0, fragmented: 0, rate: 0 };
    point.events += 1;
    point.allocated += allocatedMilli;
    point.fragmented += this.fragmentedMilli;
    point.rate += idleMilli <= 0 ? 0 : this.fragmentedMilli / idleMilli;
    this.#points.set(percent, point);
  }

  points(): readonly CurvePoint[] {
    const ofCluster = (sum: number, events: number) => (sum / events / this.capacityMilli) * 100;
    return [...this.#points]
      .sort(([a], [b]) => a - b)
      .map(([arrivedPercent, { events, allocated, fragmented, rate }]) => ({
        arrivedPercent,
        allocatedPercent: ofCluster(allocated, events),
        fragmentedPercent: ofCluster(fragmented, events),
        fragmentationRate: (rate / events) * 100,
      }));
  }
}
