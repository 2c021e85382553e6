/**
 * Hygon's `dcu-vgpu-device-plugin` (vendors §4): it knows a card by its serial number, gives part of one only to a
 * container with a single card, and takes the pod for served when no `DCU` is left in what it has to hand out.
 */
import type { PodObject } from '../../../model/cluster-objects.ts';
import type { Device } from '../../../model/device.ts';
import { formatHandshake } from '../handshake.ts';
import { formatColonList } from '../register-annotation.ts';
import { AllocateError } from './allocate-error.ts';
import { type Cards, numberedCards } from './cards.ts';
import { LockServer, type ServedContainer } from './lock-server.ts';
import { nextEntry } from './next-entry.ts';
import { type NodePlugin, type PluginHost, slotsOf } from './node-plugin.ts';

export interface HygonDescription {
  readonly family: 'hygon';
  /** An id is `DCU-` and the serial number. */
  readonly cards: Cards;
  /** Of each card; 32752 where left out. */
  readonly memoryMiB?: number;
  /** `DCU-K100_AI` where left out. */
  readonly type?: string;
}

const word = 'DCU';
const countResource = 'hygon.com/dcunum';
const registerAnnotation = 'hami.io/node-dcu-register';
const handshakeAnnotation = 'hami.io/node-handshake-dcu';
const podAnnotations = {
  toAllocate: 'hami.io/dcu-devices-to-allocate',
  allocated: 'hami.io/dcu-devices-allocated',
};
const publishMs = 30_000;
/** Fixed in the plugin. */
const containersPerCard = 4;
const idFormat = /^DCU-[^,:;]+$/;

export function makeHygon(host: PluginHost, described: () => HygonDescription): NodePlugin {
  const devices = () => devicesOf(host.node, described());
  const server = new LockServer(host, {
    waitingPhases: () => ['allocating'],
    serve: (pod, count) => serve(host, devices(), pod, count),
  });
  return {
    devices,
    offers: () => slotsOf(countResource, devices()),
    annotations: ({ nowMs, startedMs }) =>
      devices().length === 0
        ? {}
        : {
            // The plugin calls every card healthy, whatever it tells kubelet.
            [registerAnnotation]: formatColonList(devices().map((device) => ({ ...device, healthy: true }))),
            [handshakeAnnotation]: formatHandshake(nowMs, startedMs),
          },
    publishMs: () => publishMs,
    allocate: (call) => server.allocate(call),
  };
}

function devicesOf(
  node: string,
  { cards, memoryMiB = 32_752, type = 'DCU-K100_AI' }: HygonDescription,
): readonly Device[] {
  return numberedCards(cards, { node, kind: 'hygon', prefix: `${word}-` }).map(({ id, index, healthy }) => ({
    id,
    vendor: word,
    index,
    type,
    slots: containersPerCard,
    memoryMiB,
    corePercent: 100,
    numa: 0,
    mode: 'hami',
    healthy,
  }));
}

async function serve(
  { api }: PluginHost,
  cards: readonly Device[],
  pod: PodObject,
  count: number,
): Promise<ServedContainer> {
  const { devices, erased, meant, oddities } = nextEntry(pod, count, podAnnotations);
  await api.annotatePod(pod, { [podAnnotations.toAllocate]: erased });
  const stranger = devices.find(({ id }) => !idFormat.test(id) || !cards.some((card) => card.id === id));
  if (stranger !== undefined) throw new AllocateError(`invalid request device uuid ${stranger.id}`);

  const wrongWords = devices.filter((device) => device.word !== word);
  const left = (await api.pod(pod)).annotations[podAnnotations.toAllocate] ?? '';
  return {
    gift: {
      ...meant,
      shares: devices.map(({ id, memoryMiB, cores }) => ({
        vendor: word,
        deviceId: id,
        memoryMiB,
        corePercent: cores,
      })),
      instances: [],
      // Cards and their virtual devices are mounted; nothing is said in the environment.
      env: {},
      oddities: [
        ...oddities,
        ...wrongWords.map((device) => `DCU ${device.id} is written down as ${device.word}`),
      ],
    },
    isLast: !left.includes(word),
  };
}
