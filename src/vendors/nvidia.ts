/**
 * NVIDIA GPUs as HAMi's device plugin shares them: memory in MiB or percent, compute in percent, discovered from the
 * register annotation (spec §1.2, §3, §4.4, §5.3). Everything not about NVIDIA's own words lives elsewhere.
 */
import type { NvidiaConfig } from '../config/config.ts';
import { askedQuantity, type ContainerObject, type NodeObject } from '../model/cluster-objects.ts';
import type { Device } from '../model/device.ts';
import { countOf, ceilingOf, parseQuantity } from '../model/quantity.ts';
import type { MemoryRequest } from '../model/request.ts';
import { migAllocationsAnnotation } from './pod-annotations.ts';
import { parseLinkScores, withLinkScores } from './link-scores.ts';
import { isFromEarlyPlugin, parseRegister } from './register.ts';
import { readField } from './request-fields.ts';
import type {
  ContainerMutation,
  Discovery,
  EntryLayout,
  RequestProblem,
  RequestReading,
  Vendor,
  VendorResources,
} from './vendor.ts';

const key = 'NVIDIA';
const registerAnnotation = 'hami.io/node-nvidia-register';
const scoreAnnotation = 'hami.io/node-nvidia-score';
const largestInt32 = 2 ** 31 - 1;

export function makeNvidia(config: NvidiaConfig): Vendor {
  const resources = {
    count: config.resourceCountName,
    ...named('memory', config.resourceMemoryName),
    ...named('memoryPercent', config.resourceMemoryPercentageName),
    ...named('cores', config.resourceCoreName),
    ...named('priority', config.resourcePriorityName),
  };
  return {
    key,
    resources,
    annotations: {
      allocated: 'hami.io/vgpu-devices-allocated',
      toAllocate: 'hami.io/vgpu-devices-to-allocate',
      useTypes: 'nvidia.com/use-gputype',
      avoidTypes: 'nvidia.com/nouse-gputype',
      useIds: 'nvidia.com/use-gpuuuid',
      avoidIds: 'nvidia.com/nouse-gpuuuid',
      modes: 'nvidia.com/vgpu-mode',
      numaBound: 'nvidia.com/numa-bind',
      migReservations: migAllocationsAnnotation,
    },
    memoryUnitMiB: Math.max(1, config.memoryFactor),
    nodeLock: true,
    cordonAnnotation: 'hami.io/device-cordon',
    nodeAnnotations: [registerAnnotation, scoreAnnotation],
    discover: (node) => discover(node, config),
    request: (container) => readRequest(container, config),
    mutate: (container) => mutate(container, config),
  };
}

/** A resource whose configured name is empty does not exist. */
function named<K extends keyof VendorResources>(field: K, name: string): Partial<Record<K, string>> {
  return name === '' ? {} : ({ [field]: name } as Record<K, string>);
}

/** The plugin is alive iff its register decodes and kubelet still offers its resource (spec §2.5, Q2). */
function discover(node: NodeObject, config: NvidiaConfig): Discovery {
  const register = node.annotations[registerAnnotation];
  if (register === undefined) return { kind: 'none' };
  const devices = parseRegister(register, key);
  if (!devices.ok) return { kind: 'malformed', problem: `${registerAnnotation}: ${devices.problem}` };
  if (countOf(node.allocatable[config.resourceCountName]) === 0) {
    return {
      kind: 'unavailable',
      detail: `allocatable ${config.resourceCountName} is 0: the device plugin does not run or has no healthy card`,
    };
  }
  const entries = entryLayoutOf(register, config);
  return { ...withLinks(devices.value, node.annotations[scoreAnnotation]), entries };
}

/**
 * A plugin that counts app containers alone fails on the entry of an init container; one that counts all, given none,
 * only takes the first container's name for the first's entry. So where a register may be of either, apps alone it is.
 */
function entryLayoutOf(register: string, { allocationEntries }: NvidiaConfig): EntryLayout {
  if (allocationEntries !== 'auto') return allocationEntries;
  return isFromEarlyPlugin(register) ? 'apps' : 'all';
}

/** Cards whose links cannot be read are as good as cards that say nothing about them (Q26). */
function withLinks(devices: readonly Device[], value: string | undefined) {
  if (value === undefined) return { kind: 'devices', devices } as const;
  const scores = parseLinkScores(value);
  return scores.ok
    ? ({ kind: 'devices', devices: withLinkScores(devices, scores.value) } as const)
    : ({ kind: 'devices', devices, problem: `${scoreAnnotation}: ${scores.problem}` } as const);
}

function readRequest(container: ContainerObject, config: NvidiaConfig): RequestReading {
  const factor = Math.max(1, config.memoryFactor);
  const count = readField(container, config.resourceCountName, { unit: 'cards', largest: largestInt32 });
  const memory = readField(container, config.resourceMemoryName, {
    unit: factor === 1 ? 'MiB' : `units of ${factor} MiB`,
    mebibytesPerUnit: factor,
    largest: Math.floor(largestInt32 / factor),
  });
  const percent = readField(container, config.resourceMemoryPercentageName, {
    unit: 'percent',
    largest: 100,
  });
  // More than a whole card of compute is taken as a whole card (spec §5.6, step 8).
  const cores = readField(container, config.resourceCoreName, { unit: 'percent', largest: largestInt32 });
  const priority = readField(container, config.resourcePriorityName, {
    unit: 'levels',
    largest: largestInt32,
  });

  if (!count.ok || !memory.ok || !percent.ok || !cores.ok || !priority.ok) {
    const problems = [count, memory, percent, cores, priority].flatMap((field) =>
      field.ok ? [] : [field.problem],
    );
    return refused(problems, count.ok ? count.value : undefined);
  }
  const amounts = [memory.value, percent.value, cores.value].some((value) => (value ?? 0) > 0);
  if (count.value === undefined) {
    return amounts ? refused([missingCount(container, config)], undefined) : { ok: true, warnings: [] };
  }
  if (count.value === 0) {
    const warning = `container "${container.name}": ${config.resourceCountName} is 0, so its other GPU resources have no effect`;
    return { ok: true, warnings: amounts ? [warning] : [] };
  }
  return {
    ok: true,
    request: {
      vendor: key,
      count: count.value,
      memory: memoryOf((memory.value ?? 0) * factor, percent.value ?? 0, config),
      corePercent: Math.min(100, cores.value ?? config.defaultCores),
    },
    warnings: warningsOf(
      container,
      { memory: memory.value, percent: percent.value, cores: cores.value },
      config,
    ),
  };
}

/** MiB wins over percent; with neither, the configured default, else the whole card (spec §5.3). */
function memoryOf(memoryMiB: number, percent: number, config: NvidiaConfig): MemoryRequest {
  if (memoryMiB > 0) return { kind: 'mib', memoryMiB };
  if (percent > 0) return { kind: 'percent', percent };
  if (config.defaultMemory > 0) return { kind: 'mib', memoryMiB: config.defaultMemory };
  return { kind: 'percent', percent: 100 };
}

interface Amounts {
  readonly memory: number | undefined;
  readonly percent: number | undefined;
  readonly cores: number | undefined;
}

function warningsOf(container: ContainerObject, amounts: Amounts, config: NvidiaConfig): readonly string[] {
  const { memory, percent, cores } = amounts;
  const warnings: string[] = [];
  const warn = (field: string, text: string) =>
    warnings.push(`container "${container.name}": ${field} ${text}`);
  if (percent === 0) warn(config.resourceMemoryPercentageName, 'is 0, which means "not given"');
  if (memory === 0) warn(config.resourceMemoryName, 'is 0, which means "not given"');
  if ((memory ?? 0) > 0 && (percent ?? 0) > 0) {
    warn(config.resourceMemoryPercentageName, `has no effect beside ${config.resourceMemoryName}`);
  }
  if ((cores ?? 0) > 100) warn(config.resourceCoreName, `is ${cores ?? 0}, taken as 100 (one whole card)`);
  return warnings;
}

function refused(problems: readonly RequestProblem[], count: number | undefined): RequestReading {
  const charge = {
    vendor: key,
    count: Math.max(1, count ?? 1),
    memory: { kind: 'percent', percent: 100 },
    corePercent: 100,
  } as const;
  return { ok: false, problems, charge };
}

function missingCount(container: ContainerObject, config: NvidiaConfig): RequestProblem {
  return {
    container: container.name,
    field: config.resourceCountName,
    value: '',
    fix: `is missing beside other GPU resources, so kubelet would give the container no card; write ${config.resourceCountName}: 1`,
  };
}

/** Spec §4.4, without its duplicates: every step sets a value and so can run twice. */
function mutate(container: ContainerObject, config: NvidiaConfig): ContainerMutation {
  const limits: Record<string, string> = {};
  const env: Record<string, string> = {};
  const hasLimit = (resource: string) => container.limits[resource] !== undefined;
  const has = (resource: string) => hasLimit(resource) || container.requests[resource] !== undefined;

  if (hasLimit(config.resourcePriorityName)) {
    env['CUDA_TASK_PRIORITY'] = String(countOf(container.limits[config.resourcePriorityName]));
  }
  if (config.gpuCorePolicy !== 'default') env['GPU_CORE_UTILIZATION_POLICY'] = config.gpuCorePolicy;

  const amounts = [config.resourceCoreName, config.resourceMemoryName, config.resourceMemoryPercentageName];
  if (!has(config.resourceCountName) && config.defaultGPUNum > 0 && amounts.some(hasLimit)) {
    limits[config.resourceCountName] = String(config.defaultGPUNum);
  }
  const usesDevices =
    countOf(limits[config.resourceCountName] ?? askedQuantity(container, config.resourceCountName)) > 0;
  if (
    usesDevices &&
    config.resourceCoreName !== '' &&
    !has(config.resourceCoreName) &&
    wantsWholeCards(container, config)
  ) {
    limits[config.resourceCoreName] = '100';
  }
  if (!usesDevices && config.overwriteEnv) env['NVIDIA_VISIBLE_DEVICES'] = 'none';
  return {
    usesDevices,
    limits,
    env,
    ...(usesDevices && config.runtimeClassName !== '' ? { runtimeClassName: config.runtimeClassName } : {}),
  };
}

/** A request without a memory bound, or for all of it, is one for exclusive cards (since HAMi v2.7). */
function wantsWholeCards(container: ContainerObject, config: NvidiaConfig): boolean {
  const percent =
    container.limits[config.resourceMemoryPercentageName] ??
    container.requests[config.resourceMemoryPercentageName];
  if (percent !== undefined) {
    const quantity = parseQuantity(percent);
    return quantity !== undefined && ceilingOf(quantity) === 100;
  }
  const memory = config.resourceMemoryName;
  return (
    memory === '' || (container.limits[memory] === undefined && container.requests[memory] === undefined)
  );
}
