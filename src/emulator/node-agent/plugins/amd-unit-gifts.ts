/**
 * Which compute units of AMD's cards are whose (vendors §14.8). The only record is an annotation on each pod: an object
 * from card to list of units, which the plugin adds up whenever it gives some.
 */

import { type PodObject, podName } from '../../../model/cluster-objects.ts';
import type { Device } from '../../../model/device.ts';
import { type Parsed, parsed, unparsable } from '../../../model/result.ts';
import { parseJson } from '../../../wire/json.ts';
import { isRecord } from '../../api/json.ts';
import type { Clash } from '../sharing-faults.ts';
import { formatUnits, freeUnits, parseUnits } from './compute-units.ts';
import type { WrittenDevice } from './written-devices.ts';

type UnitsByCard = ReadonlyMap<string, ReadonlySet<number>>;

export interface UnitGift {
  readonly card: string;
  readonly units: readonly number[];
  /** The units as a list. */
  readonly text: string;
}

/** The units that pods hold which have not ended. Refuses what cannot be read, and units that two pods have. */
export function unitsOfPods(
  pods: readonly PodObject[],
  annotation: string,
  cards: readonly Device[],
): Parsed<UnitsByCard> {
  const total = new Map<string, Set<number>>();
  for (const pod of pods) {
    const value = pod.annotations[annotation] ?? '';
    if (value === '' || pod.phase === 'Succeeded' || pod.phase === 'Failed') continue;
    const own = parseUnitsByCard(value, cards);
    if (!own.ok) return unparsable(`pod ${podName(pod)}: ${own.problem}`);
    for (const [card, units] of own.value) {
      const taken = total.get(card) ?? new Set();
      total.set(card, taken);
      for (const unit of units) {
        if (taken.has(unit)) return unparsable(`compute unit ${unit} of card ${card} has two owners`);
        taken.add(unit);
      }
    }
  }
  return parsed(total);
}

/** Gives each device its compute units, the first that are free. */
export function giveUnits(
  devices: readonly WrittenDevice[],
  cards: readonly Device[],
  taken: UnitsByCard,
): Parsed<readonly UnitGift[]> {
  const gifts: UnitGift[] = [];
  for (const { id, cores } of devices) {
    const card = cards.find((known) => known.id === id);
    if (card === undefined) return unparsable(`device ${id} not found`);
    const before = gifts.filter((gift) => gift.card === id).flatMap(({ units }) => units);
    const units = freeUnits(new Set([...(taken.get(id) ?? []), ...before]), card.corePercent, cores);
    if (units === undefined) return unparsable(`card ${id} has no ${cores} free compute units`);
    gifts.push({ card: id, units, text: formatUnits(units) });
  }
  return parsed(gifts);
}

/** The pod's annotation with the gifts added; keys in order, as Go writes maps. */
export function withGifts(
  before: string | undefined,
  gifts: readonly UnitGift[],
  cards: readonly Device[],
): Parsed<string> {
  const held =
    before === undefined ? parsed(new Map<string, ReadonlySet<number>>()) : parseUnitsByCard(before, cards);
  if (!held.ok) return held;
  const all = new Map(held.value);
  for (const { card, units } of gifts) all.set(card, new Set([...(all.get(card) ?? []), ...units]));
  const texts = [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([card, units]) => [card, formatUnits([...units].sort((a, b) => a - b))]);
  return parsed(JSON.stringify(Object.fromEntries(texts)));
}

/** Two containers never have the same unit. */
export const unitsClash: Clash = (kind, other) => {
  const units = parseUnits(kind, Infinity);
  const others = parseUnits(other, Infinity);
  if (!units.ok || !others.ok) return `compute units ${kind} and ${other}`;
  const both = units.value.filter((unit) => others.value.includes(unit));
  return both.length === 0 ? undefined : `compute units ${formatUnits(both)} twice`;
};

function parseUnitsByCard(value: string, cards: readonly Device[]): Parsed<UnitsByCard> {
  const json = parseJson(value);
  if (!json.ok) return json;
  if (!isRecord(json.value)) return unparsable('compute units by card are no object');
  const result = new Map<string, ReadonlySet<number>>();
  for (const [id, text] of Object.entries(json.value)) {
    const card = cards.find((known) => known.id === id);
    if (card === undefined) return unparsable(`device ${id} not found`);
    const units = parseUnits(typeof text === 'string' ? text : '', card.corePercent);
    if (!units.ok) return units;
    result.set(id, new Set(units.value));
  }
  return parsed(result);
}
