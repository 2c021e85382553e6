/**
 * What a container asks of MetaX sGPUs, and what is wrong with a pod that asks (vendors §8.4, §8.5). Only limits are read,
 * because the API server takes no request of these resources without one.
 */
import type { ContainerObject, TextMap } from '../../model/cluster-objects.ts';
import type { VendorKey } from '../../model/device.ts';
import type { ContainerRequest, DeviceRequest } from '../../model/request.ts';
import { parseGoBool } from '../../wire/go-values.ts';
import { readDeviceRequest, refusedRequest } from '../device-request.ts';
import { askingContainers } from '../asking-containers.ts';
import {
  appClassAnnotation,
  appClasses,
  formatKind,
  kindOf,
  qosAnnotation,
  qosPolicies,
  topologyAnnotation,
} from './metax-sgpu-kind.ts';
import { parseSgpuMemory, type SgpuMemory } from './metax-sgpu-memory.ts';
import type { RequestProblem, RequestReading, VendorResources } from '../vendor.ts';

export interface SgpuRules {
  readonly vendor: VendorKey;
  readonly resources: VendorResources;
  /** For pods that do not say. */
  readonly topologyAware: boolean;
}

/** Never throws. */
export function readSgpuRequest(
  { name, role, limits }: ContainerObject,
  annotations: TextMap,
  { vendor, resources, topologyAware }: SgpuRules,
): RequestReading {
  const field = resources.memory ?? '';
  const { [field]: written = '0', ...others } = limits;
  const memory = parseSgpuMemory(written);
  const inMiB =
    memory.kind === 'mib' && limits[field] !== undefined ? { [field]: String(memory.memoryMiB) } : {};
  const rest = readDeviceRequest(
    { name, role, limits: { ...others, ...inMiB }, requests: {} },
    { vendor, resources, memoryUnitMiB: 1, defaultCores: 100, mostCores: 100 },
  );
  const reading =
    memory.kind === 'mib'
      ? rest
      : withProblem(rest, vendor, { container: name, field, value: written, fix: fixOf(memory) });
  const withKind = (request: DeviceRequest) => ({
    ...request,
    kind: formatKind(kindOf(annotations, request.corePercent, topologyAware)),
  });
  if (!reading.ok) return { ...reading, charge: withKind(reading.charge) };
  if (reading.request === undefined) return reading;
  return {
    ok: true,
    request: withoutCompute(withKind(reading.request), annotations),
    warnings: [...reading.warnings, ...topologyWarnings(annotations)],
  };
}

function fixOf(memory: Exclude<SgpuMemory, { readonly kind: 'mib' }>): string {
  return memory.kind === 'unreadable'
    ? memory.fix
    : `is ${memory.gib} GiB or ${memory.gib} bytes, which nobody can tell because the API server rewrites numbers; write it with Mi or Gi`;
}

function withProblem(reading: RequestReading, vendor: VendorKey, problem: RequestProblem): RequestReading {
  return reading.ok
    ? refusedRequest(vendor, [problem], reading.request?.count)
    : refusedRequest(vendor, [...reading.problems, problem], reading.charge.count);
}

/** An online pod takes what compute it needs from the offline ones, so none is set aside for it. */
function withoutCompute(request: DeviceRequest, annotations: TextMap): DeviceRequest {
  return annotations[appClassAnnotation] === 'online'
    ? { ...request, corePercent: 0, anyCompute: true }
    : request;
}

/** What cannot be read decides nothing, as in the reference; its author should know. */
function topologyWarnings(annotations: TextMap): readonly string[] {
  const written = annotations[topologyAnnotation];
  const read = written === undefined ? undefined : parseGoBool(written);
  return read?.ok === false ? [`annotation ${topologyAnnotation} has no effect: ${read.problem}`] : [];
}

/** What is wrong with the annotations of a pod that asks for sGPUs, and with the requests beside them. */
export function sgpuProblems(
  containers: readonly ContainerRequest[],
  annotations: TextMap,
  { vendor: key, resources }: SgpuRules,
): readonly RequestProblem[] {
  const asking = askingContainers(containers, key);
  if (asking.length === 0) return [];
  const appClass = annotations[appClassAnnotation];
  const crowded = appClass === undefined ? [] : asking.filter(({ count }) => count !== 1);
  return [
    ...expectOneOf(appClasses, appClassAnnotation, annotations),
    ...(appClass === 'online' ? [] : expectOneOf(qosPolicies, qosAnnotation, annotations)),
    ...crowded.map(({ name, count }) => ({
      container: name,
      field: resources.count,
      value: String(count),
      fix: `is more than one card, which a pod with ${appClassAnnotation} cannot have; write 1 or leave the annotation out`,
    })),
  ];
}

function expectOneOf(
  words: readonly string[],
  field: string,
  annotations: TextMap,
): readonly RequestProblem[] {
  const value = annotations[field];
  if (value === undefined || words.includes(value)) return [];
  return [{ field, value, fix: `must be one of ${words.join(', ')}` }];
}
