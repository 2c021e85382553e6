/**
 * A PATCH body applied to an object as it is written on the wire, chosen by content type. Server-side apply
 * (`application/apply-patch+yaml`) is refused with 415: field ownership is not kept here. `kubectl apply` works
 * without it, by strategic merge; `kubectl apply --server-side` does not.
 */
import { isRecord, type JsonRecord } from './json.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { ApiError, badRequest, unsupportedMediaType } from './status.ts';
import { strategicMerge } from './strategic-merge.ts';

/** The patched object. Throws ApiError: 400 for what is no patch, 415 for another type, 422 for one that fails. */
export function applyPatch(contentType: string | undefined, target: JsonRecord, body: string): JsonRecord {
  const type = mediaTypeOf(contentType);
  if (type === 'application/apply-patch+yaml') {
    throw unsupportedMediaType(
      'server-side apply is not served by this emulator; send a merge, strategic merge or JSON patch',
    );
  }
  const merge = merges[type];
  if (merge === undefined && type !== 'application/json-patch+json') {
    throw unsupportedMediaType(
      `a patch must be one of ${Object.keys(merges).join(', ')}, application/json-patch+json`,
    );
  }
  const patch = parseBody(body);
  if (merge !== undefined) {
    if (!isRecord(patch)) throw badRequest('error decoding patch: not a JSON object');
    return ensureObject(merge(target, patch));
  }
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: not a JSON array');
  const patched = jsonPatch(target, patch);
  if (!patched.ok) {
    throw new ApiError(422, 'Invalid', `the JSON patch cannot be applied: ${patched.problem}`, {
      details: {},
    });
  }
  return ensureObject(patched.value);
}

const merges: Readonly<Record<string, (target: unknown, patch: unknown) => unknown>> = {
  'application/merge-patch+json': mergePatch,
  'application/strategic-merge-patch+json': strategicMerge,
};

/** The type without its parameters, in lower case. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function ensureObject(value: unknown): JsonRecord {
  if (!isRecord(value)) throw new ApiError(422, 'Invalid', 'the patch leaves no object', { details: {} });
  return value;
}
