/**
 * Reads HAMi's `device-config.yaml` as it is (spec §3.2, and §1.1 of the other vendors). The file is not ours: keys and
 * blocks we do not know are warned about and never fatal, as its own reader skips them; a value of the wrong type is
 * refused with its place, because its own reader refuses it too. What it leaves out is left out of the answer.
 */
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { type FamilyConfig, isOnByDefault, type VendorFamily } from '../vendors/vendor-family.ts';
import { type VendorBlock, vendorFamilies } from '../vendors/vendors.ts';
import { isMapping, type Mapping } from '../wire/mapping.ts';
import { type JsonSchema, schemaParserWithDefaults } from '../wire/validate.ts';
import { parseYaml } from './yaml-text.ts';

export interface HamiDeviceConfig {
  /** By block, the keys written in the file; of families that are off unless it has them, with our switch. */
  readonly vendors: Readonly<Partial<Record<VendorBlock, Mapping>>>;
  readonly warnings: readonly string[];
}

interface Block {
  readonly name: VendorBlock;
  readonly family: VendorFamily<FamilyConfig>;
  /** Ours without the switch that HAMi does not have, and without defaults. */
  readonly schema: JsonSchema;
  readonly parse: (value: unknown) => Parsed<Mapping>;
}

const blocks = Object.entries(vendorFamilies).map(([name, family]) =>
  blockOf(name as VendorBlock, family as unknown as VendorFamily<FamilyConfig>),
);

function blockOf(name: VendorBlock, family: VendorFamily<FamilyConfig>): Block {
  const schema: JsonSchema = {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(family.settings.properties)
        .filter(([key]) => key !== 'enabled')
        .map(([key, rule]) => [key, without({ ...rule }, 'default')]),
    ),
  };
  const parse = schemaParserWithDefaults<Mapping>({
    type: 'object',
    additionalProperties: false,
    properties: { [name]: schema },
  });
  return { name, family, schema, parse };
}

/** Every block that a vendor of ours has, from the first document that has it. Never throws. */
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
  const vendors: Partial<Record<VendorBlock, Mapping>> = {};
  const warnings: string[] = [];
  for (const block of blocks) {
    const read = readBlock(block, mappings, warnings);
    if (!read.ok) return read;
    vendors[block.name] = read.value;
  }
  return parsed({ vendors, warnings: [...warnings, ...otherBlocks(mappings)] });
}

function readBlock(
  { name, family, schema, parse }: Block,
  documents: readonly Mapping[],
  warnings: string[],
): Parsed<Mapping> {
  const written = documents
    .map((document) => document[name] ?? null)
    .filter((value) => value !== null)
    .map((value) => family.fromHami?.(value) ?? value);
  const [first, ...more] = written;
  if (first === undefined) {
    if (!isOnByDefault(family)) return parsed({ enabled: false });
    warnings.push(`has no ${name} block; the defaults apply`);
    return parsed({});
  }
  if (more.length > 0) warnings.push(`has more than one ${name} block; only the first is read`);
  const understood = known({ [name]: first }, { properties: { [name]: schema } }, '', warnings) as Mapping;
  const block = parse({ [name]: withoutStale(understood[name], { name, family, parse }, warnings) });
  if (!block.ok) return block;
  const values = block.value[name] as Mapping;
  return parsed(isOnByDefault(family) ? values : { enabled: true, ...unnamed(family), ...values });
}

/** HAMi takes a name that its file leaves out for the empty one: there is no such resource. */
function unnamed({ settings }: VendorFamily<FamilyConfig>): Mapping {
  const names = Object.keys(settings.properties).filter((key) => resourceKey.test(key));
  return Object.fromEntries(names.map((key) => [key, '']));
}

/** A setting that names a resource. */
export const resourceKey = /^resource.*Name$/;

/** Keys that nobody reads any more, so that files carry them along in any state. */
function withoutStale(
  block: unknown,
  { name, family, parse }: Pick<Block, 'name' | 'family' | 'parse'>,
  warnings: string[],
): unknown {
  let kept = block;
  for (const key of family.staleInHami ?? []) {
    if (!isMapping(kept) || kept[key] === undefined) continue;
    const alone = parse({ [name]: { [key]: kept[key] } });
    if (alone.ok) continue;
    warnings.push(`${alone.problem}; the key is ignored, as by HAMi since v2.10`);
    kept = without(kept, key);
  }
  return kept;
}

/** A block, however deep, in which a value stands. */
function saysSomething(value: unknown): boolean {
  if (typeof value !== 'object') return true;
  return value !== null && Object.values(value).some(saysSomething);
}

function otherBlocks(documents: readonly Mapping[]): string[] {
  const keys = new Set(documents.flatMap((document) => Object.keys(document)));
  for (const { name } of blocks) keys.delete(name);
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
