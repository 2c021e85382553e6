/**
 * Cambricon MLUs as Cambricon's own device plugin cuts them in its mode `dynamic-smlu`: compute in percent, memory in
 * units of 256 MiB (vendors §3). Nobody publishes the cards; kubelet's amounts tell how many there are. The plugin
 * serves one pod of a node at a time, by a flag and a profile on the pod, and of a pod one container with one slice of
 * one card. A pod that it could never serve is refused, because its flag would keep the node from everybody else.
 */
import { askedQuantity, type ContainerObject, type TextMap } from '../../model/cluster-objects.ts';
import type { ContainerRequest } from '../../model/request.ts';
import { countOf } from '../../model/quantity.ts';
import { cambriconCards, modelLabel, slotOf } from './cambricon-cards.ts';
import { askingContainers, oneContainerProblems } from '../asking-containers.ts';
import { readDeviceRequest, refusedRequest } from '../device-request.ts';
import type { NodeLockProtocol } from '../node-lock.ts';
import type { BoundPlacement, ContainerMutation, RequestProblem, RequestReading, Vendor } from '../vendor.ts';
import { enabledSetting, type FamilyConfig, resourceSetting, type VendorFamily } from '../vendor-family.ts';

/** The `cambricon` block of HAMi's `device-config.yaml`. */
export interface CambriconConfig extends FamilyConfig {
  readonly resourceCountName: string;
  readonly resourceMemoryName: string;
  readonly resourceCoreName: string;
}

export const cambriconFamily: VendorFamily<CambriconConfig> = {
  settings: {
    type: 'object',
    additionalProperties: false,
    default: {},
    properties: {
      enabled: enabledSetting('Cambricon MLUs'),
      resourceCountName: resourceSetting(
        'cambricon.com/vmlu',
        'marks a container that gets a slice of an MLU; its amount is 1, and kubelet does not know it.',
      ),
      resourceMemoryName: resourceSetting(
        'cambricon.com/mlu.smlu.vmemory',
        'memory of the slice in units of 256 MiB (the plugin runs with `--min-dsmlu-unit 256`).',
      ),
      resourceCoreName: resourceSetting(
        'cambricon.com/mlu.smlu.vcore',
        'compute of the slice in percent of an MLU; 100 where a container names none.',
      ),
    },
  },
  hamiFlags: {
    'cambricon-mlu-name': 'resourceCountName',
    'cambricon-mlu-memory': 'resourceMemoryName',
    'cambricon-mlu-cores': 'resourceCoreName',
  },
  // Cards are found, and slices asked for, by memory and compute: without one of the names there is no such vendor.
  make: (config) =>
    [config.resourceCountName, config.resourceMemoryName, config.resourceCoreName].includes('')
      ? []
      : [makeCambricon(config)],
};

const key = 'MLU';
/** What kubelet and the plugin count memory in. */
const unitMiB = 256;

/** HAMi's spelling since v2.7.1, and that of the public plugin: each plugin reads its own (vendors §3.8). */
const assignedAnnotations = ['CAMBRICON_DSMLU_ASSIGNED', 'CAMBRICON_DSMLU_ASSIGHED'];
const profileAnnotation = 'CAMBRICON_DSMLU_PROFILE';
/** Written by the plugin; by it, it destroys the slice of a pod that has ended. */
const instanceAnnotation = 'CAMBRICON_DSMLU_PROFILE_INSTANCE';

/** The plugin removes the lock with its last word on a pod; the value names nobody. */
export const cambriconNodeLock: NodeLockProtocol = {
  annotation: 'cambricon.com/dsmlu.lock',
  ownerAnnotation: 'tessera.io/dsmlu-lock-owner',
  expiryMs: 2 * 60_000,
  // With milliseconds, so that another's lock of the same second is not taken for ours.
  format: (atMs) => new Date(atMs).toISOString(),
  looksFor: (podAnnotations) => assignedAnnotations.some((name) => podAnnotations[name] !== undefined),
  isServed: (podAnnotations) => assignedAnnotations.some((name) => podAnnotations[name] === 'true'),
};

interface Names {
  readonly count: string;
  readonly memory: string;
  readonly cores: string;
}

export function makeCambricon(config: CambriconConfig): Vendor {
  const resources: Names = {
    count: config.resourceCountName,
    memory: config.resourceMemoryName,
    cores: config.resourceCoreName,
  };
  return {
    key,
    resources,
    annotations: {
      allocated: 'hami.io/cambricon-mlu-devices-allocated',
      toAllocate: 'hami.io/cambricon-mlu-devices-to-allocate',
      useTypes: 'cambricon.com/use-mlutype',
      avoidTypes: 'cambricon.com/nouse-mlutype',
      useIds: 'cambricon.com/use-gpuuuid',
      avoidIds: 'cambricon.com/nouse-gpuuuid',
      reserved: [...assignedAnnotations, profileAnnotation, instanceAnnotation],
    },
    memoryUnitMiB: unitMiB,
    counted: [resources.cores, resources.memory],
    nodeLock: cambriconNodeLock,
    // Amounts do not tell which card of a node is ill, so somebody has to be able to say it.
    cordonAnnotation: 'hami.io/device-cordon',
    nodeAnnotations: [],
    nodeLabels: [modelLabel],
    discover: (node) => cambriconCards(node, { vendor: key, unitMiB, ...resources }),
    request: (container) => request(container, resources),
    mutate: (container) => mutate(container, resources),
    checkPod: (containers) => checkPod(containers, resources),
    annotateBinding,
  };
}

/** A request that is understood and cannot be served is charged as it stands if its pod runs all the same. */
function request(container: ContainerObject, resources: Names): RequestReading {
  const reading = readDeviceRequest(container, {
    vendor: key,
    resources,
    memoryUnitMiB: unitMiB,
    defaultCores: 100,
  });
  const asksNothing = reading.ok && reading.request === undefined;
  if (asksNothing || askedQuantity(container, resources.count) === undefined) {
    const unmarked = unmarkedProblem(container, resources);
    return unmarked === undefined ? reading : refusedRequest(key, [unmarked], undefined);
  }
  if (!reading.ok || reading.request === undefined) return reading;
  const problems = unservable(container, resources);
  return problems.length === 0 ? reading : { ok: false, problems, charge: reading.request };
}

/** kubelet would ask the plugin for such a container all the same, which would give it the slice of whoever waits. */
function unmarkedProblem(
  container: ContainerObject,
  { count, memory, cores }: Names,
): RequestProblem | undefined {
  const asked = [memory, cores].find((name) => countOf(askedQuantity(container, name)) > 0);
  if (asked === undefined) return undefined;
  return {
    container: container.name,
    field: count,
    value: askedQuantity(container, count) ?? '',
    fix: `must be 1 beside ${asked}: only then is a card chosen for the container`,
  };
}

const bothNeeded =
  'must be given and not be 0: kubelet asks the device plugin for compute and for memory, and the plugin serves a pod only when it was asked for both';

/** What the plugin could never serve. */
function unservable(container: ContainerObject, { count, memory, cores }: Names): readonly RequestProblem[] {
  const problems: RequestProblem[] = [];
  const refuse = (field: string, fix: string) =>
    problems.push({ container: container.name, field, value: askedQuantity(container, field) ?? '', fix });
  const amountOf = (resource: string) => countOf(askedQuantity(container, resource));
  if (amountOf(count) > 1) {
    refuse(count, 'is more than 1, but the device plugin gives a pod a slice of one card; write 1');
  }
  if (amountOf(memory) === 0) {
    refuse(
      memory,
      `${bothNeeded}; write the memory in units of ${unitMiB} MiB, all that a card has for a whole one`,
    );
  }
  if (amountOf(cores) === 0) refuse(cores, `${bothNeeded}; write 1 to 100 (percent of a card)`);
  return problems;
}

/** kubelet has to be asked for what the container is given, so its effective compute becomes a limit. */
function mutate(container: ContainerObject, { count, cores }: Names): ContainerMutation {
  const usesDevices = countOf(askedQuantity(container, count)) > 0;
  const written = askedQuantity(container, cores);
  const isWhole = written === undefined || countOf(written) > 100;
  return { usesDevices, limits: usesDevices && isWhole ? { [cores]: '100' } : {}, env: {} };
}

/** The plugin knows one profile of a pod, and looks for it in app containers alone. */
function checkPod(containers: readonly ContainerRequest[], { count }: Names): readonly RequestProblem[] {
  const early = askingContainers(containers, key).filter(({ role }) => role !== 'app');
  return [
    ...early.map((container) => ({
      container: container.name,
      field: count,
      value: String(container.count),
      fix: 'is asked for by an init container, but the device plugin serves app containers alone; ask for it there',
    })),
    ...oneContainerProblems(
      containers.filter(({ role }) => role === 'app'),
      key,
      count,
    ),
  ];
}

function annotateBinding({ pod, allocation }: BoundPlacement): TextMap {
  const [share] = allocation.flat();
  if (share === undefined) return {};
  // Units are rounded down: a slice never holds more than is charged for it.
  const units = Math.floor(share.memoryMiB / unitMiB);
  return {
    ...Object.fromEntries(assignedAnnotations.map((name) => [name, 'false'])),
    [profileAnnotation]: `${slotOf(share.deviceId)}_${share.corePercent}_${units}`,
    // By what is left there of somebody else, the plugin would destroy the slice of another pod; empty, it reads none.
    ...(pod.annotations[instanceAnnotation] === undefined ? {} : { [instanceAnnotation]: '' }),
  };
}
