/** Reads a page in Prometheus' text format. */
import { parsePage, type Sample } from '../../telemetry/exposition-page.ts';

/**
 * The value of one series, 0 where the page has none.
 *
 * @param series with its labels as the page writes them, e.g. `tessera_binds_total{result="bound"}`
 */
export function seriesValue(page: string, series: string): number {
  const line = page.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

/** All samples of HAMi's metrics, in an order of their own: that of a page says nothing. */
export function hamiSamples(page: string): readonly Sample[] {
  const textOf = ({ name, labels }: Sample) => JSON.stringify([name, Object.entries(labels).sort()]);
  return parsePage(page)
    .flatMap(({ name, samples }) => (name.startsWith('hami_') ? samples : []))
    .sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}
