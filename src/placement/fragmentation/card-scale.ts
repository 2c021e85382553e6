/**
 * Amounts of memory and compute as parts of one card. A free part of a card is worth what its memory and its compute are
 * worth together; compute counts as much as memory where everybody asks for it, and not at all where nobody does.
 */
import type { Device, VendorKey } from '../../model/device.ts';
import { wholeCard } from './cutting-stock.ts';
import type { WeightedClass } from './request-class.ts';

/** What memory and compute of a card count; they add up to 1, or both are 0 on a card that has neither. */
export interface CardScale {
  readonly memoryMiB: number;
  readonly memoryWeight: number;
  readonly cores: number;
  readonly coresWeight: number;
}

const milliOfCard = 1000;

/** The weight of compute for a family: half the part of the cards asked for that are asked for with compute. */
export function computeWeight(classes: readonly WeightedClass[], vendor: VendorKey): number {
  let asked = 0;
  let withCompute = 0;
  for (const entry of classes) {
    if (entry.vendor !== vendor) continue;
    asked += entry.weight * entry.count;
    if (entry.corePercent > 0) withCompute += entry.weight * entry.count;
  }
  return asked > 0 ? (0.5 * withCompute) / asked : 0;
}

export function scaleOf({ memoryMiB, corePercent: cores }: Device, weight: number): CardScale {
  const coresWeight = cores > 0 ? (memoryMiB > 0 ? weight : 1) : 0;
  return { memoryMiB, memoryWeight: memoryMiB > 0 ? 1 - coresWeight : 0, cores, coresWeight };
}

/** In thousandths of a card, a whole number. */
export function partMilli(scale: CardScale, memoryMiB: number, cores: number): number {
  const { memoryWeight, coresWeight } = scale;
  const ofMemory = memoryWeight > 0 ? (memoryWeight * memoryMiB) / scale.memoryMiB : 0;
  const ofCores = coresWeight > 0 ? (coresWeight * cores) / scale.cores : 0;
  return Math.round(milliOfCard * (ofMemory + ofCores));
}

/** Hundredths of a card that are free in every dimension that counts, rounded down. */
export function roomOf(scale: CardScale, memoryMiB: number, cores: number): number {
  let room = scale.memoryWeight + scale.coresWeight > 0 ? wholeCard : 0;
  if (scale.memoryWeight > 0) room = Math.min(room, Math.floor((wholeCard * memoryMiB) / scale.memoryMiB));
  if (scale.coresWeight > 0) room = Math.min(room, Math.floor((wholeCard * cores) / scale.cores));
  return Math.max(0, room);
}

/** Hundredths of a card that amounts take of it, rounded up, at least one. */
export function sizeOf(scale: CardScale, memoryMiB: number, cores: number): number {
  let size = 1;
  if (scale.memoryWeight > 0) size = Math.max(size, Math.ceil((wholeCard * memoryMiB) / scale.memoryMiB));
  if (scale.coresWeight > 0) size = Math.max(size, Math.ceil((wholeCard * cores) / scale.cores));
  return Math.min(wholeCard, size);
}
