/**
 * HAMi's `amd-device-plugin` (vendors §14): of a card it gives certain compute units, and remembers them on the pods
 * alone. It serves one container of a pod: after the first it lets the lock go, and no further one finds its pod.
 */
import { type PodObject, podName } from '../../../model/cluster-objects.ts';
import type { Device } from '../../../model/device.ts';
import { isLockedBy, nodeLockAnnotation } from '../../../vendors/node-lock.ts';
import { formatDeviceList } from '../register-annotation.ts';
import { AllocateError } from './allocate-error.ts';
import { giveUnits, type UnitGift, unitsClash, unitsOfPods, withGifts } from './amd-unit-gifts.ts';
import { type Cards, numberedCards } from './cards.ts';
import { LockServer, type ServedContainer } from './lock-server.ts';
import { nextEntry } from './next-entry.ts';
import { type NodePlugin, type PluginHost, slotsOf } from './node-plugin.ts';
import type { WrittenDevice } from './written-devices.ts';

export interface AmdDescription {
  readonly family: 'amd';
  readonly cards: Cards;
  /** `AMD Instinct MI300X` where left out, as are its amounts. */
  readonly type?: string;
  readonly memoryMiB?: number;
  readonly computeUnits?: number;
}

const vendor = 'AMD';
const countResource = 'amd.com/gpu';
const registerAnnotation = 'hami.io/node-amd-register';
const unitsAnnotation = 'hami.io/amd-cu-allocated';
const podAnnotations = {
  toAllocate: 'hami.io/amd-devices-to-allocate',
  allocated: 'hami.io/amd-devices-allocated',
};
const publishMs = 30_000;
const containersPerCard = 10;

export function makeAmd(host: PluginHost, described: () => AmdDescription): NodePlugin {
  const devices = () => devicesOf(host.node, described());
  const server = new LockServer(host, {
    waitingPhases: () => ['allocating'],
    serve: (pod, count) => serve(host, devices(), pod, count),
  });
  return {
    devices,
    offers: () => slotsOf(countResource, devices()),
    annotations: () =>
      devices().length === 0
        ? {}
        : // The plugin calls every card healthy, whatever it tells kubelet.
          {
            [registerAnnotation]: formatDeviceList(devices().map((device) => ({ ...device, healthy: true }))),
          },
    publishMs: () => publishMs,
    allocate: (call) => server.allocate(call),
  };
}

function devicesOf(node: string, description: AmdDescription): readonly Device[] {
  const { cards, type = 'AMD Instinct MI300X', memoryMiB = 196_288, computeUnits = 304 } = description;
  return numberedCards(cards, { node, kind: 'amd', prefix: '' }).map(({ id, index, healthy }) => ({
    id,
    vendor,
    index,
    type,
    slots: containersPerCard,
    memoryMiB,
    corePercent: computeUnits,
    numa: 0,
    mode: '',
    healthy,
    facts: { pciBDF: `0000:${(index + 5).toString(16).padStart(2, '0')}:00.0` },
  }));
}

async function serve(
  host: PluginHost,
  cards: readonly Device[],
  pod: PodObject,
  count: number,
): Promise<ServedContainer> {
  const { api, node } = host;
  const { devices, erased, meant, oddities } = nextEntry(pod, count, podAnnotations);
  const taken = unitsOfPods(await api.podsOf(node), unitsAnnotation, cards);
  if (!taken.ok) throw new AllocateError(taken.problem);
  await api.annotatePod(pod, { [podAnnotations.toAllocate]: erased });
  const given = giveUnits(devices, cards, taken.value);
  if (!given.ok) throw new AllocateError(given.problem);
  const own = withGifts(pod.annotations[unitsAnnotation], given.value, cards);
  if (!own.ok) throw new AllocateError(own.problem);
  await requireLock(host, pod);
  await api.annotatePod(pod, { [unitsAnnotation]: own.value });
  return { gift: { ...meant, ...giftOf(devices, given.value, cards, oddities) }, isLast: true };
}

function giftOf(
  devices: readonly WrittenDevice[],
  units: readonly UnitGift[],
  cards: readonly Device[],
  oddities: readonly string[],
) {
  const wrongWords = devices.filter(({ id, word }) => cards.find((card) => card.id === id)?.type !== word);
  return {
    shares: devices.map(({ id, memoryMiB, cores }, position) => ({
      vendor,
      deviceId: id,
      memoryMiB,
      corePercent: cores,
      kind: units[position]?.text ?? '',
    })),
    instances: [],
    env: {
      HSA_CU_MASK: units.map(({ text }, position) => `${position}:${text}`).join(';'),
      ROCR_VISIBLE_DEVICES: devices.map(({ id }) => id).join(),
      HIP_DEVICE_MEMORY_LIMIT: `${devices[0]?.memoryMiB ?? 0}m`,
      LD_AUDIT: '/usr/local/vgpu/libamvgpu.so',
    },
    clash: unitsClash,
    oddities: [...oddities, ...wrongWords.map(({ id, word }) => `card ${id} is written down as ${word}`)],
  };
}

/** Somebody may have taken the node over meanwhile; then this pod's units could be another's, too. */
async function requireLock({ api, node }: PluginHost, pod: PodObject): Promise<void> {
  const lock = (await api.node(node)).annotations[nodeLockAnnotation];
  if (lock === undefined || !isLockedBy(lock, pod)) {
    throw new AllocateError(`the lock of node ${node} is not that of pod ${podName(pod)}`);
  }
}
