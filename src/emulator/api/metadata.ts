/**
 * Metadata in and out: its types as they come from outside, the rules for names, labels and annotations, and the
 * fields that belong to the server. Lengths and forms are those of k8s.io/apimachinery `pkg/util/validation`.
 */
import { type Parsed, parsed, unparsable } from '../../model/result.ts';
import type { ApiObject, ObjectMeta } from './api-object.ts';
import { isRecord, type JsonRecord, recordAt, without } from './json.ts';
import type { SelectableFields } from './selectors.ts';
import type { FieldFault } from './status.ts';

export const metadataFields: SelectableFields = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace ?? '',
};

const texts = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'];
const textMaps = ['labels', 'annotations'];

/** Metadata from JSON; ownership of fields is not kept, and empty maps are absent. Refuses fields of other types. */
export function parseMetadata(value: unknown): Parsed<ObjectMeta> {
  const raw = value ?? {};
  if (!isRecord(raw)) return unparsable('metadata must be an object');
  for (const name of texts) {
    if (raw[name] !== undefined && typeof raw[name] !== 'string') {
      return unparsable(`metadata.${name} must be a string`);
    }
  }
  const empty: string[] = ['managedFields', 'selfLink'];
  for (const name of textMaps) {
    const map = raw[name] ?? {};
    if (!isRecord(map)) return unparsable(`metadata.${name} must be an object`);
    const odd = Object.entries(map).find(([, member]) => typeof member !== 'string');
    if (odd !== undefined) return unparsable(`metadata.${name}[${odd[0]}] must be a string`);
    if (Object.keys(map).length === 0) empty.push(name);
  }
  const kept = without(raw, ...empty, ...texts.filter((name) => raw[name] === ''));
  return parsed({ ...kept, name: '', ...recordAt(kept) });
}

const systemFields = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
];

/** Without what only the server sets. */
export function withoutSystemFields(metadata: ObjectMeta): ObjectMeta {
  return { name: metadata.name, ...without(metadata, ...systemFields, 'resourceVersion') };
}

/** The new metadata under the server's fields of the current object. */
export function underSystemFields(next: ObjectMeta, current: ObjectMeta): ObjectMeta {
  const kept: JsonRecord = Object.fromEntries(
    Object.entries(current).filter(([name]) => [...systemFields, 'resourceVersion'].includes(name)),
  );
  return { ...withoutSystemFields(next), ...kept, name: current.name };
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const keyName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const longestLabel = 63;
const longestSubdomain = 253;
/** All annotations of an object together, keys and values. */
const largestAnnotationsBytes = 256 * 1024;

export function dnsLabelFault(name: string, field: string): FieldFault | undefined {
  if (dnsLabel.test(name) && name.length <= longestLabel) return undefined;
  return { kind: 'Invalid', field, value: name, detail: 'must be a lowercase RFC 1123 label' };
}

/** Whether a text may be the key of a label. */
export function isKey(key: string): boolean {
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  const [prefix, ...more] = parts;
  if (more.length > 0) return false;
  if (prefix !== undefined && (!dnsSubdomain.test(prefix) || prefix.length > longestSubdomain)) return false;
  return keyName.test(name) && name.length <= longestLabel;
}

/** What is wrong with a name, labels or annotations. */
export function metadataFaults({ metadata }: ApiObject): readonly FieldFault[] {
  const { name, labels = {}, annotations = {} } = metadata;
  const faults: FieldFault[] = [];
  if (name === '') {
    const detail = 'name or generateName is required';
    faults.push({ kind: 'Required', field: 'metadata.name', detail });
  } else if (!dnsSubdomain.test(name) || name.length > longestSubdomain) {
    const detail = 'must be a lowercase RFC 1123 subdomain';
    faults.push({ kind: 'Invalid', field: 'metadata.name', value: name, detail });
  }
  const keyDetail = 'must be a qualified name of at most 63 characters, with an optional DNS prefix';
  for (const [key, value] of Object.entries(labels)) {
    if (!isKey(key))
      faults.push({ kind: 'Invalid', field: 'metadata.labels', value: key, detail: keyDetail });
    if (!labelValue.test(value) || value.length > longestLabel) {
      const detail =
        'must be at most 63 characters of letters, digits, - _ and ., begun and ended by letter or digit';
      faults.push({ kind: 'Invalid', field: 'metadata.labels', value, detail });
    }
  }
  let annotationsBytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    // The real server checks annotation keys in lower case.
    if (!isKey(key.toLowerCase())) {
      faults.push({ kind: 'Invalid', field: 'metadata.annotations', value: key, detail: keyDetail });
    }
    annotationsBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (annotationsBytes > largestAnnotationsBytes) {
    const detail = `may not be more than ${largestAnnotationsBytes} bytes`;
    faults.push({ kind: 'Invalid', field: 'metadata.annotations', value: String(annotationsBytes), detail });
  }
  return faults;
}
