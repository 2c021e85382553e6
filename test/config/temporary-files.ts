/** A directory for the files of one test file, gone afterwards. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

/** Writes a text under a name in a directory of its own and gives its path. */
export function makeTemporaryFiles(): (name: string, text: string) => string {
  const directory = mkdtempSync(join(tmpdir(), 'tessera-config-'));
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return (name, text) => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
}
