/**
 * Huawei's `ascend-device-plugin` (vendors §2): the allocation says which cards a container gets, another annotation in
 * which way: by a template of the hardware, whole, or by a quota of hami-core. It takes a pod for served after the
 * first container already; the others are found again by their pod's bind phase.
 */
import type { Share } from '../../../model/allocation.ts';
import { type PodObject, podName, type TextMap } from '../../../model/cluster-objects.ts';
import type { Device } from '../../../model/device.ts';
import { formatDeviceList } from '../register-annotation.ts';
import { takeEntry } from '../to-allocate.ts';
import { AllocateError } from './allocate-error.ts';
import { type AscendChip, ascendChips } from './ascend-chips.ts';
import { handedOut } from './ascend-shares.ts';
import { parseRuntimeInfos } from './ascend-runtime-info.ts';
import { type Cards, numberedCards } from './cards.ts';
import { LockServer, type ServedContainer } from './lock-server.ts';
import { type NodePlugin, type PluginHost, slotsOf } from './node-plugin.ts';

export interface AscendDescription {
  readonly family: 'ascend';
  readonly chip: AscendChip;
  readonly cards: Cards;
  /** The node's mode is hami-core; templates and whole cards where left out. */
  readonly hamiCore?: boolean;
  /** How many containers may share a card; as many as the smallest template allows where left out. */
  readonly containersPerCard?: number;
}

const nodeModeAnnotation = 'hami-vnpu-core';
const podModeAnnotation = 'huawei.com/vnpu-mode';
const publishMs = 30_000;
const registerKeyOf = (chip: AscendChip) => `hami.io/node-register-${chip}`;
const handshakeKeyOf = (chip: AscendChip) => `hami.io/node-handshake-${chip}`;
const toAllocateKeyOf = (chip: AscendChip) => `hami.io/${chip}-devices-to-allocate`;
const runtimeKeyOf = (chip: AscendChip) => `huawei.com/${chip}`;
const countResourceOf = (chip: AscendChip) => `huawei.com/${chip}`;

export function makeAscend(host: PluginHost, described: () => AscendDescription): NodePlugin {
  const devices = () => devicesOf(host.node, described());
  const server = new LockServer(host, {
    waitingPhases: () => ['allocating', 'success'],
    serve: (pod, count) => serve(host, described(), pod, count),
  });
  return {
    devices,
    offers: () => slotsOf(countResourceOf(described().chip), devices()),
    annotations: ({ nowMs }) => {
      const { chip, hamiCore = false } = described();
      if (devices().length === 0) return {};
      return {
        [registerKeyOf(chip)]: formatDeviceList(devices()),
        [handshakeKeyOf(chip)]: `Reported_${dateTime(nowMs)}`,
        [nodeModeAnnotation]: String(hamiCore),
      };
    },
    publishMs: () => publishMs,
    allocate: (call) => server.allocate(call),
  };
}

function devicesOf(node: string, description: AscendDescription): readonly Device[] {
  const { chip, cards, hamiCore = false } = description;
  const { memoryMiB, aiCores, templates } = ascendChips[chip];
  const [smallest] = templates;
  const slots = smallest === undefined ? 1 : Math.trunc(memoryMiB / smallest.memoryMiB);
  return numberedCards(cards, { node, kind: chip, prefix: '' }).map(({ id, index, healthy }) => ({
    id,
    vendor: chip,
    index,
    type: chip,
    slots: description.containersPerCard ?? slots,
    memoryMiB,
    corePercent: hamiCore ? 100 : aiCores,
    numa: 0,
    mode: '',
    healthy,
    ...(chip.startsWith('Ascend910') ? { facts: { NetworkID: networkOf(chip, index) } } : {}),
  }));
}

/** The HCCS ring: four cards each, and all dies of a 910C in one. */
function networkOf(chip: AscendChip, index: number): number {
  return chip !== 'Ascend910C' && index > 3 ? 1 : 0;
}

async function serve(
  { api, node }: PluginHost,
  description: AscendDescription,
  pod: PodObject,
  count: number,
): Promise<ServedContainer> {
  const { chip } = description;
  const toAllocateKey = toAllocateKeyOf(chip);
  const infos = parseRuntimeInfos(annotationOf(pod, runtimeKeyOf(chip)));
  if (!infos.ok) throw new AllocateError(`${runtimeKeyOf(chip)}: ${infos.problem}`);
  const taken = takeEntry(annotationOf(pod, toAllocateKey), chip);
  if (!taken.ok) throw new AllocateError(taken.problem);
  const { index, shares, erased } = taken.value;
  const container = pod.containers[index];
  if (container === undefined) throw new AllocateError(`container index ${index} out of range`);
  if (shares.length !== count) {
    throw new AllocateError(`device number not matched: ${shares.length} written, ${count} asked`);
  }
  const cards = shares.map((share) => cardOf(share, devicesOf(node, description)));
  const isSoft = pod.annotations[podModeAnnotation] === 'hami-core';
  const given = handedOut({ chip: ascendChips[chip], cards, written: shares, infos: infos.value, isSoft });
  if (!given.ok) throw new AllocateError(given.problem);
  await api.annotatePod(pod, { [toAllocateKey]: erased });
  const { oddities, env, ...gift } = given.value;
  return {
    gift: {
      pod,
      container: container.name,
      instances: [],
      env: { ...environmentOf(cards, isSoft), ...env },
      oddities: oddities.map((oddity) => `${podName(pod)}: ${oddity}`),
      ...gift,
    },
    isLast: true,
  };
}

/** The index stands for the physical id. */
function environmentOf(cards: readonly Device[], isSoft: boolean): TextMap {
  const ids = cards.map(({ index }) => index);
  return {
    ASCEND_VISIBLE_DEVICES: ids.join(),
    ...(isSoft
      ? {
          NPU_GLOBAL_SHM_PATH: `/hami-shared-region/${ids[0] ?? 0}_global_registry`,
          NPU_LOCAL_SHM_PATH: '/hami-vnpu-shmem/vnpu_local_shmem',
        }
      : {}),
  };
}

function annotationOf(pod: PodObject, key: string): string {
  const value = pod.annotations[key];
  if (value === undefined) throw new AllocateError(`pod ${podName(pod)} has no ${key}`);
  return value;
}

function cardOf({ deviceId }: Share, cards: readonly Device[]): Device {
  const card = cards.find(({ id }) => id === deviceId);
  if (card === undefined) throw new AllocateError(`unknown uuid: ${deviceId}`);
  return card;
}

/** Go's layout `2006.01.02 15:04:05`, without a zone. */
function dateTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replaceAll('-', '.').replace('T', ' ');
}
