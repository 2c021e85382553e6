/** What audits of the ledger leave on the metrics page. */
import { describe, expect, it } from '@jest/globals';
import { auditReports } from '../../src/commands/audit-reports.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { metricValue } from '../http/served-app.ts';

const drifted = {
  kind: 'complete',
  drift: [
    { kind: 'leaked', object: 'a/b', left: undefined },
    { kind: 'altered', object: 'a/c', left: 'only the leader writes to pods' },
  ],
  notLookedInto: 0,
  tookMs: 1500,
} as const;
const clean = { kind: 'complete', drift: [], notLookedInto: 0, tookMs: 250 } as const;
const failed = { kind: 'failed', problem: 'no answer', drift: [], tookMs: 10 } as const;

function reporting() {
  const metrics = makeMetrics({ processMetrics: false });
  const report = auditReports(metrics, () => 60_000);
  const valueOf = (name: string) => metricValue(metrics, `tessera_ledger_${name}`);
  return { report, valueOf };
}

describe('the metrics of ledger audits', () => {
  it('show nothing of audits before the first, and repairs from 0', async () => {
    const { valueOf } = reporting();
    expect(await valueOf('drift{kind="leaked"}')).toBeUndefined();
    expect(await valueOf('audit_last_timestamp_seconds')).toBeUndefined();
    expect(await valueOf('repairs_total{kind="leaked"}')).toBe(0);
  });

  it('show the drift that the last audit found, and count what was mended', async () => {
    const { report, valueOf } = reporting();
    report(drifted);
    expect(await valueOf('drift{kind="leaked"}')).toBe(1);
    expect(await valueOf('drift{kind="altered"}')).toBe(1);
    expect(await valueOf('drift{kind="sums"}')).toBe(0);
    report(clean);
    expect(await valueOf('drift{kind="leaked"}')).toBe(0);
    expect(await valueOf('repairs_total{kind="leaked"}')).toBe(1);
    expect(await valueOf('repairs_total{kind="altered"}')).toBe(0);
    expect(await valueOf('audits_total{result="drift"}')).toBe(1);
    expect(await valueOf('audits_total{result="clean"}')).toBe(1);
    expect(await valueOf('audit_last_timestamp_seconds')).toBe(60);
    expect(await valueOf('audit_last_duration_seconds')).toBe(0.25);
  });

  it('keep what is known when an audit breaks off, and count what it had mended', async () => {
    const { report, valueOf } = reporting();
    report(clean);
    report({ ...failed, drift: drifted.drift });
    expect(await valueOf('drift{kind="leaked"}')).toBe(0);
    expect(await valueOf('repairs_total{kind="leaked"}')).toBe(1);
    expect(await valueOf('audits_total{result="failed"}')).toBe(1);
    expect(await valueOf('audit_last_duration_seconds')).toBe(0.25);
  });
});
