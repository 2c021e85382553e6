/** The report as people read it. */
import { describe, expect, it } from '@jest/globals';
import { type Finding, finding, severities } from '../../src/migration/finding.ts';
import { reportText } from '../../src/migration/report-text.ts';

function textOf(findings: readonly Finding[]): string {
  const counts = { blocker: 0, action: 0, change: 0, info: 0 };
  for (const severity of severities)
    counts[severity] = findings.filter((one) => one.severity === severity).length;
  return reportText({ looked: { nodes: 1, pods: 20, quotas: 0 }, counts, findings });
}

const onNode = (name: string, sentence = 'publishes x') =>
  finding('VendorNotManaged', { kind: 'Node', name }, sentence);

describe('reportText', () => {
  it('says in two lines that there is nothing to say', () => {
    expect(textOf([])).toBe(
      'Looked at 1 node, 20 pods and 0 quotas: 0 blockers, 0 things to do, 0 changes, 0 notes.\n\nNothing stands in the way of the switch.\n',
    );
  });

  it('joins objects of one sentence, counts those beyond five, and says once per code what to do', () => {
    const alike = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => onNode(name));
    const lines = textOf([...alike, onNode('z', 'publishes y')]).split('\n');
    expect(lines[0]).toBe(
      'Looked at 1 node, 20 pods and 0 quotas: 8 blockers, 0 things to do, 0 changes, 0 notes.',
    );
    expect(lines.slice(2, 7)).toEqual([
      'BLOCKERS: to be solved before the switch',
      '  VendorNotManaged',
      '    Node a, Node b, Node c, Node d, Node e, 2 more: publishes x',
      '    Node z: publishes y',
      `    → ${onNode('a').remedy}`,
    ]);
    expect(lines.at(-2)).toBe('Not ready: solve the blockers first.');
  });

  it('shows control characters of foreign values instead of obeying them', () => {
    const forged = 'x\u001b[2J\r\n\nNothing stands in the way of the switch.\u202e';
    const text = textOf([onNode(forged, forged)]);
    const shown = String.raw`x\u001b[2J\r\n\nNothing stands in the way of the switch.\u202e`;
    expect(text.split('\n')).toContain(`    Node ${shown}: ${shown}`);
    expect(text.split('\n').filter((line) => line.startsWith('Nothing'))).toEqual([]);
  });

  it('cuts what is too long to be read', () => {
    const line = textOf([onNode('a', '0'.repeat(100_000))])
      .split('\n')
      .find((one) => one.startsWith('    Node a: '));
    expect(line).toHaveLength('    Node a: '.length + 500);
    expect(line?.endsWith('0…')).toBe(true);
  });
});
