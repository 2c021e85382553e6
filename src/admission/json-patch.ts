/** RFC 6902 operations on a pod, built for one field at a time so that unknown fields are never touched (Q22). */
import type { JsonPatchOperation } from '../wire/admission-review.ts';

/** A JSON pointer from its segments, escaped as RFC 6901 says. */
export function pointer(...segments: readonly (string | number)[]): string {
  return segments
    .map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

/** Sets a member of an object; on an existing one, `add` replaces (RFC 6902 §4.1). */
export function set(value: unknown, ...segments: readonly (string | number)[]): JsonPatchOperation {
  return { op: 'add', path: pointer(...segments), value };
}

export function remove(...segments: readonly (string | number)[]): JsonPatchOperation {
  return { op: 'remove', path: pointer(...segments) };
}
