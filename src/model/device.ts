/**
 * What a node announces. A device is one physical card (or die) of one vendor; its capacity is in the units used
 * everywhere inside: slots (how many containers may share it at once), MiB of memory, and percent of its compute, or
 * what its plugin counts instead.
 */
import type { MigProfile } from './mig.ts';

/** The word by which a vendor is known in allocation strings and maps, e.g. `NVIDIA`. */
export type VendorKey = string;

export interface Device {
  /** The identifier the device plugin knows, e.g. an NVML UUID. Unique within its vendor and node. */
  readonly id: string;
  readonly vendor: VendorKey;
  readonly index: number;
  /** Product name, e.g. `NVIDIA A100-SXM4-40GB`; type selectors match substrings of it. */
  readonly type: string;
  readonly slots: number;
  readonly memoryMiB: number;
  /** Compute capacity, in percent of a card or in units of its plugin; see `CardRules.coresOf`. */
  readonly corePercent: number;
  readonly numa: number;
  /** The plugin's operating mode on this card, e.g. `hami-core`, `mig`, `mps`. */
  readonly mode: string;
  readonly healthy: boolean;
  /** On a card in MIG mode: the instances it can be cut into. Absent when its plugin does not say (≤ v2.9). */
  readonly migProfiles?: readonly MigProfile[];
  /** How well this card is linked to each other card of its node, by id; absent when the plugin does not say. */
  readonly linkScores?: ReadonlyMap<string, number>;
  readonly facts?: DeviceFacts;
}

/** What else a plugin says of a card, for the rules of its own family: flat, so that it can be compared. */
export type DeviceFacts = Readonly<Record<string, string | number | boolean>>;

/** Consumption on one device, in the device's own three dimensions. */
export interface DeviceUsage {
  readonly slots: number;
  readonly memoryMiB: number;
  readonly corePercent: number;
}

export const noUsage: DeviceUsage = { slots: 0, memoryMiB: 0, corePercent: 0 };

/** One key for a device of any vendor within a node; vendor words contain no slash. */
export function deviceKey(vendor: VendorKey, id: string): string {
  return `${vendor}/${id}`;
}

/** True when nothing about two devices differs. */
export function isSameDevice(a: Device, b: Device): boolean {
  const { migProfiles: profilesA, linkScores: linksA, facts: factsA, ...plainA } = a;
  const { migProfiles: profilesB, linkScores: linksB, facts: factsB, ...plainB } = b;
  return (
    (Object.keys(plainA) as (keyof typeof plainA)[]).every((field) => plainA[field] === plainB[field]) &&
    (factsA === factsB || JSON.stringify(factsA) === JSON.stringify(factsB)) &&
    (profilesA === profilesB || JSON.stringify(profilesA) === JSON.stringify(profilesB)) &&
    isSameMap(linksA, linksB)
  );
}

function isSameMap(
  a: ReadonlyMap<string, number> = noLinks,
  b: ReadonlyMap<string, number> = noLinks,
): boolean {
  return a === b || (a.size === b.size && [...a].every(([key, value]) => b.get(key) === value));
}

const noLinks: ReadonlyMap<string, number> = new Map();

/** A stable order for devices of one node: vendor, then index, then id. */
export function compareDevices(a: Device, b: Device): number {
  return compareText(a.vendor, b.vendor) || a.index - b.index || compareText(a.id, b.id);
}

/** Byte-wise comparison; `localeCompare` depends on the machine and is far slower. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
