/**
 * From one or two looks at a cluster to a report. Pure. A cluster at work looks odd for moments (a bind under way, a
 * watch that is a little behind), so what may pass counts only when a second look a little later shows the same.
 */
import { objectName } from '../../migration/finding.ts';
import { controlFindings } from './control-findings.ts';
import { compareFindings, type Finding, isPassing } from './finding.ts';
import { ledgerFindings } from './ledger-findings.ts';
import { lockFindings } from './lock-findings.ts';
import { nodeFindings } from './node-findings.ts';
import { podFindings } from './pod-findings.ts';
import { type Judges, type Look, subjectOf } from './subject.ts';

export interface Diagnosis {
  readonly looked: {
    readonly nodes: number;
    readonly pods: number;
    /** Entries of the server's ledger; null where no server was asked. */
    readonly entries: number | null;
  };
  readonly counts: { readonly fault: number; readonly note: number };
  /** In the order of `compareFindings`. */
  readonly findings: readonly Finding[];
}

/** Never throws. */
export function diagnose(look: Look, judges: Judges): Diagnosis {
  const subject = subjectOf(look, judges);
  return diagnosisOf(look, [
    ...ledgerFindings(subject),
    ...lockFindings(subject),
    ...podFindings(subject),
    ...nodeFindings(subject),
    ...controlFindings(subject),
  ]);
}

/** Whether a second look may make a difference. */
export function mayPass({ findings }: Diagnosis): boolean {
  return findings.some(isPassing);
}

/** What the second look shows, without what was not there at the first and may pass. */
export function confirmed(first: Diagnosis, second: Diagnosis, look: Look): Diagnosis {
  const before = new Set(first.findings.map(keyOf));
  return diagnosisOf(
    look,
    second.findings.filter((found) => !isPassing(found) || before.has(keyOf(found))),
  );
}

function keyOf({ code, object, sentence }: Finding): string {
  return JSON.stringify([code, objectName(object), sentence]);
}

function diagnosisOf({ picture, server }: Look, findings: readonly Finding[]): Diagnosis {
  const faults = findings.filter(({ severity }) => severity === 'fault').length;
  return {
    looked: {
      nodes: picture.nodes.length,
      pods: picture.pods.length,
      entries: server?.entries.length ?? null,
    },
    counts: { fault: faults, note: findings.length - faults },
    findings: findings.toSorted(compareFindings),
  };
}
