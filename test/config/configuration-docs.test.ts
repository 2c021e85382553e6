/** `docs/configuration.md` says of every key what the schema says. UPDATE_GOLDEN=1 rewrites its table. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { listSettings } from '../../src/wire/setting-schema.ts';
import { renderSettingsTable } from './settings-table.ts';
import { makeTemporaryFiles } from './temporary-files.ts';

const write = makeTemporaryFiles();

const file = new URL('../../docs/configuration.md', import.meta.url);
const ignoreEnd = '<!-- prettier-ignore-end -->';
const tablePlace = /(<!-- settings: .* -->\n)([^]*)$/;

describe('docs/configuration.md', () => {
  it('holds the table made from the schema', () => {
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(tablePlace);
    const want = text.replace(
      tablePlace,
      (_, marker: string) => `${marker}\n${renderSettingsTable()}\n\n${ignoreEnd}\n`,
    );
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, want);
    expect(readFileSync(file, 'utf8')).toBe(want);
  });

  it('shows an example that loads', () => {
    const [, example] = /```yaml\n([^]*?)```/.exec(readFileSync(file, 'utf8')) ?? [];
    const loaded = loadConfig({ file: write('example.yaml', example!), environment: {}, flags: {} });
    expect(loaded).toMatchObject({ ok: true, value: { warnings: [], config: { nodePolicy: 'spread' } } });
  });
});

describe('every setting', () => {
  const settings = listSettings(configSchema).map(({ path, rule }) => ({ name: path.join('.'), rule }));

  it.each(settings)('$name has a sentence that ends', ({ rule }) => {
    expect(rule.description).toMatch(/^[A-Z][^|\n]{15,}\.$/);
  });
});
