/**
 * Huawei Ascend NPUs as HAMi's `ascend-device-plugin` shares them, each kind of chip a vendor of its own (vendors §2).
 * A pod takes parts of chips in one of two ways, by its annotation: hard, as templates into which the driver cuts a chip
 * (a vNPU), or soft, by memory and percent of compute, on nodes whose plugin can.
 *
 * A hard share is what the smallest template gives that is large enough. It is rounded up here and not only at
 * admission, so that a pod that came past the webhook is charged what it will get. The compute of templates is charged
 * to nobody: memory bounds how many of them a chip has room for.
 *
 * One container of a pod may ask for a chip. The plugin says `success` and gives up the lock after the first container that
 * it serves (vendors §2.8), and it keeps one entry per chip of a pod, so what further ones got would be anybody's.
 */
import {
  askedQuantity,
  type ContainerObject,
  type NodeObject,
  type TextMap,
} from '../../model/cluster-objects.ts';
import { countOf } from '../../model/quantity.ts';
import { type AscendChip, type AscendConfig, ascendFromHami, ascendSettings } from './ascend-settings.ts';
import { chooseLinkGroups, chooseModules, compactness, linkFacts } from './ascend-topology.ts';
import type { CardRules } from '../card-rules.ts';
import { readDeviceRequest, refusedRequest } from '../device-request.ts';
import { sharedNodeLock } from '../node-lock.ts';
import { oneContainerProblems } from '../asking-containers.ts';
import { publishedDevices } from '../published-devices.ts';
import { parseRegister } from '../register.ts';
import type {
  BoundPlacement,
  ContainerMutation,
  Discovery,
  RequestProblem,
  RequestReading,
  Vendor,
} from '../vendor.ts';
import { resourcesNamed, type VendorFamily } from '../vendor-family.ts';

export const ascendFamily: VendorFamily<AscendConfig> = {
  settings: ascendSettings,
  fromHami: ascendFromHami,
  hamiSwitch: 'enable-ascend',
  make: makeAscend,
};

const vnpuModeAnnotation = 'huawei.com/vnpu-mode';
const softSlicingAnnotation = 'hami-vnpu-core';
/** Of pods that want soft slices, and of cards that can be sliced so. */
const softMode = 'hami-core';
const hardMode = 'vnpu';
const visibleDevicesVariable = 'ASCEND_VISIBLE_DEVICES';

/** One chip of the configuration, as its vendor needs it. */
interface Chip extends AscendChip {
  readonly memoryUnitMiB: number;
  /** Chips of a 910C sit in pairs, whatever else is configured. */
  readonly isPaired: boolean;
  /** Of nodes that do not say. */
  readonly softByDefault: boolean;
  /** The count resources of all chips that are configured. */
  readonly countResources: readonly string[];
}

/** One vendor per chip that has a resource. */
export function makeAscend({ configs, hamiVnpuCore }: AscendConfig): readonly Vendor[] {
  // As HAMi keeps them in a map by this word, the last of several stands.
  const named = [...new Map(configs.map((chip) => [chip.commonWord, chip])).values()].filter(
    ({ resourceName }) => resourceName !== '',
  );
  const countResources = named.map(({ resourceName }) => resourceName);
  return named.map((chip) =>
    makeChip({
      ...chip,
      templates: chip.templates.toSorted((a, b) => a.memory - b.memory),
      memoryUnitMiB: Math.max(1, chip.memoryFactor),
      isPaired: chip.commonWord === 'Ascend910C',
      softByDefault: hamiVnpuCore,
      countResources,
    }),
  );
}

function makeChip(chip: Chip): Vendor {
  const key = chip.commonWord;
  return {
    key,
    resources: resourcesOf(chip),
    annotations: {
      allocated: `hami.io/${key}-devices-allocated`,
      toAllocate: `hami.io/${key}-devices-to-allocate`,
      useIds: `hami.io/use-${key}-uuid`,
      avoidIds: `hami.io/no-use-${key}-uuid`,
      reserved: [runtimeAnnotation(chip), predicateTimeAnnotation],
    },
    memoryUnitMiB: chip.memoryUnitMiB,
    nodeLock: sharedNodeLock,
    findsUnlockedPods: true,
    nodeAnnotations: [registerAnnotation(chip), softSlicingAnnotation],
    handshakeAnnotation: `hami.io/node-handshake-${key}`,
    podAnnotations: [vnpuModeAnnotation],
    cardRules: cardRulesOf(chip),
    discover: (node) => discover(node, chip),
    request: (container, podAnnotations) => readRequest(container, podAnnotations, chip),
    mutate: (container, podAnnotations) => mutate(container, podAnnotations, chip),
    checkPod: (containers) => oneContainerProblems(containers, key, chip.resourceName),
    annotateBinding: (placement) => annotateBinding(placement, chip),
  };
}

function resourcesOf({ resourceName, resourceMemoryName, resourceCoreName }: Chip): Vendor['resources'] {
  return resourcesNamed({ count: resourceName, memory: resourceMemoryName, cores: resourceCoreName });
}

function registerAnnotation({ commonWord }: Chip): string {
  return `hami.io/node-register-${commonWord}`;
}

/**
 * The chips of the vendor's own register, whatever types they name: in the reference a request for `Ascend910B4` is
 * shown chips of `Ascend910B4-1`, too, because it compares types by fragments (vendors §1.5).
 */
function discover(node: NodeObject, chip: Chip): Discovery {
  const published = publishedDevices(node, {
    vendor: chip.commonWord,
    annotation: registerAnnotation(chip),
    countResource: chip.resourceName,
    read: (value, vendor) => parseRegister(value, vendor, linkFacts),
  });
  if (published.kind !== 'devices') return published;
  const said = node.annotations[softSlicingAnnotation];
  const isSoft = said === undefined ? chip.softByDefault : said === 'true';
  // Shares of compute are percent, even where the plugin counts the cores of the chip.
  const change = isSoft ? { mode: softMode, corePercent: 100 } : { mode: hardMode };
  return { ...published, devices: published.devices.map((device) => ({ ...device, ...change })) };
}

type ShareKind = 'soft' | 'hard';

function kindOf(podAnnotations: TextMap): ShareKind {
  return podAnnotations[vnpuModeAnnotation] === softMode ? 'soft' : 'hard';
}

/** What somebody gets who asks for so much of a chip as a hard share; undefined: nobody can. */
function hardShareOf(
  memoryMiB: number,
  { templates, memoryAllocatable, memoryCapacity }: Chip,
): { readonly memoryMiB: number; readonly template?: string } | undefined {
  const template = templates.find(({ memory }) => memory >= memoryMiB);
  if (template !== undefined) return { memoryMiB: template.memory, template: template.name };
  return memoryMiB <= Math.max(memoryCapacity, memoryAllocatable)
    ? { memoryMiB: memoryAllocatable }
    : undefined;
}

/**
 * Memory and compute are of each chip; HAMi's documentation calls the memory of several soft chips a total, its code does
 * not. Without memory, or with 0, a request is for whole chips, as in every family.
 */
function readRequest(container: ContainerObject, podAnnotations: TextMap, chip: Chip): RequestReading {
  const kind = kindOf(podAnnotations);
  const reading = readAmounts(container, kind, chip);
  if (!reading.ok) return { ...reading, charge: { ...reading.charge, kind } };
  return reading.request === undefined ? reading : { ...reading, request: { ...reading.request, kind } };
}

function readAmounts(container: ContainerObject, kind: ShareKind, chip: Chip): RequestReading {
  const reading = readDeviceRequest(container, {
    vendor: chip.commonWord,
    resources: resourcesOf(chip),
    memoryUnitMiB: chip.memoryUnitMiB,
    defaultMemoryMiB: chip.memoryAllocatable,
    defaultCores: 0,
  });
  if (!reading.ok || reading.request === undefined) return reading;
  const { request, warnings } = reading;
  const { count, corePercent } = request;
  const askedMiB = request.memory.kind === 'mib' ? request.memory.memoryMiB : chip.memoryAllocatable;
  const memoryMiB = kind === 'soft' ? askedMiB : hardShareOf(askedMiB, chip)?.memoryMiB;
  const problems = problemsOf(container, { kind, count, corePercent, memoryMiB }, chip);
  if (memoryMiB === undefined || problems.length > 0) {
    return refusedRequest(chip.commonWord, problems, count);
  }
  return { ok: true, request: { ...request, memory: { kind: 'mib', memoryMiB } }, warnings };
}

interface Asked {
  readonly kind: ShareKind;
  readonly count: number;
  readonly corePercent: number;
  /** Of each chip; undefined: more than there can be. */
  readonly memoryMiB: number | undefined;
}

function problemsOf(
  container: ContainerObject,
  { kind, count, corePercent, memoryMiB }: Asked,
  chip: Chip,
): readonly RequestProblem[] {
  const problems: RequestProblem[] = [];
  const refuse = (field: string, fix: string) =>
    problems.push({ container: container.name, field, value: askedQuantity(container, field) ?? '', fix });

  if (chip.isPaired && chip.superPod && count > 1 && count % 2 !== 0) {
    refuse(
      chip.resourceName,
      'is no number of whole modules of two chips; write 1, which gets both chips of one, or an even number',
    );
  }
  if (kind === 'soft') return problems;
  if (corePercent > 0) {
    refuse(
      chip.resourceCoreName,
      `is for soft slices alone, because a template fixes the compute; leave it out, or annotate the pod with ${vnpuModeAnnotation}: ${softMode}`,
    );
  }
  if (memoryMiB === undefined) {
    const most = Math.floor(Math.max(chip.memoryCapacity, chip.memoryAllocatable) / chip.memoryUnitMiB);
    refuse(chip.resourceMemoryName, `is more than a chip has; write ${most} at most`);
  } else if (count > chipsOfOneTemplate(chip) && memoryMiB !== chip.memoryAllocatable) {
    refuse(
      chip.resourceName,
      `asks for parts of several chips, and a part cannot be of more than one; write ${chip.resourceName}: 1, or leave out ${chip.resourceMemoryName} for whole chips`,
    );
  }
  return problems;
}

/**
 * The chips of a module may have a template each, because admission makes 2 of a 1. The reference looks at the number
 * before that, and so refuses its own result when the API server calls it again.
 */
function chipsOfOneTemplate({ isPaired, superPod }: Chip): number {
  return isPaired && superPod ? 2 : 1;
}

function mutate(container: ContainerObject, podAnnotations: TextMap, chip: Chip): ContainerMutation {
  const { resourceName, resourceMemoryName, runtimeClassName } = chip;
  const countAsked = (resource: string) => countOf(askedQuantity(container, resource));
  if (countAsked(resourceName) === 0) {
    // A container's own variable wins over the plugin's: with chips of another kind it would hide them.
    const sees = chip.countResources.some((resource) => countAsked(resource) > 0);
    const env = chip.overwriteEnv && !sees ? { [visibleDevicesVariable]: '' } : {};
    return { usesDevices: false, limits: {}, env };
  }
  const limits: Record<string, string> = {};
  if (chip.isPaired && chip.superPod && countAsked(resourceName) === 1) limits[resourceName] = '2';
  const reading = readRequest(container, podAnnotations, chip);
  const memory = reading.ok ? reading.request?.memory : undefined;
  if (memory?.kind === 'mib' && resourceMemoryName !== '') {
    // Rounded down, a template's memory in larger units rounds up to the same template again.
    limits[resourceMemoryName] = String(Math.max(1, Math.floor(memory.memoryMiB / chip.memoryUnitMiB)));
  }
  return { usesDevices: true, limits, env: {}, ...(runtimeClassName === '' ? {} : { runtimeClassName }) };
}

/** HAMi's share of a node's score for compactness: 10 per container beside 30 for fullness. */
const compactnessWeight = 0.25;

function cardRulesOf({ commonWord, isPaired }: Chip): CardRules {
  if (!commonWord.startsWith('Ascend910')) return { accept };
  return {
    accept,
    choose: isPaired ? chooseModules : chooseLinkGroups,
    // Higher is better whatever the policy; under `spread` the reference takes the less compact node.
    rating: { weight: compactnessWeight, rate: compactness },
  };
}

/**
 * The driver cuts a chip or lets containers share it, not both, so hard and soft shares never meet on one; the reference
 * compares memory alone.
 */
const accept: NonNullable<CardRules['accept']> = ({ device, kinds }, wanted) => {
  if (wanted.kind === 'soft' && device.mode !== softMode) return 'ModeNotFit';
  return kinds.some((kind) => kind !== wanted.kind) ? 'ModeNotFit' : undefined;
};

const predicateTimeAnnotation = 'predicate-time';

function runtimeAnnotation({ commonWord }: Chip): string {
  return `huawei.com/${commonWord}`;
}

/** The shares of all containers in one list, members that say nothing left out (vendors §2.8). */
function annotateBinding({ pod, allocation, timeNs }: BoundPlacement, chip: Chip): TextMap {
  const isHard = kindOf(pod.annotations) === 'hard';
  const shares = allocation.flat().map(({ deviceId, memoryMiB, corePercent }) => ({
    UUID: deviceId,
    temp: isHard ? hardShareOf(memoryMiB, chip)?.template : undefined,
    memory: memoryMiB === 0 ? undefined : memoryMiB,
    core: corePercent === 0 ? undefined : corePercent,
  }));
  return {
    [runtimeAnnotation(chip)]: JSON.stringify(shares),
    [predicateTimeAnnotation]: String(timeNs / 1_000_000_000n),
  };
}
