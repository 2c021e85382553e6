/** MetaX's own annotation of what each container gets (vendors §8.8), by the letter of its format. */
import { type Parsed, parsed, unparsable } from '../../../model/result.ts';
import { parseJson } from '../../../wire/json.ts';
import { isRecord } from '../../api/json.ts';

export interface MetaxPart {
  readonly id: string;
  readonly memoryMiB: number;
  /** Percent of the card; 0 for one that takes what is left over. */
  readonly compute: number;
}

const keys = ['uuid', 'compute', 'vRam'];

/** Per container, those without cards included. Never throws. */
export function parseMetaxParts(value: string): Parsed<readonly (readonly MetaxPart[])[]> {
  const json = parseJson(value);
  if (!json.ok) return json;
  if (!Array.isArray(json.value)) return unparsable('not an array');
  const containers: MetaxPart[][] = [];
  for (const container of json.value as unknown[]) {
    if (!Array.isArray(container)) return unparsable('a container is no array');
    const parts: MetaxPart[] = [];
    for (const item of container as unknown[]) {
      const part = readPart(item);
      if (!part.ok) return part;
      parts.push(part.value);
    }
    containers.push(parts);
  }
  return parsed(containers);
}

/** Zeros are left out by whoever writes. */
function readPart(item: unknown): Parsed<MetaxPart> {
  if (!isRecord(item)) return unparsable('a card is no object');
  const stranger = Object.keys(item).find((key) => !keys.includes(key));
  if (stranger !== undefined) return unparsable(`a card has the key ${stranger}`);
  const { uuid, compute, vRam } = item;
  if (typeof uuid !== 'string' || uuid === '') return unparsable('a card has no uuid');
  if (!isAmount(compute)) return unparsable(`card ${uuid}: compute is no amount`);
  if (!isAmount(vRam)) return unparsable(`card ${uuid}: vRam is no amount`);
  return parsed({ id: uuid, memoryMiB: vRam ?? 0, compute: compute ?? 0 });
}

function isAmount(value: unknown): value is number | undefined {
  return value === undefined || (Number.isInteger(value) && (value as number) > 0);
}
