/**
 * Golden files: what goes over the wire, pinned in `test/golden/NAME.json`. `UPDATE_GOLDEN=1` rewrites them, and the
 * difference is reviewed like code. A file that does not exist fails: nothing is pinned by accident.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from '@jest/globals';

const directory = new URL('../golden/', import.meta.url);

/** Compares a value that survives JSON with its golden file, byte for byte. */
export function expectGolden(name: string, value: unknown): void {
  const file = new URL(`${name}.json`, directory);
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, text);
  }
  if (!existsSync(file)) throw new Error(`no golden file ${file.pathname}: run once with UPDATE_GOLDEN=1`);
  expect(text).toBe(readFileSync(file, 'utf8'));
}
