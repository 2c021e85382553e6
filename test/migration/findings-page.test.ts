/** The closed list of findings against the page that lists them: neither may know a code that the other does not. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { finding, findingCodes } from '../../src/migration/finding.ts';

/** The rows of the page's table whose first column is a code and whose second is a severity. */
function rowsOf(page: string): readonly (readonly [string, string])[] {
  return [...page.matchAll(/^\| `([A-Za-z0-9]+)` +\| (\w+) +\|/gm)].map(([, code = '', severity = '']) => [
    code,
    severity,
  ]);
}

describe('docs/moving-from-hami.md', () => {
  it('lists every finding with its severity, in the order of a report', () => {
    const page = readFileSync(new URL('../../docs/moving-from-hami.md', import.meta.url), 'utf8');
    const want = findingCodes.map((code) => [code, finding(code, { kind: 'Node', name: 'n' }, '').severity]);
    expect(rowsOf(page)).toEqual(want);
  });
});
