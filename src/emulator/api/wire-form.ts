/**
 * Objects between their stored form and JSON on the wire: reading refuses another kind or version than the path names;
 * writing keeps each object's text, since one change is sent to many watchers.
 */
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { ApiObject } from './api-object.ts';
import { isRecord, type JsonRecord, textAt, without, withoutNulls } from './json.ts';
import { parseMetadata } from './metadata.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { ApiError, badRequest } from './status.ts';

/** An object of this resource, with its kind's defaults. Refuses other kinds and fields of other types. */
export function readObject(resource: Resource, value: unknown): Parsed<ApiObject> {
  const cleaned = withoutNulls(value);
  if (!isRecord(cleaned)) return unparsable(`the object provided is no ${resource.kind}`);
  const expected = apiVersionOf(resource);
  const apiVersion = textAt(cleaned, 'apiVersion') || expected;
  const kind = textAt(cleaned, 'kind') || resource.kind;
  if (apiVersion !== expected) {
    return unparsable(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  }
  const cannot = `${kind} in version "${resource.version}" cannot be handled as a ${resource.kind}`;
  if (kind !== resource.kind) return unparsable(cannot);
  const metadata = parseMetadata(cleaned['metadata']);
  if (!metadata.ok) return unparsable(`${cannot}: ${metadata.problem}`);
  const fields = without(cleaned, 'apiVersion', 'kind', 'metadata');
  const stored = { ...(resource.fromWire?.(fields) ?? fields), metadata: metadata.value };
  const decoded = resource.rules.decode?.(stored) ?? parsed(stored);
  return decoded.ok ? decoded : unparsable(`${cannot}: ${decoded.problem}`);
}

/** As `readObject`, for what POST and PUT send. Throws ApiError 400. */
export function readSent(resource: Resource, value: unknown): ApiObject {
  const object = readObject(resource, value);
  if (!object.ok) throw badRequest(object.problem);
  return object.value;
}

/** As `readObject`, for what a patch made. Throws ApiError 422, since the patch was understood. */
export function readPatched(resource: Resource, value: unknown): ApiObject {
  const object = readObject(resource, value);
  if (!object.ok) throw new ApiError(422, 'Invalid', `the patch makes no valid object: ${object.problem}`);
  return object.value;
}

/** The object as clients write and read it. */
export function wireObject(resource: Resource, object: ApiObject): JsonRecord {
  return { kind: resource.kind, apiVersion: apiVersionOf(resource), ...wireFields(resource, object) };
}

function wireFields(resource: Resource, object: ApiObject): JsonRecord {
  const { metadata, ...fields } = object;
  return { metadata, ...(resource.toWire?.(fields) ?? fields) };
}

const texts = new WeakMap<ApiObject, Map<Resource, string>>();

/** The object's JSON without `kind` and `apiVersion`, as lists hold it. */
export function itemText(resource: Resource, object: ApiObject): string {
  let known = texts.get(object);
  if (known === undefined) {
    known = new Map();
    texts.set(object, known);
  }
  let text = known.get(resource);
  if (text === undefined) {
    text = JSON.stringify(wireFields(resource, object));
    known.set(resource, text);
  }
  return text;
}

/** The object's JSON on its own. */
export function objectText(resource: Resource, object: ApiObject): string {
  const head = JSON.stringify({ kind: resource.kind, apiVersion: apiVersionOf(resource) });
  return `${head.slice(0, -1)},${itemText(resource, object).slice(1)}`;
}
