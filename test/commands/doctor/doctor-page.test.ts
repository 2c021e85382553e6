/** The closed list of findings against the page that lists them: neither may know a code that the other does not. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { finding, findingCodes } from '../../../src/commands/doctor/finding.ts';

describe('docs/doctor.md', () => {
  it('lists every finding with its severity, in the order of a report', () => {
    const page = readFileSync(new URL('../../../docs/doctor.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([A-Za-z0-9]+)` +\| (\w+) +\|/gm)].map(
      ([, code = '', severity = '']) => [code, severity],
    );
    const want = findingCodes.map((code) => [code, finding(code, { kind: 'Node', name: 'n' }, '').severity]);
    expect(rows).toEqual(want);
  });
});
