/**
 * Events, stored once in the form of core v1 and also served as `events.k8s.io/v1`, whose field names differ.
 * kube-scheduler writes the newer form; `kubectl describe` reads the older.
 */
import { at, isRecord, type JsonRecord, textAt, without } from './json.ts';
import { metadataFields } from './metadata.ts';
import type { ResourceRules } from './resource-rules.ts';
import type { SelectableFields } from './selectors.ts';

const objectParts = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

function fieldsOf(objectField: string, controllerField: string): SelectableFields {
  return {
    ...metadataFields,
    ...Object.fromEntries(
      objectParts.map((part) => [`${objectField}.${part}`, (event) => textAt(event, 'involvedObject', part)]),
    ),
    reason: (event) => textAt(event, 'reason'),
    type: (event) => textAt(event, 'type'),
    [controllerField]: (event) => textAt(event, 'reportingComponent'),
  };
}

export const eventFields: SelectableFields = {
  ...fieldsOf('involvedObject', 'reportingComponent'),
  source: (event) => textAt(event, 'source', 'component') || textAt(event, 'reportingComponent'),
};
export const eventV1Fields = fieldsOf('regarding', 'reportingController');

export const eventRules: ResourceRules = {
  faults: (event) => {
    const involved = textAt(event, 'involvedObject', 'namespace');
    const { namespace = '' } = event.metadata;
    // Events about objects that have no namespace live in `default`.
    const expected = involved === '' ? 'default' : involved;
    if (namespace === expected) return [];
    return [
      {
        kind: 'Invalid',
        field: 'involvedObject.namespace',
        value: involved,
        detail: 'does not match event.namespace',
      },
    ];
  },
};

/** Core v1 names and those of `events.k8s.io/v1`. */
const names: readonly (readonly [string, string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];

function renamed(event: JsonRecord, pairs: readonly (readonly [string, string])[]): JsonRecord {
  const moved = pairs.flatMap(([from, to]) =>
    event[from] === undefined ? [] : [[to, event[from]] as const],
  );
  return { ...without(event, ...pairs.flat()), ...Object.fromEntries(moved) };
}

export function eventToV1(event: JsonRecord): JsonRecord {
  return renamed(event, names);
}

export function eventFromV1(event: JsonRecord): JsonRecord {
  const core = renamed(
    event,
    names.map(([from, to]) => [to, from]),
  );
  return isRecord(at(core, 'involvedObject')) ? core : { ...core, involvedObject: {} };
}
