/**
 * The page of HAMi's quirks and the tests keep up with each other: every quirk has a row, every row names test files in
 * which titles begin with its number or says why the quirk cannot come up, and no title has a number without a row.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const testFolder = new URL('../', import.meta.url);
const page = readFileSync(new URL('../docs/hami-differences.md', testFolder), 'utf8');
const quirks = Array.from({ length: 35 }, (_, index) => `Q${index + 1}`);

interface Row {
  readonly quirk: string;
  /** Test files below `test/`, as the last column names them. */
  readonly files: readonly string[];
  /** Why there is no test; absent where there is one. */
  readonly without?: string;
}

const rows = [...page.matchAll(/^\| *(Q\d+) *\|.*\| *([^|]*?) *\|$/gm)].map(
  ([, quirk = '', tests = '']): Row => {
    const files = [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => `${file}.test.ts`);
    const without = /^no test: (.+)$/.exec(tests)?.[1];
    return { quirk, files, ...(without === undefined ? {} : { without }) };
  },
);

/** By test file: the quirks with whose numbers titles begin, in tests, suites and tables. */
const titled = new Map(
  (readdirSync(testFolder, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.test.ts') && !file.startsWith('e2e/'))
    .map((file) => {
      const text = readFileSync(new URL(file, testFolder), 'utf8');
      return [file, new Set([...text.matchAll(/['"`](Q\d+): \S/g)].map(([, quirk = '']) => quirk))];
    }),
);

describe('the page of differences', () => {
  it('has one row for every quirk, in order', () => {
    expect(rows.map(({ quirk }) => quirk)).toEqual(quirks);
  });

  it.each(rows)('names the tests of $quirk, or says why there are none', ({ quirk, files, without }) => {
    const all = [...titled].flatMap(([file, numbers]) => (numbers.has(quirk) ? [file] : []));
    if (without !== undefined) {
      expect({ files, all }).toEqual({ files: [], all: [] });
      return;
    }
    expect(files).not.toEqual([]);
    expect(all).toEqual(expect.arrayContaining([...files]));
  });

  it('has a row for every number that a title begins with', () => {
    const numbers = new Set([...titled.values()].flatMap((found) => [...found]));
    expect([...numbers].filter((number) => !quirks.includes(number))).toEqual([]);
  });
});
