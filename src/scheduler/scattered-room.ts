/**
 * Room that is there in sum and for no use: what a pod asks of a card is free many times over in the cluster, but in
 * pieces of which none is large enough, or of which no node has enough. Worked out only where somebody asks why a pod
 * waits; it counts as room what the planner's own ladder refuses for its amount alone.
 */
import type { VendorKey } from '../model/device.ts';
import type { NodeView } from '../model/node-view.ts';
import type { CardReason } from '../model/reason.ts';
import type { DeviceRequest, PodRequest } from '../model/request.ts';
import { coresNeeded, refuseCard } from '../placement/fit-card.ts';
import type { PlanRules } from '../placement/planner.ts';

export interface ScatteredRoom {
  readonly container: string;
  readonly vendor: VendorKey;
  readonly cards: number;
  /** What is asked of each card, what is free of all together, and the most that is free of one. */
  readonly memory: Amounts & { readonly unit: 'MiB' | 'percent' };
  /** Absent where no compute is promised; percent of a card. */
  readonly cores?: Amounts;
  readonly sentence: string;
}

export interface Amounts {
  readonly wanted: number;
  readonly free: number;
  readonly largest: number;
}

/** The first of the pod's requests for which there is room in sum alone; undefined where that is not the trouble. */
export function findScatteredRoom(
  request: PodRequest,
  views: readonly NodeView[],
  rules: PlanRules,
): ScatteredRoom | undefined {
  for (const { name, devices } of request.containers) {
    for (const wanted of devices) {
      const room = scatteredFor(wanted, { request, views, rules });
      if (room === undefined) continue;
      const found = { container: name, vendor: wanted.vendor, cards: wanted.count, ...room };
      return { ...found, sentence: sentenceOf(found) };
    }
  }
  return undefined;
}

/** Of cards that would do if more of them were free; undefined: of those that do. */
const amountReasons: readonly (CardReason | undefined)[] = [
  undefined,
  'CardInsufficientMemory',
  'CardInsufficientCore',
];

interface Question {
  readonly request: PodRequest;
  readonly views: readonly NodeView[];
  readonly rules: PlanRules;
}

function scatteredFor(
  wanted: DeviceRequest,
  { request, views, rules }: Question,
): Pick<ScatteredRoom, 'memory' | 'cores'> | undefined {
  const { vendor, count, memory } = wanted;
  const cardRules = rules.cardRules?.get(vendor);
  const { idleOnly } = request.devicePolicy ?? rules.devicePolicy;
  const question = { request: wanted, selector: request.selectors.get(vendor), idleOnly, rules: cardRules };
  const mebibytes = new Tally();
  const cores = new Tally();
  let wantedCores = 0;
  for (const { devices } of views) {
    let fitting = 0;
    for (const card of devices) {
      const { device, used } = card;
      if (device.vendor !== vendor) continue;
      const reason = refuseCard(card, card, question);
      if (!amountReasons.includes(reason)) continue;
      if (reason === undefined) fitting += 1;
      const freeMiB = Math.max(0, device.memoryMiB - used.memoryMiB);
      mebibytes.add(memory.kind === 'mib' ? freeMiB : partOf(freeMiB, device.memoryMiB));
      cores.add(partOf(device.corePercent - used.corePercent, device.corePercent));
      wantedCores = Math.max(wantedCores, partOf(coresNeeded(wanted, device, cardRules), device.corePercent));
    }
    if (fitting >= count) return undefined;
  }
  const wantedMemory = memory.kind === 'mib' ? memory.memoryMiB : memory.percent;
  const isThere = mebibytes.sum >= count * wantedMemory && cores.sum >= count * wantedCores;
  if (mebibytes.cards === 0 || !isThere) return undefined;
  const unit = memory.kind === 'mib' ? ('MiB' as const) : ('percent' as const);
  return {
    memory: { unit, ...mebibytes.amounts(wantedMemory) },
    ...(wantedCores === 0 ? {} : { cores: cores.amounts(wantedCores) }),
  };
}

class Tally {
  cards = 0;
  sum = 0;
  #largest = 0;

  add(amount: number): void {
    this.cards += 1;
    this.sum += amount;
    this.#largest = Math.max(this.#largest, amount);
  }

  amounts(wanted: number): Amounts {
    return { wanted, free: Math.floor(this.sum), largest: Math.floor(this.#largest) };
  }
}

/** In percent; 0 of what there is none of. */
function partOf(amount: number, whole: number): number {
  return whole === 0 ? 0 : (100 * Math.max(0, amount)) / whole;
}

function sentenceOf({ container, vendor, cards, memory, cores }: Omit<ScatteredRoom, 'sentence'>): string {
  const unit = memory.unit === 'MiB' ? 'MiB' : "% of a card's memory";
  const words = (kind: keyof Amounts) =>
    [
      `${memory[kind]} ${unit}`,
      ...(cores === undefined ? [] : [`${cores[kind]} % of a card's compute`]),
    ].join(' and ');
  const [asked, place] =
    cards === 1
      ? [`of one ${vendor} card`, 'on no single card']
      : [`of each of ${cards} ${vendor} cards`, `not on ${cards} cards of one node`];
  const apart =
    cards === 1 && memory.largest >= memory.wanted && (cores?.largest ?? 0) >= (cores?.wanted ?? 0);
  return [
    `container "${container}" asks for ${words('wanted')} ${asked}`,
    `that is free in sum, but ${place}: ${words('free')} in all, at most ${words('largest')} on one card`,
    ...(apart ? ['where there is memory, there is no compute'] : []),
  ].join('; ');
}
