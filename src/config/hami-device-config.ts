/**
 * Reads HAMi's `device-config.yaml` as it is (spec §3.2). The file is not ours: blocks of other vendors and keys we
 * do not know are warned about and never fatal, as its own reader skips them; a value of the wrong type is refused
 * with its place, because its own reader refuses it too. Keys that it leaves out are left out of the answer.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { type JsonSchema, schemaParserWithDefaults } from '../wire/validate.ts';
import type { NvidiaConfig } from './config.ts';
import { isMapping, type Mapping } from './mapping.ts';
import { nvidiaSchema } from './schema-nvidia.ts';
import { parseYaml } from './yaml-text.ts';

export interface HamiDeviceConfig {
  /** The keys written in the file. */
  readonly nvidia: Partial<NvidiaConfig>;
  readonly warnings: readonly string[];
}

/** Ours without the switch that HAMi does not have, and without defaults. */
const blockSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    nvidia: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(nvidiaSchema.properties)
          .filter(([key]) => key !== 'enabled')
          .map(([key, rule]) => [key, without(rule, 'default')]),
      ),
    },
  },
};

interface NvidiaBlock<T> {
  readonly nvidia: T;
}

const parseBlock = schemaParserWithDefaults<NvidiaBlock<Partial<NvidiaConfig>>>(blockSchema);

/** The `nvidia` block of the first document that has one. Never throws. */
export function parseHamiDeviceConfig(text: string): Parsed<HamiDeviceConfig> {
  const documents = parseYaml(text, 'go');
  if (!documents.ok) return documents;
  const mappings = documents.value.filter(isMapping);
  if (documents.value.some((document) => document !== null && !isMapping(document))) {
    return unparsable('is not a mapping of keys to values');
  }
  if (!mappings.some((document) => Object.values(document).some(saysSomething))) {
    return unparsable('is empty; HAMi would not start with it either');
  }
  const [first, ...more] = mappings.filter((document) => isMapping(document['nvidia']));
  if (first === undefined) {
    const strange = mappings.some((document) => (document['nvidia'] ?? null) !== null);
    if (strange) return unparsable('nvidia: must be object');
    return parsed({
      nvidia: {},
      warnings: ['has no nvidia block; the defaults apply', ...otherBlocks(mappings)],
    });
  }
  const warnings = otherBlocks(mappings);
  if (more.length > 0) warnings.push('has more than one nvidia block; only the first is read');
  const written = known({ nvidia: first['nvidia'] }, blockSchema, '', warnings) as NvidiaBlock<unknown>;
  const block = parseBlock({ nvidia: withoutStale(written.nvidia, warnings) });
  return block.ok ? parsed({ nvidia: block.value.nvidia, warnings }) : block;
}

/** Since v2.10 nobody reads this key, so files carry it along in any state. */
const staleKey = 'knownMigGeometries';

function withoutStale(nvidia: unknown, warnings: string[]): unknown {
  if (!isMapping(nvidia) || nvidia[staleKey] === undefined) return nvidia;
  const alone = parseBlock({ nvidia: { [staleKey]: nvidia[staleKey] } });
  if (alone.ok) return nvidia;
  warnings.push(`${alone.problem}; the key is ignored, as by HAMi since v2.10`);
  return without(nvidia, staleKey);
}

/** A block, however deep, in which a value stands. */
function saysSomething(value: unknown): boolean {
  if (typeof value !== 'object') return true;
  return value !== null && Object.values(value).some(saysSomething);
}

function otherBlocks(documents: readonly Mapping[]): string[] {
  const keys = new Set(documents.flatMap((document) => Object.keys(document)));
  keys.delete('nvidia');
  return keys.size === 0 ? [] : [`blocks that are not read: ${[...keys].join(', ')}`];
}

/** What the schema knows of a value. A number where a text is wanted is its text, as in Go (`libCudaLogLevel: 1`). */
function known(value: unknown, schema: JsonSchema, place: string, warnings: string[]): unknown {
  const { properties, items, type } = schema;
  if (Array.isArray(value) && isMapping(items)) {
    return value.map((item: unknown, index) => known(item, items, `${place}.${index}`, warnings));
  }
  if (isMapping(value) && isMapping(properties)) {
    const entries: [string, unknown][] = [];
    for (const [key, below] of Object.entries(value)) {
      const rule = Object.hasOwn(properties, key) ? properties[key] : undefined;
      const path = place === '' ? key : `${place}.${key}`;
      if (!isMapping(rule)) warnings.push(`${path}: unknown key, ignored`);
      else if (isGiven(below, rule)) entries.push([key, known(below, rule, path, warnings)]);
    }
    return Object.fromEntries(entries);
  }
  return type === 'string' && typeof value === 'number' ? String(value) : value;
}

/** Neither nothing nor, where the schema lists the choices (`gpuCorePolicy`), the empty text chooses anything. */
function isGiven(value: unknown, rule: Mapping): boolean {
  return value !== null && !(value === '' && rule['enum'] !== undefined);
}

function without(mapping: Mapping, key: string): Mapping {
  return Object.fromEntries(Object.entries(mapping).filter(([name]) => name !== key));
}
