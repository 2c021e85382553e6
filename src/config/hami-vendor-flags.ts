/**
 * Flags of HAMi's scheduler that belong to one family of vendors, made from what each family says of itself: the switch
 * without which its block is left alone, and resource names from before there was a device configuration. Flags of
 * families that we do not have are listed here until we have them.
 */
import { parsed, unparsable } from '../model/result.ts';
import { type FamilyConfig, isOnByDefault, type VendorFamily } from '../vendors/vendor-family.ts';
import { vendorFamilies } from '../vendors/vendors.ts';
import type { Mapping } from '../wire/mapping.ts';
import type { AnySection, LeafSetting } from '../wire/setting-schema.ts';
import { resourceKey } from './hami-device-config.ts';
import { type HamiFlag, onOff, set, value } from './hami-flag.ts';

const ours = Object.entries(vendorFamilies).flatMap(([block, family]) =>
  // What a family makes of its block does not matter here.
  flagsOf(block, family as unknown as VendorFamily<FamilyConfig>),
);

/** vendors §1.1. */
const switchesOfOthers = ['enable-iluvatar'];
const namesOfOthers = [
  ...['iluvatar-name', 'iluvatar-memory', 'iluvatar-cores'],
  ...['mthreads-name', 'mthreads-memory', 'mthreads-cores'],
  ...['kunlun-name', 'kunlun-vcount', 'kunlun-vmemory'],
  ...['enflame-gcu-resource-name', 'enflame-drs-gcu-resource-name', 'enflame-vgcu-resource-name'],
  ...['enflame-gcu-memory-resource-name', 'enflame-gcu-core-resource-name'],
  ...['enflame-vgcu-legacy-resource-name', 'enflame-vgcu-percentage-resource-name'],
];

const otherVendor =
  'Not carried over: cards of this vendor are not managed, and pods that ask for them pass as they are.';

export const vendorFlags: readonly HamiFlag[] = [
  ...ours,
  ...switchesOfOthers.filter(isNotOurs).map((flag) => onOff(flag, otherVendor)),
  ...namesOfOthers.filter(isNotOurs).map((flag) => value(flag, otherVendor)),
];

function isNotOurs(flag: string): boolean {
  return !ours.some((row) => row.flag === flag);
}

function flagsOf(block: string, family: VendorFamily<FamilyConfig>): readonly HamiFlag[] {
  const { hamiSwitch, hamiFlags = {} } = family;
  const section: AnySection = family.settings;
  const rows = Object.entries(hamiFlags).map(([flag, key]) => {
    const rule = section.properties[key];
    if (rule === undefined || rule.type === 'object') throw new Error(`vendors.${block} has no ${key}`);
    const turnsOn = resourceKey.test(key) && !isOnByDefault(family);
    return keyFlag({ flag, block, key, rule, turnsOn });
  });
  return hamiSwitch === undefined ? rows : [switchFlag(hamiSwitch, block), ...rows];
}

/** Without it the block of a device configuration is as if it were not there. */
function switchFlag(flag: string, block: string): HamiFlag {
  const fate = `Setting \`vendors.${block}.enabled\`: without it, \`${block}\` of the device configuration is left alone.`;
  const row = onOff(flag, fate, (on) =>
    on ? parsed({}) : set({ vendors: { [block]: { enabled: false } } }),
  );
  return { ...row, unlessGiven: 'false' };
}

interface KeyFlag {
  readonly flag: string;
  readonly block: string;
  readonly key: string;
  readonly rule: LeafSetting;
  /** Who names a resource has such cards, so a family that is off by default is on with it. */
  readonly turnsOn: boolean;
}

function keyFlag({ flag, block, key, rule, turnsOn }: KeyFlag): HamiFlag {
  const place = `\`vendors.${block}.${key}\`${turnsOn ? ', with `enabled`' : ''}`;
  const fate = `Setting ${place}, below the device configuration (older charts).`;
  const assume = (given: boolean | number | string) => {
    const settings: Mapping = { ...(turnsOn ? { enabled: true } : {}), [key]: given };
    return parsed({ assumed: { vendors: { [block]: settings } } });
  };
  if (rule.type === 'boolean') return onOff(flag, fate, assume);
  if (rule.type === 'string') return value(flag, fate, assume);
  return value(flag, fate, (text) =>
    /^-?\d{1,10}$/.test(text)
      ? assume(Number(text))
      : unparsable(`${JSON.stringify(text)} is not a whole number`),
  );
}
