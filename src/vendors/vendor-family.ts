/**
 * A block of the configuration and the vendors that it makes: one for most families, several where a family has its
 * chips in a list. The block stands in the vendor's own file, so that everything about a vendor is found there; the
 * configuration is put together from all of them.
 */
import type { SectionSchema } from '../wire/setting-schema.ts';
import type { Vendor, VendorResources } from './vendor.ts';

export interface FamilyConfig {
  /** Whether the family's cards are shared. Off: their resources are foreign and never touched. */
  readonly enabled: boolean;
}

export interface VendorFamily<C extends FamilyConfig> {
  /** Of the block `vendors.<name>`; keys other than `enabled` are HAMi's. */
  readonly settings: SectionSchema<C>;
  /** The block of HAMi's own file in the form of `settings`, where HAMi has written it differently. */
  readonly fromHami?: (block: unknown) => unknown;
  /** Keys of HAMi's block that its scheduler reads no more: an unreadable value is left out instead of refused. */
  readonly staleInHami?: readonly string[];
  /** The switch of HAMi's scheduler without which it leaves the block alone (vendors §1.1), without dashes in front. */
  readonly hamiSwitch?: string;
  /** Flags of HAMi's scheduler, each with the key of the block that it gave before there was a device configuration. */
  readonly hamiFlags?: Readonly<Record<string, string>>;
  /** Keys of the block that the device plugin alone reads. */
  readonly pluginSettings?: readonly string[];
  /** What an enabled block makes. A vendor whose count resource has no name does not exist. */
  make(config: C): readonly Vendor[];
}

export function isOnByDefault({ settings }: Pick<VendorFamily<FamilyConfig>, 'settings'>): boolean {
  return settings.properties.enabled.default;
}

/** Extended resources are named in a domain; an empty name means "there is no such resource". */
export const resourceName = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$';
export const optionalResourceName = `^$|${resourceName}`;

/** The name of an extended resource; the empty text means that there is no such resource. */
export function resourceSetting(name: string, description: string) {
  return {
    type: 'string',
    pattern: optionalResourceName,
    default: name,
    description: `Resource: ${description} Empty: does not exist.`,
  } as const;
}

/** The resources that have a name. */
export function resourcesNamed(names: VendorResources): VendorResources {
  const { count, ...others } = names;
  const named = Object.fromEntries(Object.entries(others).filter(([, name]) => name !== ''));
  return { count, ...named };
}

/** The switch of a family whose cards are not shared unless somebody says so. */
export function enabledSetting(cards: string) {
  return {
    type: 'boolean',
    default: false,
    description: `Whether ${cards} are shared. Off: their resources are foreign and never touched.`,
  } as const;
}
