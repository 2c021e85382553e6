/** What an audit of the ledger has found: for its caller as a report, for people as log lines with both sides. */
import { shortText } from '../model/short-text.ts';
import type { DriftKind } from '../state/ledger-audit.ts';
import type { Log } from '../telemetry/logger.ts';

export interface FoundDrift {
  readonly kind: DriftKind;
  /** The pod, or for `sums` the node. */
  readonly object: string;
  /** Why it is not mended; undefined when it is. */
  readonly left: string | undefined;
}

export type AuditEnding =
  /** Differences that there was no time to look into are left to the next audit. */
  | { readonly kind: 'complete'; readonly notLookedInto: number }
  | { readonly kind: 'failed'; readonly problem: string };

export type AuditReport =
  | (AuditEnding & { readonly drift: readonly FoundDrift[]; readonly tookMs: number })
  /** There is no complete state to audit, or the auditor was stopped meanwhile. */
  | { readonly kind: 'skipped' };

export interface DriftSides {
  readonly memory: unknown;
  readonly api: unknown;
}

/** Of each side in the log; an allocation is as long as whoever wrote it liked. */
const longestSide = 1000;

/** Logs a difference; somebody has altered a pod, or there is a defect. */
export function tellDrift(log: Log, found: FoundDrift & DriftSides & { readonly podUid?: string }): void {
  const { kind, object, left, podUid, memory, api } = found;
  const fields = {
    kind,
    ...(podUid === undefined ? { node: object } : { pod: object, podUid }),
    memory: sideText(memory),
    api: sideText(api),
  };
  if (left === undefined) log.error(fields, 'ledger drift, mended');
  else log.error({ ...fields, left }, 'ledger drift, not mended');
}

function sideText(side: unknown): string {
  return side === undefined ? 'nothing' : shortText(JSON.stringify(side), longestSide);
}
