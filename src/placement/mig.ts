/**
 * Where on a card in MIG mode an instance goes (spec §5.7): the smallest profile that is large enough and has a free
 * placement. Nothing is remembered; what is taken is handed in.
 */
import type { Device } from '../model/device.ts';
import { type MigInstance, type MigPlacement, type MigProfile, overlaps } from '../model/mig.ts';
import { type MemoryRequest, memoryNeedMiB } from '../model/request.ts';

export interface InstanceChoice {
  readonly instance: MigInstance;
  readonly memoryMiB: number;
  readonly corePercent: number;
}

/**
 * Percent of a card's memory that a profile must have to stand for the whole card. The largest profile of a card lacks up
 * to a few percent of it, so that a request for 100 percent would never fit (Q11). A card that may not be given whole is
 * none for such a request: a third of it for somebody who asked for all would be an invented answer.
 */
const wholeCardPercent = 90;

/**
 * The instance for one share of a request, beside those that hold `occupied`; memory (MiB) and compute (percent of the
 * card) are what its profile has. Undefined when no profile is large enough, or none of those has room.
 */
export function selectInstance(
  device: Device,
  occupied: readonly MigPlacement[],
  memory: MemoryRequest,
): InstanceChoice | undefined {
  if (device.migProfiles === undefined) return undefined;
  const needMiB = leastMemoryMiB(device, memory);
  for (const { name, memoryMiB, corePercent, placements } of inOrder(device.migProfiles)) {
    if (memoryMiB < needMiB) continue;
    const placement = placements.find((place) => !occupied.some((taken) => overlaps(place, taken)));
    if (placement !== undefined) return { instance: { profile: name, placement }, memoryMiB, corePercent };
  }
  return undefined;
}

/** By list of profiles, which is never changed: the same in the order of trying, made once. */
const ordered = new WeakMap<readonly MigProfile[], readonly MigProfile[]>();

function inOrder(profiles: readonly MigProfile[]): readonly MigProfile[] {
  let list = ordered.get(profiles);
  if (list === undefined) {
    list = profiles
      .map((profile) => ({ ...profile, placements: placementsInOrder(profile) }))
      .sort((a, b) => a.memoryMiB - b.memoryMiB || a.slices - b.slices);
    ordered.set(profiles, list);
  }
  return list;
}

function leastMemoryMiB(device: Device, memory: MemoryRequest): number {
  const isWholeCard = memory.kind === 'percent' && memory.percent === 100;
  return isWholeCard ? Math.ceil((device.memoryMiB * wholeCardPercent) / 100) : memoryNeedMiB(memory, device);
}

/** Small and odd-sized instances are packed from the end, so that the others keep aligned room at the start. */
function placementsInOrder({ name, placements }: MigProfile): readonly MigPlacement[] {
  const fromTheEnd = name.startsWith('1g.') || name.startsWith('3g.');
  return [...placements].sort((a, b) => (fromTheEnd ? b.start - a.start : a.start - b.start));
}
