/**
 * The node annotation in which a HAMi device plugin publishes its devices: a JSON array (plugins from v2.8) or
 * colon-terminated CSV records (up to v2.7); spec §1.2 and §1.3. Order means nothing: plugins shuffle it every
 * 30 seconds, so the result is sorted. A value is taken whole or refused whole with the place of its fault.
 */
import { parseGoBool } from '../wire/go-values.ts';
import {
  compareDevices,
  compareText,
  type Device,
  type DeviceFacts,
  type VendorKey,
} from '../model/device.ts';
import type { MigPlacement } from '../model/mig.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { parseJson } from '../wire/json.ts';
import { isMapping } from '../wire/mapping.ts';
import { schemaParser } from '../wire/validate.ts';

/** What a family keeps of the free-form part of a device; the part is an object whose members are unchecked. */
export type FactsOf = (customInfo: Readonly<Record<string, unknown>>) => DeviceFacts | undefined;

/**
 * Reads a register annotation of either form. An empty list is refused: no plugin announces nothing.
 *
 * @param factsOf asked about each device that has a free-form part, which is JSON only
 */
export function parseRegister(
  value: string,
  vendor: VendorKey,
  factsOf?: FactsOf,
): Parsed<readonly Device[]> {
  const devices = value.trimStart().startsWith('[')
    ? parseJsonForm(value, vendor, factsOf)
    : parseCsv(value, vendor);
  if (!devices.ok) return devices;
  if (devices.value.length === 0) return unparsable('the annotation lists no device');
  return withUniqueIds([...devices.value].sort(compareDevices));
}

/**
 * True for a register of a plugin that may count app containers alone in an allocation: CSV is of v2.7 at the latest,
 * and `devicepairscore` is written by v2.8 and v2.9, which cannot be told apart (v2.9 counts all containers).
 */
export function isFromEarlyPlugin(value: string): boolean {
  return !value.trimStart().startsWith('[') || value.includes('"devicepairscore"');
}

interface JsonDevice {
  readonly id: string;
  readonly index?: number | null;
  readonly count?: number | null;
  readonly devmem?: number | null;
  readonly devcore?: number | null;
  readonly type?: string | null;
  readonly numa?: number | null;
  readonly mode?: string | null;
  readonly health?: boolean | null;
  readonly migProfiles?: readonly JsonMigProfile[] | null;
  readonly custominfo?: unknown;
}

interface JsonMigProfile {
  readonly name: string;
  readonly memoryMB: number;
  readonly core: number;
  readonly sliceCount: number;
  readonly placements: readonly MigPlacement[] | null;
}

const largestInt32 = 2 ** 31 - 1;
/** An id must survive the allocation string, whose separators these are. */
const idPattern = '^[^,:;\\s]+$';
const natural = { type: 'integer', minimum: 0, maximum: largestInt32 };
const amount = { ...natural, nullable: true };
const text = { type: 'string', nullable: true };

/** Instances are cut from a handful of slices; anything larger is no placement. */
const slice = { type: 'integer', minimum: 0, maximum: 1024 };

const migProfile = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1 },
    memoryMB: natural,
    core: natural,
    sliceCount: slice,
    placements: {
      type: 'array',
      nullable: true,
      items: {
        type: 'object',
        properties: { start: slice, size: { ...slice, minimum: 1 } },
        required: ['start', 'size'],
      },
    },
  },
  required: ['name', 'memoryMB', 'core', 'sliceCount', 'placements'],
};

const readDevices = schemaParser<readonly JsonDevice[]>({
  type: 'array',
  items: {
    type: 'object',
    properties: {
      id: { type: 'string', pattern: idPattern },
      index: amount,
      count: amount,
      devmem: amount,
      devcore: amount,
      type: text,
      numa: { type: 'integer', nullable: true },
      mode: text,
      health: { type: 'boolean', nullable: true },
      migProfiles: { type: 'array', nullable: true, items: migProfile },
    },
    required: ['id'],
  },
});

/** The mode of plugins that do not name one. */
const defaultMode = 'hami-core';

function parseJsonForm(
  value: string,
  vendor: VendorKey,
  factsOf: FactsOf | undefined,
): Parsed<readonly Device[]> {
  const json = parseJson(value);
  const devices = json.ok ? readDevices(json.value) : json;
  if (!devices.ok) return devices;
  const shared = new SharedProfiles();
  return parsed(
    devices.value.map((device) => ({
      id: device.id,
      vendor,
      index: device.index ?? 0,
      type: device.type ?? '',
      slots: device.count ?? 0,
      memoryMiB: device.devmem ?? 0,
      corePercent: device.devcore ?? 0,
      numa: device.numa ?? 0,
      mode: device.mode ?? defaultMode,
      // Writers omit false, so an absent `health` is an unhealthy card.
      healthy: device.health ?? false,
      ...shared.of(device.migProfiles ?? []),
      ...withFacts(device.custominfo, factsOf),
    })),
  );
}

function withFacts(customInfo: unknown, factsOf: FactsOf | undefined): Pick<Device, 'facts'> {
  const facts = isMapping(customInfo) ? factsOf?.(customInfo) : undefined;
  return facts === undefined ? {} : { facts };
}

/** Cards of one kind are cut alike: each kind's profiles are held once for all cards of a register. */
class SharedProfiles {
  readonly #byText = new Map<string, Pick<Device, 'migProfiles'>>();

  of(profiles: readonly JsonMigProfile[]): Pick<Device, 'migProfiles'> {
    if (profiles.length === 0) return {};
    const text = JSON.stringify(profiles);
    const known = this.#byText.get(text) ?? migProfilesFrom(profiles);
    this.#byText.set(text, known);
    return known;
  }
}

/** Sorted, so that a plugin which lists them in another order has said nothing new. */
function migProfilesFrom(profiles: readonly JsonMigProfile[]): Pick<Device, 'migProfiles'> {
  const migProfiles = profiles.map(({ name, memoryMB, core, sliceCount, placements }) => ({
    name,
    memoryMiB: memoryMB,
    corePercent: core,
    slices: sliceCount,
    placements: (placements ?? [])
      .map(({ start, size }) => ({ start, size }))
      .sort((a, b) => a.start - b.start || a.size - b.size),
  }));
  return {
    migProfiles: migProfiles.sort(
      (a, b) => a.memoryMiB - b.memoryMiB || a.slices - b.slices || compareText(a.name, b.name),
    ),
  };
}

function parseCsv(value: string, vendor: VendorKey): Parsed<readonly Device[]> {
  if (!value.includes(':')) return unparsable('node annotation missing device separator');
  const devices: Device[] = [];
  for (const record of value.split(':')) {
    if (record.trim() === '') continue;
    const device = parseCsvRecord(record, vendor);
    if (!device.ok) return device;
    devices.push(device.value);
  }
  return parsed(devices);
}

function parseCsvRecord(record: string, vendor: VendorKey): Parsed<Device> {
  const fields = record.split(',');
  if (fields.length === 1) return unparsable(`malformed node annotation segment: ${JSON.stringify(record)}`);
  if (fields.length !== 7 && fields.length !== 9) {
    return unparsable(`unexpected field count ${fields.length} in node annotation`);
  }
  const [id = '', count = '', memory = '', core = '', type = '', numa = '', health = ''] = fields;
  const [index = '0', mode = defaultMode] = fields.slice(7);
  if (!new RegExp(idPattern).test(id.trim())) return unparsable(`invalid id field: ${JSON.stringify(id)}`);
  const numbers = { count, memory, core, numa, index };
  for (const [field, written] of Object.entries(numbers)) {
    if (!isInt32(written)) return unparsable(`invalid ${field} field: ${JSON.stringify(written)}`);
    if (Number(written) < 0 && field !== 'numa') {
      return unparsable(`${field} field must not be negative: ${written}`);
    }
  }
  const healthy = parseGoBool(health);
  if (!healthy.ok) return unparsable(`invalid health field: ${JSON.stringify(health)}`);
  return parsed({
    id: id.trim(),
    vendor,
    index: Number(index),
    type,
    slots: Number(count),
    memoryMiB: Number(memory),
    corePercent: Number(core),
    numa: Number(numa),
    mode,
    healthy: healthy.value,
  });
}

/** True for a base-10 integer that fits 32 bits; `Number` alone would take '' and '0x1f'. */
export function isInt32(text: string): boolean {
  return /^[+-]?\d{1,10}$/.test(text) && Math.abs(Number(text)) <= largestInt32;
}

/** Refuses a list that has an id twice. */
export function withUniqueIds(devices: readonly Device[]): Parsed<readonly Device[]> {
  const seen = new Set<string>();
  for (const { id } of devices) {
    if (seen.has(id)) return unparsable(`device ${JSON.stringify(id)} is listed twice`);
    seen.add(id);
  }
  return parsed(devices);
}
