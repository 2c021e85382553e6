/** What the ledger audits found, told in metrics. The auditor itself logs every difference with both sides. */
import type { LedgerAuditorOptions } from '../kubernetes/ledger-auditor.ts';
import { driftKinds } from '../state/ledger-audit.ts';
import type { Metrics } from '../telemetry/metrics.ts';

type AuditMetrics = Pick<
  Metrics,
  'ledgerAudits' | 'ledgerDrift' | 'ledgerRepairs' | 'ledgerAuditEnd' | 'ledgerAuditSeconds'
>;

export type AuditReported = NonNullable<LedgerAuditorOptions['onReport']>;

/** For the auditor, to be called after each audit at the end of which it stands; `nowMs` since the epoch. */
export function auditReports(metrics: AuditMetrics, nowMs: () => number): AuditReported {
  for (const kind of driftKinds) metrics.ledgerRepairs.inc({ kind }, 0);
  return (report) => {
    const { drift, tookMs } = report;
    for (const { kind, left } of drift) if (left === undefined) metrics.ledgerRepairs.inc({ kind });
    if (report.kind === 'failed') {
      metrics.ledgerAudits.inc({ result: 'failed' });
      return;
    }
    metrics.ledgerAudits.inc({ result: drift.length === 0 ? 'clean' : 'drift' });
    for (const kind of driftKinds) {
      metrics.ledgerDrift.set({ kind }, drift.filter((found) => found.kind === kind).length);
    }
    metrics.ledgerAuditEnd.set(nowMs() / 1000);
    metrics.ledgerAuditSeconds.set(tookMs / 1000);
  };
}
