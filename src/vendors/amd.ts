/**
 * AMD GPUs as HAMi's `amd-device-plugin` shares them: memory in MiB, compute asked for in percent and given in whole
 * compute units, of which the plugin picks the numbers itself and notes them on the pod (vendors §14). It publishes
 * without a handshake and serves one container of a pod.
 */
import { countOf } from '../model/quantity.ts';
import type { ContainerObject, NodeObject } from '../model/cluster-objects.ts';
import type { Device } from '../model/device.ts';
import type { ContainerRequest } from '../model/request.ts';
import { readDeviceRequest } from './device-request.ts';
import { sharedNodeLock } from './node-lock.ts';
import { askingContainers, oneContainerProblems } from './asking-containers.ts';
import { publishedDevices } from './published-devices.ts';
import type { Discovery, RequestProblem, Vendor } from './vendor.ts';
import {
  enabledSetting,
  type FamilyConfig,
  resourceSetting,
  resourcesNamed,
  type VendorFamily,
} from './vendor-family.ts';

/** The `amd` block of HAMi's `device-config.yaml`. */
export interface AmdConfig extends FamilyConfig {
  readonly resourceCountName: string;
  readonly resourceMemoryName: string;
  readonly resourceCoreName: string;
}

export const amdFamily: VendorFamily<AmdConfig> = {
  settings: {
    type: 'object',
    additionalProperties: false,
    default: {},
    properties: {
      enabled: enabledSetting('AMD GPUs'),
      resourceCountName: resourceSetting(
        'amd.com/gpu',
        'number of distinct GPUs per container; one container of a pod may ask for them.',
      ),
      resourceMemoryName: resourceSetting(
        'amd.com/gpumem',
        'memory of each GPU in MiB; all of it where a container names none.',
      ),
      resourceCoreName: resourceSetting(
        'amd.com/gpucores',
        'compute units of each GPU in percent, 1 to 100; all of them where a container names none.',
      ),
    },
  },
  make: (config) => (config.resourceCountName === '' ? [] : [makeAmd(config)]),
};

const key = 'AMD';
const registerAnnotation = 'hami.io/node-amd-register';

export function makeAmd(config: AmdConfig): Vendor {
  const resources = resourcesNamed({
    count: config.resourceCountName,
    memory: config.resourceMemoryName,
    cores: config.resourceCoreName,
  });
  return {
    key,
    resources,
    annotations: {
      allocated: 'hami.io/amd-devices-allocated',
      toAllocate: 'hami.io/amd-devices-to-allocate',
      useTypes: 'amd.com/use-gputype',
      avoidTypes: 'amd.com/nouse-gputype',
      useIds: 'amd.com/use-gpu-uuid',
      avoidIds: 'amd.com/nouse-gpu-uuid',
      // Which compute units a pod has: the plugin's own ledger, read back from all pods of its node.
      reserved: ['hami.io/amd-cu-allocated'],
    },
    memoryUnitMiB: 1,
    nodeLock: sharedNodeLock,
    entryWord: 'device-type',
    // The plugin calls every card healthy, so somebody has to be able to say that one is not.
    cordonAnnotation: 'hami.io/device-cordon',
    nodeAnnotations: [registerAnnotation],
    cardRules: { coresOf: computeUnitsOf },
    discover: (node) => discover(node, resources.count),
    request: (container) =>
      readDeviceRequest(withLimitsAlone(container), {
        vendor: key,
        resources,
        memoryUnitMiB: 1,
        defaultCores: 100,
        leastCores: 1,
        mostCores: 100,
      }),
    mutate: (container) => ({
      usesDevices: countOf(container.limits[resources.count]) > 0,
      limits: {},
      env: {},
    }),
    checkPod: (containers) => problemsTogether(containers, resources.count),
  };
}

/** A plugin that has lost sight of all its cards publishes an empty list; it could serve nobody then. */
function discover(node: NodeObject, countResource: string): Discovery {
  if (node.annotations[registerAnnotation]?.trim() === '[]') {
    return { kind: 'unavailable', detail: `${registerAnnotation}: the device plugin sees no card` };
  }
  return publishedDevices(node, { vendor: key, annotation: registerAnnotation, countResource });
}

/**
 * A percentage comes to whole compute units, at least one, which a card that publishes none cannot give. 100 percent is
 * all of them, so a card for oneself needs no rule of its own.
 */
function computeUnitsOf({ corePercent: units }: Device, percent: number): number {
  return Math.max(1, Math.floor((units * percent) / 100));
}

/** The plugin's resources are read from limits; the API server takes no request for them without one. */
function withLimitsAlone(container: ContainerObject): ContainerObject {
  return { ...container, requests: {} };
}

/**
 * The plugin keeps compute units for as long as the pod lives, so those of a plain init container would be held by it and
 * free for us; a sidecar's are used all the time.
 */
function problemsTogether(
  containers: readonly ContainerRequest[],
  countResource: string,
): readonly RequestProblem[] {
  const early = askingContainers(containers, key).filter(({ role }) => role === 'init');
  return [
    ...early.map(({ name, count }) => ({
      container: name,
      field: countResource,
      value: String(count),
      fix: 'is asked for by an init container, whose compute units the device plugin would keep until the pod ends; ask for it in a container that runs on',
    })),
    ...oneContainerProblems(containers, key, countResource),
  ];
}
