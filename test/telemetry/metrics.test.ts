import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { makeMetrics } from '../../src/telemetry/metrics.ts';

/** The value of each series by its text, e.g. `tessera_synced`. */
async function samples(metrics: ReturnType<typeof makeMetrics>): Promise<ReadonlyMap<string, number>> {
  const lines = (await metrics.render()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

describe('makeMetrics', () => {
  it('lists every metric of ours, and only under our prefix', async () => {
    const page = await makeMetrics({ processMetrics: false }).render();
    const names = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name!} ${type!}`);
    expect(names.sort()).toEqual([
      'tessera_admission_duration_seconds histogram',
      'tessera_admissions_total counter',
      'tessera_bind_duration_seconds histogram',
      'tessera_bind_gate_wait_seconds histogram',
      'tessera_binds_total counter',
      'tessera_certificate_expiry_timestamp_seconds gauge',
      'tessera_devices gauge',
      'tessera_filter_duration_seconds histogram',
      'tessera_fragmentation_ratio gauge',
      'tessera_fragmented_cards gauge',
      'tessera_http_oversized_total counter',
      'tessera_leader gauge',
      'tessera_ledger_audit_last_duration_seconds gauge',
      'tessera_ledger_audit_last_timestamp_seconds gauge',
      'tessera_ledger_audits_total counter',
      'tessera_ledger_drift gauge',
      'tessera_ledger_entries gauge',
      'tessera_ledger_foreign gauge',
      'tessera_ledger_repairs_total counter',
      'tessera_malformed_total counter',
      'tessera_nodes gauge',
      'tessera_nodes_closed gauge',
      'tessera_outside_sample_total counter',
      'tessera_preempt_duration_seconds histogram',
      'tessera_prioritize_duration_seconds histogram',
      'tessera_prioritize_failed_total counter',
      'tessera_refusals_total counter',
      'tessera_strays_total counter',
      'tessera_synced gauge',
      'tessera_useless_cards gauge',
      'tessera_watch_signals_total counter',
    ]);
  });

  it('tells of the process too, the delay of the event loop included', async () => {
    const page = await makeMetrics().render();
    expect(page).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(page).toContain('process_resident_memory_bytes');
  });

  it('begins results and kinds at 0', async () => {
    const values = await samples(makeMetrics({ processMetrics: false }));
    expect(values.get('tessera_binds_total{result="failed"}')).toBe(0);
    expect(values.get('tessera_admissions_total{result="denied"}')).toBe(0);
    expect(values.get('tessera_malformed_total{kind="register"}')).toBe(0);
    expect(values.get('tessera_synced')).toBe(0);
  });

  it('shows no end of a certificate until there is one', async () => {
    const metrics = makeMetrics({ processMetrics: false });
    const series = 'tessera_certificate_expiry_timestamp_seconds';
    expect((await samples(metrics)).has(series)).toBe(false);
    metrics.certificateExpirySeconds.set(1_800_000_000);
    expect((await samples(metrics)).get(series)).toBe(1_800_000_000);
  });

  it('counts and measures', async () => {
    const metrics = makeMetrics({ processMetrics: false });
    metrics.refusals.inc({ reason: 'CardInsufficientMemory' }, 3);
    metrics.binds.inc({ result: 'bound' });
    metrics.filterSeconds.observe(0.0004);
    metrics.bindGateWaitSeconds.observe(25);
    const values = await samples(metrics);
    expect(values.get('tessera_refusals_total{reason="CardInsufficientMemory"}')).toBe(3);
    expect(values.get('tessera_binds_total{result="bound"}')).toBe(1);
    expect(values.get('tessera_filter_duration_seconds_bucket{le="0.0005"}')).toBe(1);
    expect(values.get('tessera_bind_gate_wait_seconds_bucket{le="20"}')).toBe(0);
    expect(values.get('tessera_bind_gate_wait_seconds_bucket{le="30"}')).toBe(1);
  });

  it('asks the state anew for every page', async () => {
    const metrics = makeMetrics({ processMetrics: false });
    let bound = 1;
    metrics.onRender(() => {
      metrics.ledgerEntries.reset();
      if (bound > 0) metrics.ledgerEntries.set({ state: 'bound' }, bound);
    });
    expect((await samples(metrics)).get('tessera_ledger_entries{state="bound"}')).toBe(1);
    bound = 0;
    expect((await samples(metrics)).has('tessera_ledger_entries{state="bound"}')).toBe(false);
  });

  it('waits for what takes its time', async () => {
    const metrics = makeMetrics({ processMetrics: false });
    metrics.onRender(async () => {
      await nextTurn();
      metrics.synced.set(1);
    });
    expect((await samples(metrics)).get('tessera_synced')).toBe(1);
  });

  it.each([
    {
      name: 'at once',
      refresh: () => {
        throw new Error('no state');
      },
    },
    { name: 'in the end', refresh: () => Promise.reject(new Error('no state')) },
  ])('gives no page rather than one of old numbers, where a look fails $name', async ({ refresh }) => {
    const metrics = makeMetrics({ processMetrics: false });
    metrics.onRender(refresh);
    await expect(metrics.render()).rejects.toThrow('no state');
  });

  it('shares nothing between two apps', async () => {
    const [one, other] = [makeMetrics(), makeMetrics()];
    one.oversized.inc();
    expect((await samples(one)).get('tessera_http_oversized_total')).toBe(1);
    expect((await samples(other)).get('tessera_http_oversized_total')).toBe(0);
  });

  it('names the type of its page', () => {
    expect(makeMetrics({ processMetrics: false }).contentType).toMatch(/^text\/plain; version=/);
  });
});
