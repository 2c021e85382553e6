/** The operations that bring one container to what the vendors want; none when it is there already. */
import type { JsonPatchOperation, RawAdmissionContainer } from '../wire/admission-review.ts';
import { set } from './json-patch.ts';

/** Limits and environment variables to set, by name. */
export interface ContainerEdits {
  readonly limits: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

/** @param list `initContainers` or `containers` */
export function patchContainer(
  raw: RawAdmissionContainer,
  edits: ContainerEdits,
  list: string,
  index: number,
): readonly JsonPatchOperation[] {
  const at = ['spec', list, index] as const;
  return [
    ...patchLimits(raw, edits.limits, at),
    ...patchRequests(raw, edits.limits, at),
    ...patchEnv(raw, edits.env, at),
  ];
}

type Place = readonly (string | number)[];

function patchLimits(
  { resources }: RawAdmissionContainer,
  limits: ContainerEdits['limits'],
  at: Place,
): readonly JsonPatchOperation[] {
  const missing = Object.entries(limits).filter(
    ([name, value]) => String(resources?.limits?.[name]) !== value,
  );
  if (missing.length === 0) return [];
  if ((resources ?? undefined) === undefined) return [set({ limits }, ...at, 'resources')];
  if ((resources?.limits ?? undefined) === undefined) return [set(limits, ...at, 'resources', 'limits')];
  return missing.map(([name, value]) => set(value, ...at, 'resources', 'limits', name));
}

/** Requests of extended resources must equal their limits; those that are absent become so by themselves. */
function patchRequests(
  { resources }: RawAdmissionContainer,
  limits: ContainerEdits['limits'],
  at: Place,
): readonly JsonPatchOperation[] {
  return Object.entries(limits)
    .filter(([name, value]) => {
      const written = resources?.requests?.[name] ?? undefined;
      return written !== undefined && String(written) !== value;
    })
    .map(([name, value]) => set(value, ...at, 'resources', 'requests', name));
}

function patchEnv(
  { env }: RawAdmissionContainer,
  wanted: ContainerEdits['env'],
  at: Place,
): readonly JsonPatchOperation[] {
  const entries = Object.entries(wanted).map(([name, value]) => ({ name, value }));
  if (entries.length === 0) return [];
  if ((env ?? undefined) === undefined) return [set(entries, ...at, 'env')];
  return entries.flatMap((entry) => {
    // Of several entries with one name the last is in force.
    const place = env?.findLastIndex(({ name }) => name === entry.name) ?? -1;
    if (place < 0) return [set(entry, ...at, 'env', '-')];
    return (env?.[place]?.value ?? '') === entry.value
      ? []
      : [{ op: 'replace', path: set(entry, ...at, 'env', place).path, value: entry }];
  });
}
