/**
 * Every metric of the house, listed once, in a registry of its own: two apps in one process do not share numbers.
 * Counters and histograms are fed where things happen. Gauges that mirror state are set by functions that run when
 * the page is rendered, so nothing has to keep them current. No label of ours holds a name that a tenant chose. What
 * others add to the page as text stands behind these.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export const bindResults = ['bound', 'refused', 'failed'] as const;
export type BindResult = (typeof bindResults)[number];

export const admissionResults = ['allowed', 'mutated', 'denied', 'warned', 'failed'] as const;
export type AdmissionResult = (typeof admissionResults)[number];

export const malformedKinds = ['register', 'allocation', 'pod', 'node', 'quota', 'body'] as const;
export type MalformedKind = (typeof malformedKinds)[number];

/** What became of pods that were bound past us and waited for devices. */
export const strayOutcomes = ['started', 'started_under_lock', 'settled'] as const;
export type StrayOutcome = (typeof strayOutcomes)[number];

export const auditResults = ['clean', 'drift', 'failed'] as const;

/** Seconds, from a half millisecond to the longest verb deadline. */
const verbBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Binds may wait at a node's gate for almost kube-scheduler's whole time-out. */
const bindBuckets = [...verbBuckets, 20, 30];

export type Metrics = ReturnType<typeof makeMetrics>;

export interface MetricsOptions {
  /** CPU, memory, garbage collection and event-loop delay of this process; on unless told otherwise. */
  readonly processMetrics?: boolean;
}

export function makeMetrics({ processMetrics = true }: MetricsOptions = {}) {
  const registry = new Registry();
  const refreshers: (() => unknown)[] = [];
  const appendices: (() => AsyncIterable<string>)[] = [];
  /** Own metrics first. Throws if a refresher or an appendix does, for a page of old numbers would lie. */
  async function* page(): AsyncGenerator<string, void> {
    for (const refresh of refreshers) await refresh();
    yield await registry.metrics();
    for (const appendix of appendices) yield* appendix();
  }
  if (processMetrics) collectDefaultMetrics({ register: registry });

  return {
    ...makeCounters(registry),
    ...makeHistograms(registry),
    ...makeGauges(registry),
    contentType: registry.contentType,
    /**
     * Runs `refresh` before every rendering; it sets gauges from state. A promise is waited for, so that much work can
     * be done a little at a time; it must wait for nothing else.
     */
    onRender(refresh: () => unknown): void {
      refreshers.push(refresh);
    },
    /**
     * Puts more behind our own metrics: whole families in the text format, under names that nobody else has. It is
     * asked for every page and may take its time.
     */
    onPage(appendix: () => AsyncIterable<string>): void {
      appendices.push(appendix);
    },
    /** The page in Prometheus' text format, in parts: a large cluster's is too long to be made in one go. */
    page,
    /** The same in one text. */
    async render(): Promise<string> {
      const parts: string[] = [];
      for await (const part of page()) parts.push(part);
      return parts.join('');
    },
  } as const;
}

function makeCounters(registry: Registry) {
  const registers = [registry];
  return {
    refusals: new Counter({
      name: 'tessera_refusals_total',
      help: 'Nodes refused by filter, by reason code.',
      labelNames: ['reason'],
      registers,
    }),
    binds: countingFromZero(
      new Counter({
        name: 'tessera_binds_total',
        help: 'Binds: written, refused before the write, failed at it and rolled back.',
        labelNames: ['result'],
        registers,
      }),
      'result',
      bindResults,
    ),
    admissions: countingFromZero(
      new Counter({
        name: 'tessera_admissions_total',
        help: 'Admission reviews by outcome; a warned one is admitted with a warning, a failed one not understood.',
        labelNames: ['result'],
        registers,
      }),
      'result',
      admissionResults,
    ),
    malformed: countingFromZero(
      new Counter({
        name: 'tessera_malformed_total',
        help: 'Inputs that could not be decoded, by kind.',
        labelNames: ['kind'],
        registers,
      }),
      'kind',
      malformedKinds,
    ),
    oversized: new Counter({
      name: 'tessera_http_oversized_total',
      help: 'Requests refused because their body exceeds bodyLimitMiB.',
      registers,
    }),
    prioritizeFailed: new Counter({
      name: 'tessera_prioritize_failed_total',
      help: 'Prioritize calls answered with equal scores because of a failure or the deadline.',
      registers,
    }),
    watchSignals: new Counter({
      name: 'tessera_watch_signals_total',
      help: 'What happened to the watches on the API server, by feed and signal.',
      labelNames: ['feed', 'signal'],
      registers,
    }),
    strays: countingFromZero(
      new Counter({
        name: 'tessera_strays_total',
        help: 'Pods bound past us that waited for devices: started, started while the lock was another pod’s, settled.',
        labelNames: ['outcome'],
        registers,
      }),
      'outcome',
      strayOutcomes,
    ),
    ledgerAudits: countingFromZero(
      new Counter({
        name: 'tessera_ledger_audits_total',
        help: 'Audits of the ledger: without a difference, with some, and broken off.',
        labelNames: ['result'],
        registers,
      }),
      'result',
      auditResults,
    ),
    ledgerRepairs: new Counter({
      name: 'tessera_ledger_repairs_total',
      help: 'Differences between ledger and API server that audits have mended, by kind.',
      labelNames: ['kind'],
      registers,
    }),
    outsideSample: new Counter({
      name: 'tessera_outside_sample_total',
      help: 'Filter calls whose nodes all refuse while a node that was not named fits.',
      registers,
    }),
  };
}

function makeHistograms(registry: Registry) {
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    new Histogram({ name, help, buckets: [...buckets], registers: [registry] });
  return {
    filterSeconds: histogram('tessera_filter_duration_seconds', 'Time of filter calls.', verbBuckets),
    prioritizeSeconds: histogram(
      'tessera_prioritize_duration_seconds',
      'Time of prioritize calls.',
      verbBuckets,
    ),
    bindSeconds: histogram(
      'tessera_bind_duration_seconds',
      'Time of bind calls, waiting included.',
      bindBuckets,
    ),
    bindGateWaitSeconds: histogram(
      'tessera_bind_gate_wait_seconds',
      'Time that binds wait at the gate of their node.',
      bindBuckets,
    ),
    preemptSeconds: histogram('tessera_preempt_duration_seconds', 'Time of preempt calls.', verbBuckets),
    admissionSeconds: histogram(
      'tessera_admission_duration_seconds',
      'Time of admission reviews.',
      verbBuckets,
    ),
  };
}

function makeGauges(registry: Registry) {
  const registers = [registry];
  const certificateExpirySeconds = new Gauge({
    name: 'tessera_certificate_expiry_timestamp_seconds',
    help: 'When the serving certificate ends, in seconds since the epoch; absent while there is none.',
    registers,
  });
  // A gauge without labels starts at 0, which would read as a certificate that ended in 1970.
  certificateExpirySeconds.remove();
  const ledgerAuditEnd = new Gauge({
    name: 'tessera_ledger_audit_last_timestamp_seconds',
    help: 'When the last complete audit of the ledger ended, in seconds since the epoch; absent before the first.',
    registers,
  });
  ledgerAuditEnd.remove();
  const ledgerAuditSeconds = new Gauge({
    name: 'tessera_ledger_audit_last_duration_seconds',
    help: 'Time that the last complete audit of the ledger took, waiting for the watch included.',
    registers,
  });
  ledgerAuditSeconds.remove();
  return {
    ledgerEntries: new Gauge({
      name: 'tessera_ledger_entries',
      help: 'Allocations in the ledger, by state.',
      labelNames: ['state'],
      registers,
    }),
    ledgerDrift: new Gauge({
      name: 'tessera_ledger_drift',
      help: 'Differences between ledger and API server that the last complete audit found, by kind. Must be 0.',
      labelNames: ['kind'],
      registers,
    }),
    ledgerAuditEnd,
    ledgerAuditSeconds,
    ledgerForeign: new Gauge({
      name: 'tessera_ledger_foreign',
      help: 'Allocations in the ledger that were not written by us and are charged by their own request.',
      registers,
    }),
    nodes: new Gauge({
      name: 'tessera_nodes',
      help: 'Nodes in the device-state cache, by state.',
      labelNames: ['state'],
      registers,
    }),
    nodesClosed: new Gauge({
      name: 'tessera_nodes_closed',
      help: 'Nodes that take no pods with devices now, because a pod bound past us waits for devices there.',
      registers,
    }),
    devices: new Gauge({
      name: 'tessera_devices',
      help: 'Devices in the device-state cache, by vendor and state.',
      labelNames: ['vendor', 'state'],
      registers,
    }),
    fragmentationRatio: new Gauge({
      name: 'tessera_fragmentation_ratio',
      help: 'Part of the idle capacity of cards that the expected pods cannot use, 0 to 1, by vendor.',
      labelNames: ['vendor'],
      registers,
    }),
    fragmentedCards: new Gauge({
      name: 'tessera_fragmented_cards',
      help: 'Idle capacity that the expected pods cannot use, in cards, by vendor.',
      labelNames: ['vendor'],
      registers,
    }),
    uselessCards: new Gauge({
      name: 'tessera_useless_cards',
      help: 'Idle capacity that pods of a class cannot use, in cards, by vendor, of the most frequent classes.',
      labelNames: ['vendor', 'class'],
      registers,
    }),
    synced: new Gauge({
      name: 'tessera_synced',
      help: 'Whether the device-state cache is complete: 1 or 0.',
      registers,
    }),
    leader: new Gauge({
      name: 'tessera_leader',
      help: 'Whether this replica leads, and so binds pods: 1 or 0.',
      registers,
    }),
    certificateExpirySeconds,
  };
}

/** Series that exist from the start let a rate see their first increase. */
function countingFromZero<Label extends string>(
  counter: Counter<Label>,
  label: Label,
  values: readonly string[],
): Counter<Label> {
  for (const value of values) counter.inc({ [label]: value } as Record<Label, string>, 0);
  return counter;
}
