/**
 * The kinds of a pod's shares as a pod annotation, because no allocation's entry has room for them. JSON: by the family's
 * key one list per container, init containers first, with a word for every share in the allocation's order and `null` for
 * one that has no kind. It is written with the Binding and sealed with the allocation: what a pod's own annotations say of
 * kinds, a tenant may change afterwards. A value is taken whole or refused whole.
 */
import type { Allocation } from '../model/allocation.ts';
import type { VendorKey } from '../model/device.ts';
import { type Parsed, parsed } from '../model/result.ts';
import { parseJson } from '../wire/json.ts';
import { schemaParser } from '../wire/validate.ts';

/** Of each container of a family, in the order of its shares. */
export type ContainerKinds = readonly (readonly (string | null)[])[];
export type ShareKinds = ReadonlyMap<VendorKey, ContainerKinds>;

/** The value for shares of which none has a kind, where one is needed to displace another. */
export const noKindsValue = '{}';

/** The value for an allocation; undefined when none of its shares has a kind. Families without kinds are left out. */
export function encodeKinds(allocation: Allocation): string | undefined {
  const kinded = allocation.flat().filter(({ kind }) => kind !== undefined);
  if (kinded.length === 0) return undefined;
  const families = new Set(kinded.map(({ vendor }) => vendor));
  const kindsOf = (family: VendorKey) =>
    allocation.map((shares) =>
      shares.filter(({ vendor }) => vendor === family).map(({ kind }) => kind ?? null),
    );
  return JSON.stringify(Object.fromEntries([...families].map((family) => [family, kindsOf(family)])));
}

const readKinds = schemaParser<Readonly<Record<VendorKey, ContainerKinds>>>({
  type: 'object',
  additionalProperties: {
    type: 'array',
    items: { type: 'array', items: { type: ['string', 'null'] } },
  },
});

/** Reads what `encodeKinds` wrote. Never throws. */
export function decodeKinds(value: string): Parsed<ShareKinds> {
  const json = parseJson(value);
  const kinds = json.ok ? readKinds(json.value) : json;
  return kinds.ok ? parsed(new Map(Object.entries(kinds.value))) : kinds;
}
