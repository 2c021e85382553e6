/** What the server under test tells about its verbs between two moments, from its own page of metrics. */
import { seriesValue } from '../../test/e2e/harness/metrics-page.ts';

const verbs = {
  filter: 'tessera_filter_duration_seconds',
  prioritize: 'tessera_prioritize_duration_seconds',
  bind: 'tessera_bind_duration_seconds',
  'waiting at the gate': 'tessera_bind_gate_wait_seconds',
};

export class VerbTimes {
  readonly #url: string;
  readonly #before: string;

  private constructor(url: string, before: string) {
    this.#url = url;
    this.#before = before;
  }

  /** Undefined where there is no such server. */
  static async begin(metricsUrl: string | undefined): Promise<VerbTimes | undefined> {
    return metricsUrl === undefined ? undefined : new VerbTimes(metricsUrl, await pageOf(metricsUrl));
  }

  /** The mean of every verb, for people. */
  async end(): Promise<string> {
    const after = await pageOf(this.#url);
    return Object.entries(verbs)
      .map(([what, histogram]) => {
        const grown = (part: 'sum' | 'count') =>
          seriesValue(after, `${histogram}_${part}`) - seriesValue(this.#before, `${histogram}_${part}`);
        const calls = grown('count');
        return `${what} ${calls === 0 ? '-' : ((grown('sum') * 1000) / calls).toFixed(2)} ms`;
      })
      .join(', ');
  }
}

async function pageOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}
