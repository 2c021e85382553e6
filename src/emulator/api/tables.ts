/**
 * The `Table` form of answers (meta.k8s.io/v1), from which `kubectl get` prints: the usual columns of each kind, wide
 * ones marked by priority 1, and with each row the metadata of its object.
 */
import type { ApiObject } from './api-object.ts';
import { ageText } from './duration.ts';
import { at, type JsonRecord, listAt, numberAt, recordAt, textAt } from './json.ts';
import { podColumns } from './pod-table.ts';
import type { Resource } from './resources.ts';
import { wireObject } from './wire-form.ts';

export interface Column {
  readonly name: string;
  readonly type?: 'string' | 'integer';
  readonly format?: 'name' | '';
  /** Shown only with `-o wide`. */
  readonly wide?: true;
  readonly cell: (object: ApiObject, nowMs: number) => string | number;
}

const none = '<none>';
const unknown = '<unknown>';

const nameColumn: Column = { name: 'Name', format: 'name', cell: ({ metadata }) => metadata.name };
const ageColumn: Column = {
  name: 'Age',
  cell: ({ metadata }, nowMs) => ageText(metadata.creationTimestamp ?? '', nowMs),
};

const nodeColumns: readonly Column[] = [
  nameColumn,
  { name: 'Status', cell: nodeStatus },
  { name: 'Roles', cell: nodeRoles },
  ageColumn,
  { name: 'Version', cell: (node) => nodeInfo(node, 'kubeletVersion') },
  { name: 'Internal-IP', wide: true, cell: (node) => nodeAddress(node, 'InternalIP') },
  { name: 'External-IP', wide: true, cell: (node) => nodeAddress(node, 'ExternalIP') },
  { name: 'OS-Image', wide: true, cell: (node) => nodeInfo(node, 'osImage') || unknown },
  { name: 'Kernel-Version', wide: true, cell: nodeKernel },
  {
    name: 'Container-Runtime',
    wide: true,
    cell: (node) => nodeInfo(node, 'containerRuntimeVersion') || unknown,
  },
];

function nodeInfo(node: ApiObject, field: string): string {
  return textAt(node, 'status', 'nodeInfo', field);
}

function nodeStatus(node: ApiObject): string {
  const ready = listAt(node, 'status', 'conditions').find((entry) => textAt(entry, 'type') === 'Ready');
  const state = ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return at(node, 'spec', 'unschedulable') === true ? `${state},SchedulingDisabled` : state;
}

const rolePrefix = 'node-role.kubernetes.io/';

function nodeRoles({ metadata }: ApiObject): string {
  const labels = metadata.labels ?? {};
  const roles = Object.keys(labels)
    .filter((key) => key.startsWith(rolePrefix) && key.length > rolePrefix.length)
    .map((key) => key.slice(rolePrefix.length));
  const named = labels['kubernetes.io/role'] ?? '';
  return [...new Set([...roles, ...(named === '' ? [] : [named])])].toSorted().join(',') || none;
}

function nodeAddress(node: ApiObject, type: string): string {
  const found = listAt(node, 'status', 'addresses').find((address) => textAt(address, 'type') === type);
  return textAt(found, 'address') || none;
}

function nodeKernel(node: ApiObject): string {
  const architecture = nodeInfo(node, 'architecture');
  return `${nodeInfo(node, 'kernelVersion') || unknown}${architecture === '' ? '' : ` (${architecture})`}`;
}

const eventColumns: readonly Column[] = [
  { name: 'Last Seen', cell: lastSeen },
  { name: 'Type', cell: (event) => textAt(event, 'type') },
  { name: 'Reason', cell: (event) => textAt(event, 'reason') },
  { name: 'Object', cell: involvedObject },
  { name: 'Subobject', wide: true, cell: (event) => textAt(event, 'involvedObject', 'fieldPath') },
  { name: 'Source', wide: true, cell: eventSource },
  { name: 'Message', cell: (event) => textAt(event, 'message').trim() },
  { name: 'First Seen', wide: true, cell: firstSeen },
  {
    name: 'Count',
    wide: true,
    cell: (event) => String(numberAt(event, 'series', 'count') ?? numberAt(event, 'count') ?? 1),
  },
  { ...nameColumn, wide: true },
];

function firstSeen(event: ApiObject, nowMs: number): string {
  return ageText(textAt(event, 'firstTimestamp') || textAt(event, 'eventTime'), nowMs);
}

function lastSeen(event: ApiObject, nowMs: number): string {
  const last = textAt(event, 'series', 'lastObservedTime') || textAt(event, 'lastTimestamp');
  return last === '' ? firstSeen(event, nowMs) : ageText(last, nowMs);
}

function involvedObject(event: ApiObject): string {
  const kind = textAt(event, 'involvedObject', 'kind').toLowerCase();
  const name = textAt(event, 'involvedObject', 'name');
  return name === '' ? kind : `${kind}/${name}`;
}

function eventSource(event: ApiObject): string {
  const component = textAt(event, 'source', 'component') || textAt(event, 'reportingComponent');
  const host = textAt(event, 'source', 'host') || textAt(event, 'reportingInstance');
  return host === '' ? component : `${component}, ${host}`;
}

function entryCount(object: ApiObject): number {
  return Object.keys(recordAt(object, 'data')).length + Object.keys(recordAt(object, 'binaryData')).length;
}

const dataColumn: Column = { name: 'Data', type: 'integer', cell: entryCount };
const webhooksColumn: Column = {
  name: 'Webhooks',
  type: 'integer',
  cell: (configuration) => listAt(configuration, 'webhooks').length,
};

/** By plural; what is not here shows name and age. */
const columnsByPlural: Readonly<Record<string, readonly Column[]>> = {
  pods: podColumns,
  nodes: nodeColumns,
  events: eventColumns,
  namespaces: [
    nameColumn,
    { name: 'Status', cell: (namespace) => textAt(namespace, 'status', 'phase') },
    ageColumn,
  ],
  configmaps: [nameColumn, dataColumn, ageColumn],
  secrets: [nameColumn, { name: 'Type', cell: (secret) => textAt(secret, 'type') }, dataColumn, ageColumn],
  leases: [
    nameColumn,
    { name: 'Holder', cell: (lease) => textAt(lease, 'spec', 'holderIdentity') },
    ageColumn,
  ],
  mutatingwebhookconfigurations: [nameColumn, webhooksColumn, ageColumn],
  validatingwebhookconfigurations: [nameColumn, webhooksColumn, ageColumn],
};

export interface TableOptions {
  readonly nowMs: number;
  /** How much of each object goes along: its metadata unless asked otherwise. */
  readonly includeObject: string;
  /** Watches name the columns only once. */
  readonly withColumns: boolean;
}

/** Objects as a Table; `metadata` is the list's own. */
export function tableOf(
  resource: Resource,
  objects: readonly ApiObject[],
  metadata: JsonRecord,
  { nowMs, includeObject, withColumns }: TableOptions,
): JsonRecord {
  const columns = columnsByPlural[resource.plural] ?? [nameColumn, ageColumn];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withColumns ? columns.map(definitionOf) : null,
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, nowMs)),
      ...(includeObject === 'None' ? {} : { object: includedObject(resource, object, includeObject) }),
    })),
  };
}

function definitionOf({ name, type = 'string', format = '', wide }: Column): JsonRecord {
  return { name, type, format, description: '', priority: wide === true ? 1 : 0 };
}

function includedObject(resource: Resource, object: ApiObject, includeObject: string): JsonRecord {
  if (includeObject === 'Object') return wireObject(resource, object);
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}
