/** Reads single numbers from a page in Prometheus' text format. */

/**
 * The value of one series, 0 where the page has none.
 *
 * @param series with its labels as the page writes them, e.g. `tessera_binds_total{result="bound"}`
 */
export function seriesValue(page: string, series: string): number {
  const line = page.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}
