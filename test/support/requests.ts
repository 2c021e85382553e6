/**
 * Parsed requests for tests, with defaults for everything a case does not mention.
 * `makePodRequest({ containers: [{ memoryMiB: 512 }] })` is one app container that asks for one card and 512 MiB of it.
 */
import type { ContainerRole } from '../../src/model/container-role.ts';
import type { VendorKey } from '../../src/model/device.ts';
import type { HostAmounts } from '../../src/model/host-amounts.ts';
import type {
  ContainerRequest,
  DevicePolicy,
  DeviceRequest,
  DeviceSelector,
  NodePolicy,
  PodRequest,
  ScoringWeights,
} from '../../src/model/request.ts';

/** MiB wins over percent, and with neither the request is for the whole card, as in a pod. */
export interface DeviceRequestFields {
  readonly vendor?: VendorKey;
  readonly count?: number;
  readonly memoryMiB?: number;
  readonly memoryPercent?: number;
  readonly corePercent?: number;
  readonly kind?: string;
  readonly anyCompute?: true;
}

export interface ContainerFields extends DeviceRequestFields {
  readonly name?: string;
  readonly role?: ContainerRole;
  /** Instead of the one request made from the fields beside it; `[]` is a container without devices. */
  readonly devices?: readonly DeviceRequestFields[];
}

export interface PodRequestFields {
  readonly podUid?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** In spec order; one app container that asks for one whole card where left out. */
  readonly containers?: readonly ContainerFields[];
  readonly selectors?: Readonly<Record<VendorKey, Partial<DeviceSelector>>>;
  readonly counts?: Readonly<Record<string, number>>;
  readonly nodePolicy?: NodePolicy;
  readonly devicePolicy?: DevicePolicy;
  readonly weights?: ScoringWeights;
  readonly priority?: number;
  readonly host?: HostAmounts;
}

export function makeDeviceRequest(fields: DeviceRequestFields = {}): DeviceRequest {
  const { vendor = 'NVIDIA', count = 1, memoryMiB, memoryPercent = 100, corePercent = 0 } = fields;
  const { kind, anyCompute } = fields;
  const memory =
    memoryMiB === undefined
      ? ({ kind: 'percent', percent: memoryPercent } as const)
      : ({ kind: 'mib', memoryMiB } as const);
  return {
    vendor,
    count,
    memory,
    corePercent,
    ...(kind === undefined ? {} : { kind }),
    ...(anyCompute === undefined ? {} : { anyCompute }),
  };
}

export function makeSelector(fields: Partial<DeviceSelector> = {}): DeviceSelector {
  return { useTypes: [], avoidTypes: [], useIds: [], avoidIds: [], numaBound: false, ...fields };
}

export function makePodRequest(fields: PodRequestFields = {}): PodRequest {
  const { podUid = 'uid-1', namespace = 'default', name = 'pod-1', containers = [{}], ...rest } = fields;
  return {
    podUid,
    namespace,
    name,
    containers: containers.map(makeContainerRequest),
    selectors: new Map(
      Object.entries(rest.selectors ?? {}).map(([vendor, selector]) => [vendor, makeSelector(selector)]),
    ),
    counts: new Map(Object.entries(rest.counts ?? {})),
    host: rest.host ?? { cpuMilli: 0, memoryMiB: 0, pods: 1 },
    priority: rest.priority ?? 0,
    ...(rest.weights === undefined ? {} : { weights: rest.weights }),
    ...(rest.nodePolicy === undefined ? {} : { nodePolicy: rest.nodePolicy }),
    ...(rest.devicePolicy === undefined ? {} : { devicePolicy: rest.devicePolicy }),
  };
}

/** Containers are named `c0`, `c1`, … by position. */
function makeContainerRequest(fields: ContainerFields, index: number): ContainerRequest {
  const { name = `c${index}`, role = 'app', devices = [fields] } = fields;
  return { name, role, devices: devices.map(makeDeviceRequest) };
}
