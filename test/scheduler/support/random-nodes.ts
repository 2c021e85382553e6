/**
 * The nodes of a random cluster: cards that change but never lose what is in use, and the account of what pods really
 * hold of them, read from the pods' annotations by a reader that shares no code with the one under test.
 */
import type { NodeObject, PodObject } from '../../../src/model/cluster-objects.ts';
import type { DeviceUsage } from '../../../src/model/device.ts';
import type { DeviceState } from '../../../src/state/device-state.ts';
import { nodeObject } from '../../state/support/device-states.ts';

export const nodeNames: readonly string[] = ['n1', 'n2'];
export const allocatedAnnotation = 'hami.io/vgpu-devices-allocated';
const corePercent = 100;

interface Card {
  readonly index: number;
  slots: number;
  memoryMiB: number;
  healthy: boolean;
  present: boolean;
}

interface Holding extends DeviceUsage {
  readonly card: string;
}

export function pick<T>(list: readonly T[], chance: number): T | undefined {
  return list[chance % list.length];
}

export function isOver({ phase }: PodObject): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

export class RandomNodes {
  readonly #cards = new Map<string, readonly Card[]>(
    nodeNames.map((name, index) => [name, [0, 1].map((card) => makeCard(card, 3 + index))]),
  );

  object(name: string): NodeObject {
    const devices = this.#cardsOf(name)
      .filter(({ present }) => present)
      .map(({ index, slots, memoryMiB, healthy }) => ({ index, slots, memoryMiB, healthy }));
    return nodeObject({ name, devices, allocatable: { 'nvidia.com/gpu': '100' } });
  }

  /** Changes one card, but never takes what is in use: that would be a fault of the node's, not of ours. */
  reshape(
    name: string,
    which: number,
    { how, usedOf }: { how: number; usedOf: (deviceId: string) => DeviceUsage },
  ): void {
    const card = pick(this.#cardsOf(name), which);
    if (card === undefined) return;
    const used = usedOf(`gpu-${card.index}`);
    const kind = how % 4;
    if (kind === 0) card.healthy = !card.healthy;
    else if (kind === 1 && used.slots === 0) card.present = !card.present;
    else if (kind === 2) card.memoryMiB = Math.max(how % 3 === 0 ? 8192 : 16384, used.memoryMiB);
    else if (kind === 3) card.slots = Math.max(2 + (how % 3), used.slots);
  }

  /** The first card of which these pods hold more than it has, in words. */
  exceededBy(pods: readonly PodObject[]): string | undefined {
    const sums = sumsOf(pods);
    for (const name of nodeNames) {
      for (const { index, slots, memoryMiB } of this.#cardsOf(name)) {
        const sum = sums.get(`${name}/gpu-${index}`);
        if (sum !== undefined && exceeds(sum, { slots, memoryMiB, corePercent })) {
          return `truth: ${name}/gpu-${index} runs ${JSON.stringify(sum)}`;
        }
      }
    }
    return undefined;
  }

  #cardsOf(name: string): readonly Card[] {
    return this.#cards.get(name) ?? [];
  }
}

/** The first card that holds more than it has by the ledger's own account, in words. */
export function overCommittedInLedger(state: DeviceState): string | undefined {
  for (const node of nodeNames) {
    for (const { device, used } of state.view(node)?.devices ?? []) {
      if (exceeds(used, device)) return `ledger: ${node}/${device.id} holds ${JSON.stringify(used)}`;
    }
  }
  return undefined;
}

/** The shares in a bound pod's own annotation, per container. */
export function sharesIn(pod: PodObject): readonly (readonly Holding[])[] {
  const value = pod.annotations[allocatedAnnotation] ?? '';
  return value.split(';').map((entry) =>
    entry
      .split(':')
      .filter((piece) => piece !== '')
      .map((piece) => {
        const [card = '', , memory, cores] = piece.split(',');
        return { card, slots: 1, memoryMiB: Number(memory), corePercent: Number(cores) };
      }),
  );
}

/** What a pod holds at this moment: its init containers alone until they have finished, then its app containers. */
function holdingsOf(pod: PodObject): readonly Holding[] {
  const shares = sharesIn(pod);
  const inits = pod.containers.filter(({ role }) => role === 'init').length;
  if (inits === 0) return shares.flat();
  return (pod.initFinished ? shares.slice(inits) : shares.slice(0, inits)).flat();
}

function sumsOf(pods: readonly PodObject[]): ReadonlyMap<string, DeviceUsage> {
  const sums = new Map<string, DeviceUsage>();
  for (const pod of pods) {
    for (const { card, ...held } of holdingsOf(pod)) {
      const key = `${pod.nodeName ?? ''}/${card}`;
      const sum = sums.get(key) ?? { slots: 0, memoryMiB: 0, corePercent: 0 };
      sums.set(key, {
        slots: sum.slots + held.slots,
        memoryMiB: sum.memoryMiB + held.memoryMiB,
        corePercent: sum.corePercent + held.corePercent,
      });
    }
  }
  return sums;
}

function exceeds(used: DeviceUsage, capacity: DeviceUsage): boolean {
  return (
    used.slots > capacity.slots ||
    used.memoryMiB > capacity.memoryMiB ||
    used.corePercent > capacity.corePercent
  );
}

function makeCard(index: number, slots: number): Card {
  return { index, slots, memoryMiB: 16384, healthy: true, present: true };
}
