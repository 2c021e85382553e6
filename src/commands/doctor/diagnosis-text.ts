/** The doctor's report for people; machines read the JSON form, whose shape stays. */
import { findingsText } from '../../migration/report-text.ts';
import { plural } from '../plural.ts';
import type { Diagnosis } from './diagnose.ts';
import { severities } from './finding.ts';

const headings = { fault: 'FAULTS: somebody has to do something', note: 'NOTES' } as const;

/** Ends in a line break. */
export function diagnosisText({ looked, counts, findings }: Diagnosis): string {
  const { nodes, pods, entries } = looked;
  const ledger = entries === null ? 'no server' : `a server’s ledger of ${plural(entries, 'allocation')}`;
  const head = `Looked at ${plural(nodes, 'node')}, ${plural(pods, 'pod')} and ${ledger}: ${plural(counts.fault, 'fault')}, ${plural(counts.note, 'note')}.`;
  const parts = severities.flatMap((severity) => {
    const own = findings.filter((found) => found.severity === severity);
    return own.length === 0 ? [] : [findingsText(headings[severity], own)];
  });
  const verdict = counts.fault > 0 ? 'Something is wrong.' : 'Nothing is wrong.';
  return `${[head, ...parts, verdict].join('\n\n')}\n`;
}
