/**
 * Raw Kubernetes JSON for tests, as the API server, kube-scheduler or a snapshot file would hand it in; the readers
 * under test do the parsing. Nodes carry the register annotation of HAMi's NVIDIA plugin (spec §1.2).
 */
import type { ContainerRole } from '../../src/model/container-role.ts';
import type { Device } from '../../src/model/device.ts';
import type { RawNode, RawPod } from '../../src/wire/kubernetes.ts';
import { makeDevice } from './views.ts';

type Texts = Readonly<Record<string, string>>;

export interface GpuAmounts {
  readonly count?: number | string;
  readonly memoryMiB?: number | string;
  readonly memoryPercent?: number | string;
  readonly corePercent?: number | string;
}

/** Resource limits under NVIDIA's default names, e.g. `gpuLimits({ count: 1, memoryMiB: 3000 })`. */
export function gpuLimits(amounts: GpuAmounts): Texts {
  const named = {
    'nvidia.com/gpu': amounts.count,
    'nvidia.com/gpumem': amounts.memoryMiB,
    'nvidia.com/gpumem-percentage': amounts.memoryPercent,
    'nvidia.com/gpucores': amounts.corePercent,
  };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, amount]) => (amount === undefined ? [] : [[name, String(amount)]])),
  );
}

export interface ContainerObjectFields {
  readonly name?: string;
  readonly role?: ContainerRole;
  readonly limits?: Texts;
  readonly requests?: Texts;
  /** Its last reported state; no status is written where left out. */
  readonly state?: 'waiting' | 'running' | { readonly exitCode: number };
}

export interface PodFields {
  readonly name?: string;
  readonly namespace?: string;
  /** `uid-<name>` where left out. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly annotations?: Texts;
  readonly labels?: Texts;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly terminationGracePeriodSeconds?: number;
  readonly nodeName?: string;
  readonly schedulerName?: string;
  readonly phase?: string;
  /** In any order of roles; init containers and sidecars go to `initContainers`. */
  readonly containers?: readonly ContainerObjectFields[];
}

export type PodJson = RawPod & { readonly apiVersion: 'v1'; readonly kind: 'Pod' };
export type NodeJson = RawNode & { readonly apiVersion: 'v1'; readonly kind: 'Node' };

/** A pending pod with one app container that asks for nothing, except for what the fields say. */
export function makePod(fields: PodFields = {}): PodJson {
  const { name = 'pod-1', containers = [{}], phase = 'Pending' } = fields;
  const named = containers.map((container, index) => ({ ...container, name: container.name ?? `c${index}` }));
  const inits = named.filter(({ role = 'app' }) => role !== 'app');
  const apps = named.filter(({ role = 'app' }) => role === 'app');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: fields.namespace ?? 'default',
      uid: fields.uid ?? `uid-${name}`,
      resourceVersion: fields.resourceVersion ?? '1',
      creationTimestamp: fields.creationTimestamp ?? '2026-01-01T00:00:00Z',
      annotations: fields.annotations ?? {},
      labels: fields.labels ?? {},
      ...given('deletionTimestamp', fields.deletionTimestamp),
      ...given('deletionGracePeriodSeconds', fields.deletionGracePeriodSeconds),
    },
    spec: {
      schedulerName: fields.schedulerName ?? 'tessera-scheduler',
      ...given('nodeName', fields.nodeName),
      ...given('terminationGracePeriodSeconds', fields.terminationGracePeriodSeconds),
      ...(inits.length === 0 ? {} : { initContainers: inits.map(containerJson) }),
      containers: apps.map(containerJson),
    },
    status: {
      phase,
      ...given('initContainerStatuses', statusesOf(inits)),
      ...given('containerStatuses', statusesOf(apps)),
    },
  };
}

export interface NodeFields {
  readonly name?: string;
  readonly resourceVersion?: string;
  readonly annotations?: Texts;
  readonly labels?: Texts;
  /** Announced by the register annotation, numbered by position where they name no index; none: no annotation. */
  readonly devices?: readonly Partial<Device>[];
  /** Beside the count resource (the slots of all cards), 64 CPUs, 256Gi and 110 pods; named values win. */
  readonly allocatable?: Texts;
  /** Beside what is allocatable; named values win. */
  readonly capacity?: Texts;
}

export function makeNodeObject(fields: NodeFields = {}): NodeJson {
  const devices = (fields.devices ?? []).map((device, index) => makeDevice({ index, ...device }));
  const slots = devices.reduce((sum, device) => sum + device.slots, 0);
  const register = devices.length === 0 ? {} : { 'hami.io/node-nvidia-register': registerValue(devices) };
  const allocatable = {
    cpu: '64',
    memory: '256Gi',
    pods: '110',
    ...(devices.length === 0 ? {} : { 'nvidia.com/gpu': String(slots) }),
    ...fields.allocatable,
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: fields.name ?? 'n1',
      resourceVersion: fields.resourceVersion ?? '1',
      annotations: { ...register, ...fields.annotations },
      labels: fields.labels ?? {},
    },
    status: { capacity: { ...allocatable, ...fields.capacity }, allocatable },
  };
}

/** The register annotation of these devices in the plugin's JSON form, which leaves out zero and false. */
export function registerValue(devices: readonly Device[]): string {
  return JSON.stringify(
    devices.map((device) => ({
      id: device.id,
      index: device.index || undefined,
      count: device.slots || undefined,
      devmem: device.memoryMiB || undefined,
      devcore: device.corePercent || undefined,
      type: device.type || undefined,
      numa: device.numa || undefined,
      mode: device.mode || undefined,
      health: device.healthy || undefined,
      migProfiles: device.migProfiles?.map(({ name, memoryMiB, corePercent, slices, placements }) => ({
        name,
        memoryMB: memoryMiB,
        core: corePercent,
        sliceCount: slices,
        placements,
      })),
    })),
  );
}

type NamedContainer = ContainerObjectFields & { readonly name: string };

function containerJson({ name, role, limits, requests }: NamedContainer) {
  return {
    name,
    ...(role === 'sidecar' ? { restartPolicy: 'Always' } : {}),
    resources: { ...given('limits', limits), ...given('requests', requests) },
  };
}

function statusesOf(containers: readonly NamedContainer[]) {
  const statuses = containers.flatMap(({ name, state }) => {
    if (state === undefined) return [];
    if (state === 'waiting') return [{ name, state: {} }];
    if (state === 'running') return [{ name, state: { running: {} } }];
    return [{ name, state: { terminated: { exitCode: state.exitCode } } }];
  });
  return statuses.length === 0 ? undefined : statuses;
}

/** `{ key: value }`, or nothing when there is no value: an optional field is absent, never undefined. */
function given<K extends string, V>(key: K, value: V | undefined): Partial<Readonly<Record<K, V>>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}
