/**
 * Hygon DCUs as HAMi's `dcu-vgpu-device-plugin` shares them: memory in MiB, compute in percent. The plugin knows a card
 * by its serial number and the family by one word, whatever the card's model.
 */
import { countOf } from '../model/quantity.ts';
import { askedQuantity, type ContainerObject } from '../model/cluster-objects.ts';
import { readDeviceRequest } from './device-request.ts';
import { sharedNodeLock } from './node-lock.ts';
import { publishedDevices } from './published-devices.ts';
import type { RequestReading, Vendor } from './vendor.ts';
import {
  enabledSetting,
  type FamilyConfig,
  resourceSetting,
  resourcesNamed,
  type VendorFamily,
} from './vendor-family.ts';

/** The `hygon` block of HAMi's `device-config.yaml`. */
export interface HygonConfig extends FamilyConfig {
  readonly resourceCountName: string;
  readonly resourceMemoryName: string;
  readonly resourceCoreName: string;
  readonly memoryFactor: number;
}

export const hygonFamily: VendorFamily<HygonConfig> = {
  settings: {
    type: 'object',
    additionalProperties: false,
    default: {},
    properties: {
      enabled: enabledSetting('Hygon DCUs'),
      resourceCountName: resourceSetting('hygon.com/dcunum', 'number of distinct DCUs per container.'),
      resourceMemoryName: resourceSetting(
        'hygon.com/dcumem',
        'memory of each DCU in MiB (times `memoryFactor`).',
      ),
      resourceCoreName: resourceSetting(
        'hygon.com/dcucores',
        'compute of each DCU in percent; 100, which takes the DCU alone, where a container names none.',
      ),
      memoryFactor: {
        type: 'integer',
        minimum: 0,
        maximum: 2 ** 31 - 1,
        default: 1,
        description:
          'MiB that one unit of the memory resource stands for, in requests and quotas. 0 counts as 1.',
      },
    },
  },
  hamiFlags: {
    'dcu-name': 'resourceCountName',
    'dcu-memory': 'resourceMemoryName',
    'dcu-cores': 'resourceCoreName',
  },
  make: (config) => (config.resourceCountName === '' ? [] : [makeHygon(config)]),
};

const key = 'DCU';
const registerAnnotation = 'hami.io/node-dcu-register';

export function makeHygon(config: HygonConfig): Vendor {
  const resources = resourcesNamed({
    count: config.resourceCountName,
    memory: config.resourceMemoryName,
    cores: config.resourceCoreName,
  });
  const memoryUnitMiB = Math.max(1, config.memoryFactor);
  return {
    key,
    resources,
    annotations: {
      allocated: 'hami.io/dcu-devices-allocated',
      toAllocate: 'hami.io/dcu-devices-to-allocate',
      useTypes: 'hygon.com/use-dcutype',
      avoidTypes: 'hygon.com/nouse-dcutype',
      useIds: 'hygon.com/use-gpuuuid',
      avoidIds: 'hygon.com/nouse-gpuuuid',
    },
    memoryUnitMiB,
    nodeLock: sharedNodeLock,
    // The plugin calls every card healthy, so somebody has to be able to say that one is not.
    cordonAnnotation: 'hami.io/device-cordon',
    nodeAnnotations: [registerAnnotation],
    handshakeAnnotation: 'hami.io/node-handshake-dcu',
    discover: (node) =>
      publishedDevices(node, {
        vendor: key,
        annotation: registerAnnotation,
        countResource: resources.count,
      }),
    request: (container) =>
      withWarning(
        container,
        readDeviceRequest(container, { vendor: key, resources, memoryUnitMiB, defaultCores: 100 }),
      ),
    mutate: (container) => ({
      usesDevices: countOf(askedQuantity(container, resources.count)) > 0,
      limits: {},
      env: {},
    }),
  };
}

/** The plugin sets bounds for a container with one DCU alone; more are given whole, whoever else is on them. */
function withWarning({ name }: ContainerObject, reading: RequestReading): RequestReading {
  if (!reading.ok || reading.request === undefined) return reading;
  const { count, memory, corePercent } = reading.request;
  // With all of one of them, nobody else comes onto the card.
  const isShared = memory.kind === 'mib' && corePercent < 100;
  if (count < 2 || !isShared) return reading;
  const warning = `container "${name}": the device plugin bounds memory and compute of a single DCU only; on ${count} DCUs the container can use what others were given`;
  return { ...reading, warnings: [...reading.warnings, warning] };
}
