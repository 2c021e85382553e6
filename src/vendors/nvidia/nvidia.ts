/**
 * NVIDIA GPUs as HAMi's device plugin shares them: memory in MiB or percent, compute in percent, discovered from the
 * register annotation (spec §1.2, §3, §4.4, §5.3). Everything not about NVIDIA's own words lives elsewhere.
 */
import { askedQuantity, type ContainerObject, type NodeObject } from '../../model/cluster-objects.ts';
import type { Device } from '../../model/device.ts';
import { countOf, ceilingOf, parseQuantity } from '../../model/quantity.ts';
import { readDeviceRequest } from '../device-request.ts';
import { parseLinkScores, withLinkScores } from '../link-scores.ts';
import { sharedNodeLock } from '../node-lock.ts';
import { nvidiaPluginVersion } from './nvidia-plugin-version.ts';
import { type NvidiaConfig, nvidiaSettings } from './nvidia-settings.ts';
import { migAllocationsAnnotation } from '../pod-annotations.ts';
import { publishedDevices } from '../published-devices.ts';
import { isFromEarlyPlugin } from '../register.ts';
import type { ContainerMutation, Discovery, EntryLayout, Vendor } from '../vendor.ts';
import { resourcesNamed, type VendorFamily } from '../vendor-family.ts';

const key = 'NVIDIA';
const registerAnnotation = 'hami.io/node-nvidia-register';
const scoreAnnotation = 'hami.io/node-nvidia-score';
const handshakeAnnotation = 'hami.io/node-handshake';

export const nvidiaFamily: VendorFamily<NvidiaConfig> = {
  settings: nvidiaSettings,
  staleInHami: ['knownMigGeometries'],
  hamiFlags: {
    'resource-name': 'resourceCountName',
    'resource-mem': 'resourceMemoryName',
    'resource-mem-percentage': 'resourceMemoryPercentageName',
    'resource-cores': 'resourceCoreName',
    'resource-priority': 'resourcePriorityName',
    'default-mem': 'defaultMemory',
    'default-cores': 'defaultCores',
    'default-gpu': 'defaultGPUNum',
    'overwrite-env': 'overwriteEnv',
  },
  pluginSettings: [
    'disableCoreLimit',
    'deviceSplitCount',
    'deviceMemoryScaling',
    'deviceCoreScaling',
    'preConfiguredDeviceMemory',
    'libCudaLogLevel',
    'enableNumaTopology',
    'migProfileAllowlist',
    'knownMigGeometries',
  ],
  make: (config) => [makeNvidia(config)],
};

export function makeNvidia(config: NvidiaConfig): Vendor {
  const resources = resourcesNamed({
    count: config.resourceCountName,
    memory: config.resourceMemoryName,
    memoryPercent: config.resourceMemoryPercentageName,
    cores: config.resourceCoreName,
    priority: config.resourcePriorityName,
  });
  const memoryUnitMiB = Math.max(1, config.memoryFactor);
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
    memoryUnitMiB,
    nodeLock: sharedNodeLock,
    findsUnlockedPods: true,
    cordonAnnotation: 'hami.io/device-cordon',
    nodeAnnotations: [registerAnnotation, scoreAnnotation],
    handshakeAnnotation,
    discover: (node) => discover(node, config),
    pluginVersion: (annotations) =>
      nvidiaPluginVersion(annotations[registerAnnotation], annotations[handshakeAnnotation]),
    request: (container) =>
      readDeviceRequest(container, {
        vendor: key,
        resources,
        memoryUnitMiB,
        defaultMemoryMiB: config.defaultMemory,
        defaultCores: config.defaultCores,
      }),
    mutate: (container) => mutate(container, config),
  };
}

function discover(node: NodeObject, config: NvidiaConfig): Discovery {
  const countResource = config.resourceCountName;
  const published = publishedDevices(node, {
    vendor: key,
    annotation: registerAnnotation,
    countResource,
    canBeCut: true,
  });
  if (published.kind !== 'devices') return published;
  const entries = entryLayoutOf(node.annotations[registerAnnotation] ?? '', config);
  return { ...withLinks(published.devices, node.annotations[scoreAnnotation]), entries };
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
