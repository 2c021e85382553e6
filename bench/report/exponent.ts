/** How a cost grows: the exponent of the power law through some points, by least squares of their logarithms. */

export interface CostPoint {
  /** Positive. */
  readonly size: number;
  /** Positive. */
  readonly cost: number;
}

/** 0 for a cost that does not grow, 1 for one that grows with the size; NaN for fewer than two sizes. */
export function fittedExponent(points: readonly CostPoint[]): number {
  const logs = points.map(({ size, cost }) => ({ x: Math.log(size), y: Math.log(cost) }));
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = meanOf(logs.map(({ x }) => x));
  const meanY = meanOf(logs.map(({ y }) => y));
  const spread = logs.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return logs.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
}
