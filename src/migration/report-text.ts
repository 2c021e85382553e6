/**
 * The migration report for people: the grave things first, objects that share a sentence in one line, and what to do
 * once per code. Names and sentences hold what tenants wrote; none of it may move a terminal's cursor, begin a line or
 * bury the rest. Machines read the JSON form, whose shape stays.
 */
import { shortText } from '../model/short-text.ts';
import { type Finding, objectName, severities, type Severity } from './finding.ts';
import type { MigrationReport } from './migration-check.ts';

const headings: Readonly<Record<Severity, string>> = {
  blocker: 'BLOCKERS: to be solved before the switch',
  action: 'TO DO: before or after the switch, as each says',
  change: 'CHANGES: different from then on, nothing to do',
  info: 'FOR YOUR INFORMATION',
};

/** Objects named in a line before the rest is counted. */
const mostNames = 5;
const longestSentence = 500;

/** Ends in a line break. */
export function reportText(report: MigrationReport): string {
  const { looked, counts, findings } = report;
  const parts = severities.flatMap((severity) => {
    const own = findings.filter((found) => found.severity === severity);
    return own.length === 0 ? [] : [findingsText(headings[severity], own)];
  });
  const summary = severities.map((severity) => plural(counts[severity], nouns[severity])).join(', ');
  const head = `Looked at ${plural(looked.nodes, 'node')}, ${plural(looked.pods, 'pod')} and ${plural(looked.quotas, 'quota')}: ${summary}.`;
  const verdict =
    counts.blocker > 0 ? 'Not ready: solve the blockers first.' : 'Nothing stands in the way of the switch.';
  return `${[head, ...parts, verdict].join('\n\n')}\n`;
}

const nouns: Readonly<Record<Severity, string>> = {
  blocker: 'blocker',
  action: 'thing to do',
  change: 'change',
  info: 'note',
};

function plural(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun.startsWith('thing') ? 'things to do' : `${noun}s`}`;
}

/** What is told of any check's finding. */
export type ToldFinding = Pick<Finding, 'object' | 'sentence' | 'remedy'> & { readonly code: string };

/** A heading and the findings under it, in their order; without a line break at the end. */
export function findingsText(heading: string, findings: readonly ToldFinding[]): string {
  const lines = [heading];
  for (const [code, ofCode] of Map.groupBy(findings, (found) => found.code)) {
    lines.push(`  ${code}`);
    for (const [sentence, alike] of Map.groupBy(ofCode, (found) => found.sentence)) {
      lines.push(`    ${names(alike)}: ${shown(sentence)}`);
    }
    const remedy = ofCode[0]?.remedy ?? '';
    lines.push(`    → ${remedy}`);
  }
  return lines.join('\n');
}

function names(findings: readonly ToldFinding[]): string {
  const listed = findings.slice(0, mostNames).map(({ object }) => shown(objectName(object)));
  if (findings.length > mostNames) listed.push(`${findings.length - mostNames} more`);
  return listed.join(', ');
}

/** One line: what a terminal would obey is written as JSON writes it. */
function shown(text: string): string {
  return shortText(text, longestSentence).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  const written = JSON.stringify(character).slice(1, -1);
  return written === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : written;
}
