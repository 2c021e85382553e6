/**
 * MetaX's plugin for whole cards (vendors §7). No scheduler tells it anything: kubelet counts, and picks cards together
 * with the plugin. An init container's cards are used again by the containers after it, as in kubelet's own books.
 */
import type { TextMap } from '../../../model/cluster-objects.ts';
import type { Device } from '../../../model/device.ts';
import { AllocateError, PluginGoneError, refusal } from './allocate-error.ts';
import { CallQueue } from './call-queue.ts';
import { type Cards, numberedCards } from './cards.ts';
import {
  type AllocateAnswer,
  type AllocateCall,
  type NodePlugin,
  type PluginHost,
  slotsOf,
} from './node-plugin.ts';

type PointsByCount = Readonly<Record<number, number>>;

export interface MetaxGpuDescription {
  readonly family: 'metax-gpu';
  readonly cards: Cards;
  /** What the node loses, and gains, by a pod with so many cards; not told where left out. */
  readonly losses?: PointsByCount;
  readonly scores?: PointsByCount;
}

const vendor = 'Metax-GPU';
const countResource = 'metax-tech.com/gpu';
const lossesAnnotation = 'metax-tech.com/gpu.topology.losses';
const scoresAnnotation = 'metax-tech.com/gpu.topology.scores';

export function makeMetaxGpu(host: PluginHost, described: () => MetaxGpuDescription): NodePlugin {
  const devices = () => devicesOf(host.node, described());
  const picker = new CardPicker(host, devices);
  return {
    devices,
    offers: () => slotsOf(countResource, devices()),
    annotations: () => annotationsOf(described()),
    publishMs: () => undefined,
    allocate: (call) => picker.allocate(call),
    release: (podUid) => {
      picker.release(podUid);
    },
  };
}

function devicesOf(node: string, { cards }: MetaxGpuDescription): readonly Device[] {
  return numberedCards(cards, { node, kind: 'metax-gpu', prefix: 'GPU-' }).map(({ id, index, healthy }) => ({
    id,
    vendor,
    index,
    type: vendor,
    slots: 1,
    memoryMiB: 65_536,
    corePercent: 100,
    numa: 0,
    mode: '',
    healthy,
  }));
}

function annotationsOf({ losses, scores }: MetaxGpuDescription): TextMap {
  return {
    ...(losses === undefined ? {} : { [lossesAnnotation]: JSON.stringify(losses) }),
    ...(scores === undefined ? {} : { [scoresAnnotation]: JSON.stringify(scores) }),
  };
}

interface HeldCards {
  readonly cards: Set<string>;
  /** Of init containers. */
  readonly reusable: Set<string>;
}

class CardPicker {
  readonly #host: PluginHost;
  readonly #devices: () => readonly Device[];
  readonly #calls = new CallQueue();
  readonly #held = new Map<string, HeldCards>();

  constructor(host: PluginHost, devices: () => readonly Device[]) {
    this.#host = host;
    this.#devices = devices;
  }

  allocate(call: AllocateCall): Promise<AllocateAnswer> {
    return this.#calls.run(async () => {
      const behaviour = await this.#host.behaviour.take();
      try {
        if (behaviour === 'crash') throw new PluginGoneError();
        if (behaviour === 'fail') throw new AllocateError('told to fail');
        return this.#pick(call);
      } catch (error) {
        return refusal(error);
      }
    });
  }

  release(podUid: string): void {
    this.#held.delete(podUid);
  }

  #pick({ count, books }: AllocateCall): AllocateAnswer {
    const own = this.#held.get(books.podUid) ?? { cards: new Set(), reusable: new Set() };
    const taken = new Set([...this.#held.values()].flatMap(({ cards }) => [...cards]));
    const free = this.#devices().filter(({ id, healthy }) => healthy && !taken.has(id));
    const picked = [...own.reusable, ...free.map(({ id }) => id)].slice(0, count);
    if (picked.length < count) throw new AllocateError(`${count} cards wanted, ${picked.length} free`);
    for (const id of picked) {
      own.cards.add(id);
      if (books.role === 'init') own.reusable.add(id);
      else own.reusable.delete(id);
    }
    this.#held.set(books.podUid, own);
    const shares = picked.map((deviceId) => ({ vendor, deviceId, memoryMiB: 65_536, corePercent: 100 }));
    return { kind: 'given', shares, instances: [], env: {} };
  }
}
