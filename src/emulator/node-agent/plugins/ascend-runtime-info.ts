/**
 * What Huawei's plugin reads beside the allocation: for each card of the pod, its template or its quota (vendors §2.8).
 * Taken whole or refused whole, by the letter of the format.
 */
import { type Parsed, parsed, unparsable } from '../../../model/result.ts';
import { parseJson } from '../../../wire/json.ts';
import { isRecord } from '../../api/json.ts';

export interface RuntimeInfo {
  /** A whole card, or hami-core, where absent. */
  readonly template?: string;
  readonly memoryMiB?: number;
  readonly cores?: number;
}

const keys = ['UUID', 'temp', 'memory', 'core'];

/** By card: of two entries for one card the last counts, as in the plugin. Never throws. */
export function parseRuntimeInfos(value: string): Parsed<ReadonlyMap<string, RuntimeInfo>> {
  const json = parseJson(value);
  if (!json.ok) return json;
  if (!Array.isArray(json.value)) return unparsable('not an array');
  const infos = new Map<string, RuntimeInfo>();
  for (const item of json.value as unknown[]) {
    if (!isRecord(item)) return unparsable('an entry is no object');
    const stranger = Object.keys(item).find((key) => !keys.includes(key));
    if (stranger !== undefined) return unparsable(`an entry has the key ${stranger}`);
    const { UUID: id, temp, memory, core } = item;
    if (!isText(id)) return unparsable('an entry names no card');
    if (temp !== undefined && !isText(temp)) return unparsable(`card ${id}: temp is no name`);
    if (memory !== undefined && !isAmount(memory)) return unparsable(`card ${id}: memory is no amount`);
    if (core !== undefined && !isAmount(core)) return unparsable(`card ${id}: core is no amount`);
    infos.set(id, {
      ...(temp === undefined ? {} : { template: temp }),
      ...(memory === undefined ? {} : { memoryMiB: memory }),
      ...(core === undefined ? {} : { cores: core }),
    });
  }
  return parsed(infos);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Zero is left out by whoever writes. */
function isAmount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}
