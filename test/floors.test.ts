/**
 * The floors of the house hold: what a room may not import, and what a deciding room may not reach for, fails lint.
 * Files are made up; only the rules about floors are looked at, which need no types.
 */
import { readdirSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

// Loading ESLint and its plugins takes longer than one rule's answer.
jest.setTimeout(20_000);

const root = fileURLToPath(new URL('..', import.meta.url));
const floorRules = [
  'no-restricted-imports',
  'no-restricted-properties',
  'no-restricted-globals',
  'no-restricted-syntax',
];

let eslint: ESLint;
beforeAll(() => {
  eslint = new ESLint({
    cwd: root,
    overrideConfig: [tseslint.configs.disableTypeChecked],
    ruleFilter: ({ ruleId }) => floorRules.includes(ruleId),
  });
});

/** What lint says of a file with this text at this place. */
async function complaintsAbout(filePath: string, text: string): Promise<readonly string[]> {
  const [result] = await eslint.lintText(text, { filePath: `${root}${filePath}` });
  const messages = result?.messages ?? [];
  const broken = messages.find(({ fatal }) => fatal === true);
  if (broken !== undefined) throw new Error(`${filePath}: ${broken.message}`);
  return messages.map(({ message }) => message);
}

const use = (specifier: string) => `import { x } from '${specifier}'; export const y = x;`;

describe('imports that a floor forbids', () => {
  const cases = [
    { file: 'src/model/x.ts', text: use('../state/x.ts') },
    { file: 'src/model/x.ts', text: use('../wire/x.ts') },
    { file: 'src/wire/x.ts', text: use('../config/x.ts') },
    { file: 'src/vendors/x.ts', text: use('../placement/x.ts') },
    { file: 'src/state/x.ts', text: use('../placement/x.ts') },
    { file: 'src/placement/x.ts', text: use('../scheduler/x.ts') },
    { file: 'src/placement/x.ts', text: use('../telemetry/x.ts') },
    { file: 'src/scheduler/x.ts', text: use('../admission/x.ts') },
    { file: 'src/scheduler/x.ts', text: use('../kubernetes/x.ts') },
    { file: 'src/admission/x.ts', text: use('../scheduler/x.ts') },
    { file: 'src/admission/x.ts', text: use('../http/x.ts') },
    { file: 'src/kubernetes/x.ts', text: use('../http/x.ts') },
    { file: 'src/http/x.ts', text: use('../commands/x.ts') },
    { file: 'src/http/x.ts', text: use('../kubernetes/x.ts') },
    { file: 'src/telemetry/x.ts', text: use('../http/x.ts') },
    { file: 'src/certificates/x.ts', text: use('../config/x.ts') },
    { file: 'src/placement/deep/er/x.ts', text: use('../../../http/x.ts') },
    { file: 'src/model/x.ts', text: "import type { X } from '../state/x.ts'; export type Y = X;" },
    { file: 'src/model/x.ts', text: "export { x } from '../state/x.ts';" },
    { file: 'src/model/x.ts', text: "export * from '../state/x.ts';" },
    { file: 'src/model/x.ts', text: "import '../state/x.ts';" },
  ];
  it.each(cases)('$file: $text', async ({ file, text }) => {
    expect(await complaintsAbout(file, text)).toEqual([expect.stringMatching(/may not import/)]);
  });

  const rooms = readdirSync(`${root}src`, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .flatMap((entry) => relative(`${root}src`, entry.parentPath).split(sep).slice(0, 1))
    .filter((room) => room !== '' && room !== 'commands');

  it.each([...new Set(rooms)])('src/%s is under the rule: it may not import a command', async (room) => {
    expect(await complaintsAbout(`src/${room}/x.ts`, use('../commands/x.ts'))).toHaveLength(1);
  });
});

describe('packages that belong to other rooms', () => {
  it.each([
    { file: 'src/state/x.ts', name: 'express' },
    { file: 'src/scheduler/x.ts', name: 'express' },
    { file: 'src/commands/x.ts', name: 'express' },
    { file: 'src/main.ts', name: 'express' },
    { file: 'src/http/x.ts', name: '@kubernetes/client-node' },
    { file: 'src/commands/x.ts', name: '@kubernetes/client-node' },
    { file: 'src/emulator/x.ts', name: '@kubernetes/client-node/dist/config.js' },
    { file: 'src/http/x.ts', name: 'node-forge' },
    { file: 'src/config/x.ts', name: 'ajv' },
    { file: 'src/config/x.ts', name: 'ajv/dist/2020.js' },
    { file: 'src/http/x.ts', name: 'pino' },
    { file: 'src/scheduler/x.ts', name: 'prom-client' },
    { file: 'src/wire/x.ts', name: 'yaml' },
    { file: 'src/http/x.ts', name: 'commander' },
  ])('$file may not import $name', async ({ file, name }) => {
    expect(await complaintsAbout(file, use(name))).toEqual([expect.stringContaining('may import')]);
  });
});

describe('a room that decides reaches for nothing outside', () => {
  const deciding = ['model', 'wire', 'vendors', 'state', 'placement', 'scheduler', 'admission'];
  const reaches = [
    { name: 'files', text: use('node:fs') },
    { name: 'files by promise', text: use('node:fs/promises') },
    { name: 'sockets', text: use('node:http') },
    { name: 'the clock', text: 'export const now = Date.now();' },
    { name: 'the clock, taken apart', text: 'const { now } = Date; export const x = now();' },
    { name: 'chance', text: 'export const x = Math.random();' },
    { name: 'the environment', text: 'export const x = process.env;' },
  ];
  it.each(deciding.flatMap((room) => reaches.map((reach) => ({ room, ...reach }))))(
    'src/$room: $name',
    async ({ room, text }) => {
      expect(await complaintsAbout(`src/${room}/x.ts`, text)).toHaveLength(1);
    },
  );

  it.each(['http', 'telemetry', 'commands', 'kubernetes'])(
    'nor does src/%s read the environment',
    async (room) => {
      const complaints = await complaintsAbout(`src/${room}/x.ts`, 'export const x = process.env;\n');
      expect(complaints).toEqual([expect.stringContaining('config/environment.ts')]);
    },
  );

  it.each([
    { name: 'a file by its old name', text: use('fs') },
    { name: 'a room above, while running', text: "export const x = import('../commands/x.ts');" },
    { name: 'the clock, by a new date', text: 'export const now = new Date();' },
    { name: 'a timer', text: 'setTimeout(() => undefined, 1);' },
    {
      name: 'an id by chance',
      text: "import { randomUUID } from 'node:crypto'; export const x = randomUUID();",
    },
  ])('src/placement: not even by a side door: $name', async ({ text }) => {
    expect(await complaintsAbout('src/placement/x.ts', text)).toHaveLength(1);
  });
});

describe('what the floors allow', () => {
  it.each([
    { file: 'src/model/x.ts', text: use('./result.ts') },
    { file: 'src/wire/x.ts', text: use('../model/result.ts') },
    { file: 'src/wire/x.ts', text: use('ajv') },
    { file: 'src/placement/x.ts', text: use('../state/x.ts') },
    { file: 'src/scheduler/x.ts', text: use('../placement/planner.ts') },
    { file: 'src/scheduler/x.ts', text: use('../telemetry/logger.ts') },
    { file: 'src/http/x.ts', text: use('../scheduler/scheduler.ts') },
    { file: 'src/http/x.ts', text: use('express') },
    { file: 'src/http/x.ts', text: use('node:https') },
    { file: 'src/kubernetes/x.ts', text: use('@kubernetes/client-node') },
    { file: 'src/commands/x.ts', text: use('../kubernetes/x.ts') },
    { file: 'src/commands/x.ts', text: use('commander') },
    { file: 'src/certificates/x.ts', text: use('node-forge') },
    { file: 'src/telemetry/x.ts', text: use('prom-client') },
    { file: 'src/config/environment.ts', text: 'export const x = process.env;' },
    { file: 'src/commands/x.ts', text: 'export const now = Date.now();' },
    { file: 'src/placement/x.ts', text: 'export const x = Math.max(1, Date.parse("2026-01-01"));' },
  ])('$file: $text', async ({ file, text }) => {
    expect(await complaintsAbout(file, text)).toEqual([]);
  });
});

describe('tests', () => {
  it('mock no modules', async () => {
    expect(await complaintsAbout('test/x.test.ts', use('jest-mock'))).toHaveLength(1);
  });
});
