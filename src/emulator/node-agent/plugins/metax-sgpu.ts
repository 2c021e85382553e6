/**
 * MetaX's plugin for shared cards (vendors §8). Its source is closed: what is played here is what the annotations written
 * for it imply. It takes the pod that the lock names, gives what its own annotation says, and puts the QoS policy of the
 * pod on the cards, which shows in its next publication.
 */
import { type PodObject, podName } from '../../../model/cluster-objects.ts';
import type { Device } from '../../../model/device.ts';
import { takeEntry } from '../to-allocate.ts';
import { AllocateError } from './allocate-error.ts';
import { type CardDescription, type Cards, type NumberedCard, numberedCards } from './cards.ts';
import { LockServer, type ServedContainer } from './lock-server.ts';
import { type MetaxPart, parseMetaxParts } from './metax-parts.ts';
import { kindOf, policyOn, sgpuClash } from './metax-sharing.ts';
import { type NodePlugin, type PluginHost, slotsOf } from './node-plugin.ts';

export interface MetaxCard extends CardDescription {
  /** On the card before any pod; none where left out. */
  readonly qosPolicy?: string;
  /** Cards of one zone are linked by MetaxLink; in none where left out. */
  readonly linkZone?: number;
}

export interface MetaxSgpuDescription {
  readonly family: 'metax-sgpu';
  readonly cards: Cards<MetaxCard>;
  /** Of each card; 65536 where left out. */
  readonly memoryMiB?: number;
  readonly model?: string;
}

const word = 'Metax-SGPU';
const countResource = 'metax-tech.com/sgpu';
const registerAnnotation = 'metax-tech.com/node-gpu-devices';
const toAllocateAnnotation = 'hami.io/metax-sgpu-devices-to-allocate';
const partsAnnotation = 'metax-tech.com/gpu-devices-allocated';
const publishMs = 30_000;
const containersPerCard = 16;

export function makeMetaxSgpu(host: PluginHost, described: () => MetaxSgpuDescription): NodePlugin {
  /** What pods have put on the cards since, by id. */
  const policies = new Map<string, string>();
  const devices = () => cardsOf(host.node, described()).map((card) => deviceOf(card, described()));
  const server = new LockServer(host, {
    waitingPhases: () => ['allocating'],
    serve: async (pod, count) => {
      const served = await serve(host, devices(), pod, count);
      for (const { deviceId, corePercent } of served.gift.shares) {
        const policy = policyOn(pod.annotations, corePercent);
        if (policy !== undefined) policies.set(deviceId, policy);
      }
      return served;
    },
  });
  return {
    devices,
    offers: () => slotsOf(countResource, devices()),
    annotations: () => {
      const cards = cardsOf(host.node, described());
      if (cards.length === 0) return {};
      const published = cards.map((card) => publishedCard(card, described(), policies.get(card.id)));
      return { [registerAnnotation]: JSON.stringify(published) };
    },
    publishMs: () => publishMs,
    allocate: (call) => server.allocate(call),
  };
}

function cardsOf(node: string, { cards }: MetaxSgpuDescription): readonly NumberedCard<MetaxCard>[] {
  return numberedCards(cards, { node, kind: 'metax-sgpu', prefix: 'GPU-' });
}

function deviceOf(
  { id, index, healthy }: NumberedCard<MetaxCard>,
  { memoryMiB = 65_536 }: MetaxSgpuDescription,
): Device {
  return {
    id,
    vendor: word,
    index,
    type: word,
    slots: containersPerCard,
    memoryMiB,
    corePercent: 100,
    numa: 0,
    mode: '',
    healthy,
  };
}

/** One object of the annotation. What is free is not reckoned: no scheduler reads it. */
function publishedCard(
  numbered: NumberedCard<MetaxCard>,
  description: MetaxSgpuDescription,
  policy = numbered.card.qosPolicy ?? '',
): object {
  const { slots, memoryMiB, corePercent, numa } = deviceOf(numbered, description);
  return {
    uuid: numbered.id,
    bdf: `0000:${(numbered.index + 1).toString(16).padStart(2, '0')}:00.0`,
    model: description.model ?? 'MXC500',
    totalDevCount: slots,
    totalCompute: corePercent,
    totalVRam: memoryMiB,
    availableDevCount: slots,
    availableCompute: corePercent,
    availableVRam: memoryMiB,
    numa,
    healthy: numbered.healthy,
    qosPolicy: policy,
    linkZone: numbered.card.linkZone ?? 0,
  };
}

async function serve(
  { api }: PluginHost,
  cards: readonly Device[],
  pod: PodObject,
  count: number,
): Promise<ServedContainer> {
  const { [toAllocateAnnotation]: value, [partsAnnotation]: written } = pod.annotations;
  if (value === undefined) throw new AllocateError(`pod ${podName(pod)} has no ${toAllocateAnnotation}`);
  if (written === undefined) throw new AllocateError(`pod ${podName(pod)} has no ${partsAnnotation}`);
  const taken = takeEntry(value, word);
  if (!taken.ok) throw new AllocateError(taken.problem);
  const parts = parseMetaxParts(written);
  if (!parts.ok) throw new AllocateError(`${partsAnnotation}: ${parts.problem}`);
  const { index, erased, shares: reckoned } = taken.value;
  const own = parts.value[index] ?? [];
  const container = pod.containers[index];
  if (container === undefined) throw new AllocateError(`container index ${index} out of range`);
  if (own.length !== count) {
    throw new AllocateError(`device number not matched: ${own.length} written, ${count} asked`);
  }
  const stranger = own.find(({ id }) => !cards.some((card) => card.id === id));
  if (stranger !== undefined) throw new AllocateError(`there is no card ${stranger.id}`);

  await api.annotatePod(pod, { [toAllocateAnnotation]: erased });
  const left = (await api.pod(pod)).annotations[toAllocateAnnotation] ?? '';
  const shares = own.map(({ id, memoryMiB, compute }) => ({
    vendor: word,
    deviceId: id,
    memoryMiB,
    corePercent: compute,
    kind: kindOf(pod.annotations, compute),
  }));
  const agrees = parts.value.length === pod.containers.length && textOf(own) === textOf(reckoned.map(partOf));
  const oddity = `pod ${podName(pod)}: ${partsAnnotation} says something else than ${toAllocateAnnotation}`;
  return {
    gift: {
      pod,
      container: container.name,
      shares,
      instances: [],
      env: {},
      clash: sgpuClash,
      oddities: agrees ? [] : [oddity],
    },
    isLast: !left.includes(word),
  };
}

function partOf({
  deviceId,
  memoryMiB,
  corePercent,
}: {
  readonly deviceId: string;
  readonly memoryMiB: number;
  readonly corePercent: number;
}): MetaxPart {
  return { id: deviceId, memoryMiB, compute: corePercent };
}

function textOf(parts: readonly MetaxPart[]): string {
  return parts.map(({ id, memoryMiB, compute }) => `${id} ${memoryMiB} ${compute}`).join();
}
