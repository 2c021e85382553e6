/**
 * The cards of one family on a node, of one kind or several, and what is asked of them: the classes that cards of these
 * kinds could serve, by what they ask for. Nodes with the same kinds share one.
 */
import type { Device, VendorKey } from '../../model/device.ts';
import type { CardRules } from '../../vendors/card-rules.ts';
import { type CardNeed, needKey, needOf } from './card-need.ts';
import { CardRows } from './card-rows.ts';
import { type CardScale, partMilli, scaleOf } from './card-scale.ts';
import type { RequestClass } from './request-class.ts';
import { type KindKey, kindKey } from './supply.ts';

/** A class as the cards of a group see it. */
export interface GroupClass {
  /** Its position among the classes of the group's maker. */
  readonly position: number;
  /** Its need, by which the rows of cards are asked. */
  readonly need: number;
  /** Thousandths of a card that it takes of each: the mean over the kinds that could serve it. */
  readonly milli: number;
}

export interface CardGroup {
  readonly vendor: VendorKey;
  /** Only classes that at least one of the kinds could serve; by host CPU, the least first. */
  readonly classes: readonly GroupClass[];
  /** How many different needs they have. */
  readonly needs: number;
  rowsOf(device: Device): CardRows;
}

export interface GroupMaker {
  /** The classes that ask for the family's cards. */
  readonly classes: readonly RequestClass[];
  /** See `computeWeight`. */
  readonly computeWeight: number;
  readonly rules: CardRules | undefined;
  /** What room on a card of a kind is worth, by hundredths of it. */
  readonly roomPrices: (device: Device) => ArrayLike<number>;
}

interface Kind {
  readonly key: KindKey;
  readonly device: Device;
  readonly scale: CardScale;
  /** By class. */
  readonly needs: readonly (CardNeed | undefined)[];
}

/** @param devices one per kind, all of one family */
export function makeCardGroup(vendor: VendorKey, devices: readonly Device[], maker: GroupMaker): CardGroup {
  const kinds = devices.map((device): Kind => ({
    key: kindKey(device),
    device,
    scale: scaleOf(device, maker.computeWeight),
    needs: maker.classes.map((entry) => needOf(entry, device, maker.rules)),
  }));
  /** By what it asks of every kind: the position of the first class that does. */
  const firsts = new Map<string, { readonly need: number; readonly position: number }>();
  const classes: GroupClass[] = [];
  for (const position of maker.classes.keys()) {
    const usable = kinds.filter(({ needs }) => needs[position] !== undefined);
    if (usable.length === 0) continue;
    const key = kinds.map(({ needs, device }) => needKey(needs[position], device)).join('|');
    const first = firsts.get(key) ?? { need: firsts.size, position };
    firsts.set(key, first);
    const milli = usable.reduce((sum, { scale, needs }) => sum + milliOf(scale, needs[position]), 0);
    classes.push({ position, need: first.need, milli: milli / usable.length });
  }
  const cpuOf = ({ position }: GroupClass) => maker.classes[position]?.cpuMilli ?? 0;
  const tables = new Map(
    kinds.map(({ key, device, scale, needs: ofClass }) => {
      const needs = [...firsts.values()].map(({ position }) => ofClass[position]);
      const { rules } = maker;
      return [
        key,
        new CardRows({ device, scale, roomPrices: maker.roomPrices(device), needs, rules }),
      ] as const;
    }),
  );
  return {
    vendor,
    classes: classes.sort((a, b) => cpuOf(a) - cpuOf(b)),
    needs: firsts.size,
    rowsOf: (device) => {
      const rows = tables.get(kindKey(device));
      if (rows === undefined)
        throw new Error(`a group was asked about a kind that is not in it: ${device.type}`);
      return rows;
    },
  };
}

function milliOf(scale: CardScale, need: CardNeed | undefined): number {
  return need === undefined ? 0 : partMilli(scale, need.memoryMiB, need.cores);
}
