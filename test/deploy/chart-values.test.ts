/** The chart's values: the schema takes the defaults, knows every key, and repeats the server's own schema. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { configSchema } from '../../src/config/schema.ts';
import { schemaParser } from '../../src/wire/validate.ts';

const chart = new URL('../../deploy/chart/', import.meta.url);
const schemaFile = new URL('values.schema.json', chart);
const valuesText = readFileSync(new URL('values.yaml', chart), 'utf8');
const values = parse(valuesText) as Readonly<Record<string, unknown>>;

interface Section {
  readonly type?: string;
  readonly additionalProperties?: boolean | object;
  readonly properties?: Readonly<Record<string, Section>>;
}

function readSchema(): Section & { readonly properties: Readonly<Record<string, Section>> } {
  return JSON.parse(readFileSync(schemaFile, 'utf8')) as ReturnType<typeof readSchema>;
}

/** What the chart decides itself. */
const ownKeys = [
  'listen',
  'listenExtender',
  'listenMetrics',
  // Follows from where kube-scheduler runs.
  'leaderElection',
  'tls',
  'deviceConfigFile',
];

function configSection(): Section {
  return withoutOwn(JSON.parse(JSON.stringify(configSchema)) as Section);
}

function withoutOwn(section: Section, above = ''): Section {
  if (section.properties === undefined) return section;
  const properties = Object.entries(section.properties)
    .filter(([key]) => !ownKeys.includes(`${above}${key}`))
    .map(([key, below]) => [key, withoutOwn(below, `${above}${key}.`)] as const);
  return { ...section, properties: Object.fromEntries(properties) };
}

const parseValues = schemaParser<unknown>(
  // Ajv takes the schema itself, not its header.
  Object.fromEntries(Object.entries(readSchema()).filter(([key]) => key !== '$schema')),
);

describe('values.schema.json', () => {
  it("has the server's schema for `config`, less what the chart decides itself", () => {
    const schema = readSchema();
    const want = { ...schema, properties: { ...schema.properties, config: configSection() } };
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(schemaFile, `${JSON.stringify(want, null, 2)}\n`);
    expect(readSchema()).toEqual(want);
  });

  it('takes values.yaml', () => {
    expect(parseValues(values)).toEqual({ ok: true, value: values });
  });

  it('knows exactly the keys of values.yaml, at every depth', () => {
    expect(keysOfSchema(readSchema()).filter((key) => key !== 'global')).toEqual(keysOfValues(values));
  });

  const refused = [
    { name: 'a key that is none', values: { replica: 2 }, want: 'unknown key "replica"' },
    {
      name: 'an address',
      values: { config: { listen: ':1' } },
      want: 'config: unknown key "listen"',
    },
    {
      name: 'another lease than that of its kube-scheduler',
      values: { config: { leaderElection: { enabled: true, resourceName: 'other' } } },
      want: 'config: unknown key "leaderElection"',
    },
    { name: 'a setting out of bounds', values: { config: { bodyLimitMiB: 0 } }, want: 'config.bodyLimitMiB' },
    {
      name: 'a failure policy that is none',
      values: { webhook: { failurePolicy: 'ignore' } },
      want: 'webhook.failurePolicy',
    },
    {
      name: 'a version without its v',
      values: { kubeScheduler: { version: '1.36.3' } },
      want: 'kubeScheduler.version',
    },
    {
      name: 'a weight that would switch ranking off',
      values: { kubeScheduler: { weight: 0 } },
      want: 'kubeScheduler.weight',
    },
    { name: 'a shortened digest', values: { image: { digest: 'sha256:12' } }, want: 'image.digest' },
  ];
  it.each(refused)('refuses $name', ({ values: bad, want }) => {
    const answer = parseValues(bad);
    expect(answer).toMatchObject({ ok: false, problem: expect.stringContaining(want) });
  });
});

describe('values.yaml', () => {
  it('says of every value what it is for', () => {
    const lines = valuesText.split('\n');
    const keys = lines.flatMap((line, index) => {
      const [, indent = '', key = '', rest = ''] = /^( *)([A-Za-z]+):(.*)$/.exec(line) ?? [];
      const opens = rest === '' && (lines[index + 1] ?? '').startsWith(`${indent}  `);
      const isExplained = (lines[index - 1] ?? '').startsWith(`${indent}# -- `);
      return key === '' ? [] : [{ key, indent, opens, isExplained }];
    });
    // What lies below an explained key is its value.
    let explainedIndent = Infinity;
    const mute: string[] = [];
    for (const { key, indent, opens, isExplained } of keys) {
      if (indent.length > explainedIndent) continue;
      explainedIndent = isExplained ? indent.length : Infinity;
      if (!isExplained && !opens) mute.push(key);
    }
    expect(mute).toEqual([]);
    expect(keys.filter(({ isExplained }) => isExplained).length).toBeGreaterThan(40);
  });
});

/** Paths of all keys, down to where anything goes. */
function keysOfSchema(section: Section, above = ''): readonly string[] {
  return Object.entries(section.properties ?? {})
    .flatMap(([key, below]) => {
      const path = `${above}${key}`;
      const closed = below.properties !== undefined && path !== 'config';
      return closed ? keysOfSchema(below, `${path}.`) : [path];
    })
    .sort();
}

function keysOfValues(section: Readonly<Record<string, unknown>>, above = ''): readonly string[] {
  const open = new Set(keysOfSchema(readSchema()));
  return Object.entries(section)
    .flatMap(([key, value]) => {
      const path = `${above}${key}`;
      if (open.has(path) || typeof value !== 'object' || value === null) return [path];
      return keysOfValues(value as Readonly<Record<string, unknown>>, `${path}.`);
    })
    .sort();
}
