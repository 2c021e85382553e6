/**
 * The cluster as the migration check sees it: nodes, pods and quotas as everybody here reads them, and of the objects
 * around a scheduler only the fields that tell of HAMi. Nothing is fetched here; raw objects are handed in, and one that
 * cannot be read is kept by name, because a cluster with a hole in it must not look sound.
 */
import { type NodeObject, type PodObject, type QuotaObject, withIdentity } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { parseNode, parsePod, parseQuota } from '../wire/kubernetes.ts';
import { schemaParser } from '../wire/validate.ts';
import type { ObjectReference } from './finding.ts';

/** The kinds that are looked at; the first two make a cluster, the others may be missing. */
export const lookedAtKinds = [
  'Node',
  'Pod',
  'ResourceQuota',
  'MutatingWebhookConfiguration',
  'ConfigMap',
  'Lease',
] as const;
export type LookedAtKind = (typeof lookedAtKinds)[number];

export interface RawObject {
  readonly kind: LookedAtKind;
  readonly value: unknown;
}

export interface RawCluster {
  readonly objects: readonly RawObject[];
  /** Kinds of which nothing could be had, with the cause. */
  readonly missing: ReadonlyMap<LookedAtKind, string>;
}

/** A pod with what only its admission would look at. */
export interface PicturedPod {
  readonly pod: PodObject;
  /** Names of its privileged containers. */
  readonly privileged: readonly string[];
  readonly images: readonly string[];
}

export interface PicturedWebhooks {
  readonly name: string;
  readonly webhooks: readonly { readonly name: string; readonly ignoresFailures: boolean }[];
}

export interface PicturedConfigMap {
  readonly namespace: string;
  readonly name: string;
  readonly data: Readonly<Record<string, string>>;
}

export interface PicturedLease {
  readonly namespace: string;
  readonly name: string;
  /** Empty when it is given up. */
  readonly holder: string;
  readonly heldUntilMs: number;
}

export interface ClusterPicture {
  readonly nodes: readonly NodeObject[];
  readonly pods: readonly PicturedPod[];
  readonly quotas: readonly QuotaObject[];
  readonly webhooks: readonly PicturedWebhooks[];
  readonly configMaps: readonly PicturedConfigMap[];
  readonly leases: readonly PicturedLease[];
  readonly unreadable: readonly { readonly object: ObjectReference; readonly problem: string }[];
  readonly missing: RawCluster['missing'];
}

/** Reads what was collected. Never throws. */
export function readPicture({ objects, missing }: RawCluster): ClusterPicture {
  const unreadable: { object: ObjectReference; problem: string }[] = [];
  const readAll = <T>(kind: LookedAtKind, parse: (value: unknown) => Parsed<T>): readonly T[] =>
    objects.flatMap((object, index) => {
      if (object.kind !== kind) return [];
      const read = parse(object.value);
      if (read.ok) return [read.value];
      unreadable.push({ object: referenceOf(object, index), problem: read.problem });
      return [];
    });
  return {
    nodes: readAll('Node', parseNode),
    pods: readAll('Pod', parsePicturedPod),
    quotas: readAll('ResourceQuota', parseQuota),
    webhooks: readAll('MutatingWebhookConfiguration', parseWebhooks),
    configMaps: readAll('ConfigMap', parseConfigMap),
    leases: readAll('Lease', parseLease),
    unreadable,
    missing,
  };
}

const text = { type: 'string', nullable: true };
const record = (properties: Readonly<Record<string, unknown>>) => ({
  type: 'object',
  nullable: true,
  properties,
});
const list = (items: Readonly<Record<string, unknown>>) => ({
  type: 'array',
  nullable: true,
  items: { ...items, nullable: false },
});
const whole = (properties: Readonly<Record<string, unknown>>) => ({ type: 'object', properties });
const metadata = record({ name: text, namespace: text });

interface RawMetadata {
  readonly name?: string | null;
  readonly namespace?: string | null;
}

const readMetadata = schemaParser<{ readonly metadata?: RawMetadata | null }>(whole({ metadata }));

function referenceOf({ kind, value }: RawObject, index: number): ObjectReference {
  const read = readMetadata(value);
  const { namespace, name } = (read.ok ? read.value.metadata : undefined) ?? {};
  return {
    kind,
    name: (name ?? '') === '' ? `number ${index + 1} of all objects` : (name ?? ''),
    ...((namespace ?? '') === '' ? {} : { namespace: namespace ?? '' }),
  };
}

interface RawContainer {
  readonly name?: string | null;
  readonly image?: string | null;
  readonly securityContext?: { readonly privileged?: boolean | null } | null;
}

interface RawContainers {
  readonly spec?: {
    readonly initContainers?: readonly RawContainer[] | null;
    readonly containers?: readonly RawContainer[] | null;
  } | null;
}

const container = record({
  name: text,
  image: text,
  securityContext: record({ privileged: { type: 'boolean', nullable: true } }),
});
const readContainers = schemaParser<RawContainers>(
  whole({ spec: record({ initContainers: list(container), containers: list(container) }) }),
);

function parsePicturedPod(value: unknown): Parsed<PicturedPod> {
  const pod = parsePod(value);
  if (!pod.ok) return pod;
  if (pod.value.name === '') return unparsable('the pod has no name');
  const raw = readContainers(value);
  if (!raw.ok) return raw;
  const { spec } = raw.value;
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return parsed({
    pod: withIdentity(pod.value),
    privileged: containers.flatMap(({ name, securityContext }) =>
      securityContext?.privileged === true ? [name ?? ''] : [],
    ),
    images: containers.flatMap(({ image }) => image ?? []),
  });
}

interface RawWebhooks {
  readonly metadata?: RawMetadata | null;
  readonly webhooks?:
    readonly { readonly name?: string | null; readonly failurePolicy?: string | null }[] | null;
}

const readWebhooks = schemaParser<RawWebhooks>(
  whole({ metadata, webhooks: list(record({ name: text, failurePolicy: text })) }),
);

function parseWebhooks(value: unknown): Parsed<PicturedWebhooks> {
  const raw = readWebhooks(value);
  if (!raw.ok) return raw;
  return parsed({
    name: raw.value.metadata?.name ?? '',
    webhooks: (raw.value.webhooks ?? []).map(({ name, failurePolicy }) => ({
      name: name ?? '',
      ignoresFailures: failurePolicy === 'Ignore',
    })),
  });
}

interface RawConfigMap {
  readonly metadata?: RawMetadata | null;
  readonly data?: Readonly<Record<string, string>> | null;
}

const readConfigMap = schemaParser<RawConfigMap>(
  whole({ metadata, data: { type: 'object', nullable: true, additionalProperties: { type: 'string' } } }),
);

function parseConfigMap(value: unknown): Parsed<PicturedConfigMap> {
  const raw = readConfigMap(value);
  if (!raw.ok) return raw;
  const { metadata: names, data } = raw.value;
  return parsed({ namespace: names?.namespace ?? '', name: names?.name ?? '', data: data ?? {} });
}

interface RawLease {
  readonly metadata?: RawMetadata | null;
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number | null;
    readonly renewTime?: string | null;
  } | null;
}

const readLease = schemaParser<RawLease>(
  whole({
    metadata,
    spec: record({
      holderIdentity: text,
      leaseDurationSeconds: { type: 'integer', nullable: true },
      renewTime: text,
    }),
  }),
);

/** kube-scheduler's default `leaseDuration`. */
const defaultLeaseSeconds = 15;

function parseLease(value: unknown): Parsed<PicturedLease> {
  const raw = readLease(value);
  if (!raw.ok) return raw;
  const { metadata: names, spec } = raw.value;
  const renewedMs = Date.parse(spec?.renewTime ?? '');
  const seconds = spec?.leaseDurationSeconds ?? defaultLeaseSeconds;
  return parsed({
    namespace: names?.namespace ?? '',
    name: names?.name ?? '',
    holder: spec?.holderIdentity ?? '',
    heldUntilMs: Number.isNaN(renewedMs) ? 0 : renewedMs + seconds * 1000,
  });
}
