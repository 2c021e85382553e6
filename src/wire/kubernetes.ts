/**
 * Reads pods and nodes from Kubernetes JSON, keeping only what Tessera uses. The schemas name just those fields:
 * everything else passes unread, and a used field of the wrong type refuses the object with its place.
 */
import type { ContainerRole } from '../model/container-role.ts';
import type {
  ContainerObject,
  NodeObject,
  PodObject,
  PodPhase,
  QuotaObject,
  TextMap,
} from '../model/cluster-objects.ts';
import { type Parsed, parsed } from '../model/result.ts';
import { type JsonSchema, schemaParser } from './validate.ts';

const text = { type: 'string', nullable: true };
const integer = { type: 'integer', nullable: true };
const texts = { type: 'object', nullable: true, additionalProperties: { type: 'string' } };
/** Written as text by the API server, as a number by people. */
const quantities = {
  type: 'object',
  nullable: true,
  additionalProperties: { type: ['string', 'number'] },
};
const list = (items: JsonSchema) => ({ type: 'array', nullable: true, items: { ...items, nullable: false } });
const record = (properties: Record<string, unknown>) => ({ type: 'object', nullable: true, properties });

const metadata = record({
  name: text,
  namespace: text,
  uid: text,
  resourceVersion: text,
  creationTimestamp: text,
  deletionTimestamp: text,
  deletionGracePeriodSeconds: integer,
  annotations: texts,
  labels: texts,
});
const container = record({
  name: text,
  restartPolicy: text,
  resources: record({ limits: quantities, requests: quantities }),
});
const containerStatus = record({
  name: text,
  state: record({ running: record({}), terminated: record({ exitCode: integer }) }),
});

export const podStatusSchema = record({
  phase: text,
  initContainerStatuses: list(containerStatus),
  containerStatuses: list(containerStatus),
  ephemeralContainerStatuses: list(containerStatus),
});

export const podSchema: JsonSchema = {
  type: 'object',
  properties: {
    metadata,
    spec: record({
      nodeName: text,
      schedulerName: text,
      priority: integer,
      terminationGracePeriodSeconds: integer,
      initContainers: list(container),
      containers: list(container),
    }),
    status: podStatusSchema,
  },
};

export const nodeSchema: JsonSchema = {
  type: 'object',
  properties: { metadata, status: record({ capacity: quantities, allocatable: quantities }) },
};

export const quotaSchema: JsonSchema = {
  type: 'object',
  properties: { metadata, spec: record({ hard: quantities }) },
};

type Maybe<T> = T | null | undefined;
type RawQuantities = Maybe<Readonly<Record<string, string | number>>>;

interface RawMetadata {
  readonly name?: Maybe<string>;
  readonly namespace?: Maybe<string>;
  readonly uid?: Maybe<string>;
  readonly resourceVersion?: Maybe<string>;
  readonly creationTimestamp?: Maybe<string>;
  readonly deletionTimestamp?: Maybe<string>;
  readonly deletionGracePeriodSeconds?: Maybe<number>;
  readonly annotations?: Maybe<TextMap>;
  readonly labels?: Maybe<TextMap>;
}

interface RawContainer {
  readonly name?: Maybe<string>;
  readonly restartPolicy?: Maybe<string>;
  readonly resources?: Maybe<{ readonly limits?: RawQuantities; readonly requests?: RawQuantities }>;
}

interface RawContainerStatus {
  readonly name?: Maybe<string>;
  readonly state?: Maybe<{
    readonly running?: Maybe<object>;
    readonly terminated?: Maybe<{ readonly exitCode?: Maybe<number> }>;
  }>;
}

export interface RawPod {
  readonly metadata?: Maybe<RawMetadata>;
  readonly spec?: Maybe<{
    readonly nodeName?: Maybe<string>;
    readonly schedulerName?: Maybe<string>;
    readonly priority?: Maybe<number>;
    readonly terminationGracePeriodSeconds?: Maybe<number>;
    readonly initContainers?: Maybe<readonly RawContainer[]>;
    readonly containers?: Maybe<readonly RawContainer[]>;
  }>;
  readonly status?: Maybe<{
    readonly phase?: Maybe<string>;
    readonly initContainerStatuses?: Maybe<readonly RawContainerStatus[]>;
    readonly containerStatuses?: Maybe<readonly RawContainerStatus[]>;
    readonly ephemeralContainerStatuses?: Maybe<readonly RawContainerStatus[]>;
  }>;
}

export interface RawNode {
  readonly metadata?: Maybe<RawMetadata>;
  readonly status?: Maybe<{ readonly capacity?: RawQuantities; readonly allocatable?: RawQuantities }>;
}

interface RawQuota {
  readonly metadata?: Maybe<RawMetadata>;
  readonly spec?: Maybe<{ readonly hard?: RawQuantities }>;
}

const readRawQuota = schemaParser<RawQuota>(quotaSchema);
const readRawPod = schemaParser<RawPod>(podSchema);
const readRawNode = schemaParser<RawNode>(nodeSchema);

/** A pod from JSON of any origin; fields that are absent or null take Kubernetes' defaults. Never throws. */
export function parsePod(value: unknown): Parsed<PodObject> {
  const raw = readRawPod(value);
  return raw.ok ? parsed(podFrom(raw.value)) : raw;
}

/** A node from JSON of any origin. Never throws. */
export function parseNode(value: unknown): Parsed<NodeObject> {
  const raw = readRawNode(value);
  return raw.ok ? parsed(nodeFrom(raw.value)) : raw;
}

/** A ResourceQuota from JSON of any origin. Never throws. */
export function parseQuota(value: unknown): Parsed<QuotaObject> {
  const raw = readRawQuota(value);
  if (!raw.ok) return raw;
  const { metadata, spec } = raw.value;
  return parsed({
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    hard: quantityTexts(spec?.hard),
  });
}

/** Kubernetes' default `terminationGracePeriodSeconds`. */
const defaultGracePeriodSeconds = 30;

/** Trims a pod that `podSchema` has admitted. */
export function podFrom(raw: RawPod): PodObject {
  const { metadata, spec, status } = raw;
  const containers = [
    ...(spec?.initContainers ?? []).map((entry) => containerFrom(entry, initRoleOf(entry))),
    ...(spec?.containers ?? []).map((entry) => containerFrom(entry, 'app')),
  ];
  const statuses = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  return {
    uid: metadata?.uid ?? '',
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    annotations: metadata?.annotations ?? {},
    labels: metadata?.labels ?? {},
    creationTimestamp: metadata?.creationTimestamp ?? '',
    deleting: (metadata?.deletionTimestamp ?? '') !== '',
    gracePeriodSeconds: Math.max(
      metadata?.deletionGracePeriodSeconds ?? 0,
      spec?.terminationGracePeriodSeconds ?? defaultGracePeriodSeconds,
    ),
    ...((spec?.nodeName ?? '') === '' ? {} : { nodeName: spec?.nodeName ?? '' }),
    schedulerName: spec?.schedulerName ?? '',
    priority: spec?.priority ?? 0,
    phase: phaseOf(status?.phase),
    containers,
    running: statuses.some((entry) => (entry.state?.running ?? undefined) !== undefined),
    initFinished: hasInitFinished(containers, status?.initContainerStatuses ?? []),
  };
}

/** Trims a node that `nodeSchema` has admitted. */
export function nodeFrom(raw: RawNode): NodeObject {
  const { metadata, status } = raw;
  return {
    name: metadata?.name ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    annotations: metadata?.annotations ?? {},
    labels: metadata?.labels ?? {},
    capacity: quantityTexts(status?.capacity),
    allocatable: quantityTexts(status?.allocatable),
  };
}

function containerFrom(raw: RawContainer, role: ContainerRole): ContainerObject {
  return {
    name: raw.name ?? '',
    role,
    limits: quantityTexts(raw.resources?.limits),
    requests: quantityTexts(raw.resources?.requests),
  };
}

function initRoleOf(raw: RawContainer): ContainerRole {
  return raw.restartPolicy === 'Always' ? 'sidecar' : 'init';
}

const noQuantities: TextMap = {};

/** What is text already, as the API server writes it, is taken as it is. */
function quantityTexts(quantities: RawQuantities): TextMap {
  if (quantities === null || quantities === undefined) return noQuantities;
  if (isTexts(quantities)) return quantities;
  return Object.fromEntries(Object.entries(quantities).map(([name, value]) => [name, String(value)]));
}

function isTexts(quantities: Readonly<Record<string, string | number>>): quantities is TextMap {
  return Object.values(quantities).every((value) => typeof value === 'string');
}

const phases: readonly PodPhase[] = ['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'];

function phaseOf(value: Maybe<string>): PodPhase {
  return phases.find((phase) => phase === value) ?? 'Pending';
}

function hasInitFinished(
  containers: readonly ContainerObject[],
  statuses: readonly RawContainerStatus[],
): boolean {
  const finished = new Set(
    statuses.filter((entry) => entry.state?.terminated?.exitCode === 0).map((entry) => entry.name),
  );
  return containers.every(({ role, name }) => role !== 'init' || finished.has(name));
}
