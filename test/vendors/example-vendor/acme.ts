/**
 * Acme NPUs, which do not exist: memory in GiB, compute in percent, several cards of one container from one board. The
 * plugin publishes a register, takes the shared lock and reads the indexes of the cards beside the allocation.
 */
import { askedQuantity } from '../../../src/model/cluster-objects.ts';
import type { DeviceFacts } from '../../../src/model/device.ts';
import { countOf } from '../../../src/model/quantity.ts';
import type { DeviceRequest } from '../../../src/model/request.ts';
import type { CardPicture } from '../../../src/vendors/card-rules.ts';
import { readDeviceRequest } from '../../../src/vendors/device-request.ts';
import { sharedNodeLock } from '../../../src/vendors/node-lock.ts';
import { publishedDevices } from '../../../src/vendors/published-devices.ts';
import { parseRegister } from '../../../src/vendors/register.ts';
import type { BoundPlacement, Vendor } from '../../../src/vendors/vendor.ts';
import {
  enabledSetting,
  type FamilyConfig,
  resourceSetting,
  resourcesNamed,
  type VendorFamily,
} from '../../../src/vendors/vendor-family.ts';

/** The block `vendors.acme` of the configuration. */
export interface AcmeConfig extends FamilyConfig {
  readonly resourceCountName: string;
  readonly resourceMemoryName: string;
  readonly resourceCoreName: string;
}

export const acmeFamily: VendorFamily<AcmeConfig> = {
  settings: {
    type: 'object',
    additionalProperties: false,
    default: {},
    properties: {
      enabled: enabledSetting('Acme NPUs'),
      resourceCountName: resourceSetting('acme.example/npu', 'number of distinct NPUs per container.'),
      resourceMemoryName: resourceSetting('acme.example/npu-memory', 'memory of each NPU in GiB.'),
      resourceCoreName: resourceSetting('acme.example/npu-cores', 'compute of each NPU in percent.'),
    },
  },
  make: (config) => (config.resourceCountName === '' ? [] : [makeAcme(config)]),
};

const key = 'ACME';
const registerAnnotation = 'acme.example/node-npus';
const indexesAnnotation = 'acme.example/npu-indexes';

function makeAcme(config: AcmeConfig): Vendor {
  const resources = resourcesNamed({
    count: config.resourceCountName,
    memory: config.resourceMemoryName,
    cores: config.resourceCoreName,
  });
  const memoryUnitMiB = 1024;
  return {
    key,
    resources,
    annotations: {
      allocated: 'acme.example/npus-allocated',
      toAllocate: 'acme.example/npus-to-allocate',
      useTypes: 'acme.example/use-type',
      avoidTypes: 'acme.example/avoid-type',
      reserved: [indexesAnnotation],
    },
    memoryUnitMiB,
    nodeLock: sharedNodeLock,
    nodeAnnotations: [registerAnnotation],
    cardRules: { choose: onOneBoard },
    discover: (node) =>
      publishedDevices(node, {
        vendor: key,
        annotation: registerAnnotation,
        countResource: resources.count,
        read: (value) => parseRegister(value, key, boardOf),
      }),
    request: (container) =>
      readDeviceRequest(container, { vendor: key, resources, memoryUnitMiB, defaultCores: 100 }),
    mutate: (container) => ({
      usesDevices: countOf(askedQuantity(container, resources.count)) > 0,
      limits: {},
      env: {},
    }),
    annotateBinding: (placement) => ({ [indexesAnnotation]: indexesOf(placement) }),
  };
}

function boardOf({ board }: Readonly<Record<string, unknown>>): DeviceFacts | undefined {
  return typeof board === 'number' ? { board } : undefined;
}

/** Of the first board, in the order of the cards, that has enough; else too few. A card without a board stands alone. */
function onOneBoard<C extends CardPicture>(fitting: readonly C[], { count }: DeviceRequest): readonly C[] {
  const boards = [...Map.groupBy(fitting, ({ device }) => device.facts?.['board'] ?? device.id).values()];
  const chosen = boards.find((cards) => cards.length >= count) ?? boards[0] ?? [];
  return chosen.slice(0, count);
}

/** `0,1;;3`: per container the indexes of its cards. */
function indexesOf({ allocation, deviceOf }: BoundPlacement): string {
  return allocation
    .map((shares) => shares.map(({ deviceId }) => deviceOf(deviceId)?.index ?? '').join(','))
    .join(';');
}
