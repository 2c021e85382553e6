/** `tessera manifests` as people run it, and as docs/configuration.md shows it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { makeTemporaryFiles } from '../config/temporary-files.ts';
import { Tessera } from './child-process.ts';

// A process needs half a second of its own, and more on a busy machine.
jest.setTimeout(30_000);

const write = makeTemporaryFiles();
const print = (...args: readonly string[]) => new Tessera(['manifests', ...args]).ended();

describe('tessera manifests', () => {
  it('prints both lists for the configuration that it is given', async () => {
    const config = write('own.yaml', 'vendors: { hygon: { resourceMemoryName: example.com/dcu-memory } }');
    const device = write('device.yaml', 'hygon: { resourceCountName: example.com/dcu }');
    const { code, stdout, stderr } = await print('--config', config, '--device-config-file', device);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `tessera: ${device}: has no nvidia block; the defaults apply\n`,
    });
    const printed = parse(stdout) as Record<string, readonly { readonly name: string }[]>;
    expect(Object.keys(printed)).toEqual(['matchConditions', 'managedResources']);
    expect(printed['managedResources']?.slice(-2).map(({ name }) => name)).toEqual([
      'example.com/dcu',
      'example.com/dcu-memory',
    ]);
  });

  it.each([
    {
      name: 'a configuration that is none',
      args: ['--config', write('bad.yaml', 'listen: [')],
      want: 'is not YAML',
    },
    {
      name: 'one without vendors',
      args: ['--config', write('none.yaml', 'vendors: { nvidia: { enabled: false } }')],
      want: 'manifests: no vendor is enabled',
    },
    { name: 'a part that is none', args: ['--part', 'node'], want: 'webhook, scheduler' },
  ])('says in a sentence what is wrong with $name, and prints no list', async ({ args, want }) => {
    const { code, stdout, stderr } = await print(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(want);
  });
});

describe('docs/configuration.md', () => {
  it('shows what is printed for the configuration that it shows', async () => {
    const docs = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const [, config, command, output] =
      /```yaml\n(# tessera\.yaml\n[^]*?)```[^]*?tessera manifests ([^\n]*)\n[^]*?```text\n([^]*?)```/.exec(
        docs,
      ) ?? [];
    const args = (command ?? '')
      .split(' ')
      .map((word) => (word === 'tessera.yaml' ? write(word, config!) : word));
    expect(args).toContain('--config');
    expect(await print(...args)).toEqual({ code: 0, stdout: output, stderr: '' });
  });
});
