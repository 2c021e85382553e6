/**
 * What the chart has to know of the vendor families, found out by asking them: which resources and reserved annotations
 * their vendors have, in terms of the settings (`{resourceCountName}` stands for the value of that key), what the
 * defaults are, and with which settings containers that ask for nothing are changed, too.
 */
import { resourceKey } from '../../src/config/hami-device-config.ts';
import { changesEveryPod } from '../../src/commands/manifest-lists.ts';
import type { FamilyConfig, VendorFamily } from '../../src/vendors/vendor-family.ts';
import { countedResources, resourceNames, type Vendor } from '../../src/vendors/vendor.ts';
import { vendorFamilies } from '../../src/vendors/vendors.ts';
import { isMapping, type Mapping } from '../../src/wire/mapping.ts';

export interface ChartFamily {
  readonly block: string;
  readonly enabled: boolean;
  readonly scope: ChartScope;
  /** The key of the block that has its vendors, by entry, and its default; `scope` is then that of an entry. */
  readonly list?: { readonly key: string; readonly default: readonly Mapping[] };
}

/** A block, or an entry of its list. */
export interface ChartScope {
  readonly defaults: Mapping;
  /** By key, the values with which every pod has to come to the webhook. */
  readonly everyPod: Readonly<Record<string, readonly unknown[]>>;
  readonly vendors: readonly ChartVendor[];
}

export interface ChartVendor {
  /** Without a name for each that is needed the vendor does not exist. */
  readonly resources: readonly {
    readonly name: string;
    readonly needed: boolean;
    /** Whether nodes advertise it. */
    readonly counted: boolean;
  }[];
  readonly reserved: readonly string[];
}

export function chartFamilies(): readonly ChartFamily[] {
  return Object.entries(vendorFamilies).map(([block, family]) =>
    chartFamily(block, family as unknown as VendorFamily<FamilyConfig>),
  );
}

type Rules = Readonly<Record<string, Mapping>>;

function chartFamily(block: string, family: VendorFamily<FamilyConfig>): ChartFamily {
  const { enabled, ...rules } = family.settings.properties as unknown as Rules;
  const [list, items] = listOf(rules);
  const make = (values: Mapping) => family.make({ enabled: true, ...values });
  const scope =
    list === undefined
      ? scopeOf(rules, make)
      : scopeOf(items, (entry) => make({ ...valuesOf(rules, defaultOf), [list]: [entry] }));
  return {
    block,
    enabled: enabled?.['default'] === true,
    ...(list === undefined ? {} : { list: { key: list, default: entriesOf(rules[list], scope) } }),
    scope,
  };
}

/** The entries of a list that nobody writes, cut down to what the chart reads of them. */
function entriesOf(rule: Mapping | undefined, { defaults }: ChartScope): readonly Mapping[] {
  return ((rule?.['default'] ?? []) as readonly Mapping[]).map((entry) =>
    Object.fromEntries(Object.keys(defaults).map((key) => [key, entry[key]])),
  );
}

/** The one list whose entries name resources, with the rules of an entry. */
function listOf(rules: Rules): readonly [string, Rules] | readonly [undefined, Rules] {
  for (const [key, { items }] of Object.entries(rules)) {
    const properties = isMapping(items) ? items['properties'] : undefined;
    if (isMapping(properties) && Object.keys(properties).some((name) => resourceKey.test(name)))
      return [key, properties as Rules];
  }
  return [undefined, {}];
}

function scopeOf(rules: Rules, make: (values: Mapping) => readonly Vendor[]): ChartScope {
  const named = valuesOf(rules, (rule, key) =>
    rule['type'] === 'string' && rule['enum'] === undefined ? `{${key}}` : defaultOf(rule),
  );
  const everyPod = Object.fromEntries(
    Object.entries(rules).flatMap(([key, rule]) => {
      const values = choicesOf(rule).filter((value) => changesEveryPod(make({ ...named, [key]: value })));
      return values.length === 0 ? [] : [[key, values] as const];
    }),
  );
  const without = (name: string) => make({ ...named, [name.slice(1, -1)]: '' });
  const vendors = make(named).map((vendor) => chartVendor(vendor, without));
  const text = JSON.stringify(vendors);
  const inUse = Object.entries(rules).filter(([key]) => key in everyPod || text.includes(`{${key}}`));
  return { defaults: valuesOf(Object.fromEntries(inUse), defaultOf), everyPod, vendors };
}

/** @param without what is left where a resource has no name */
function chartVendor(vendor: Vendor, without: (name: string) => readonly Vendor[]): ChartVendor {
  const counted = countedResources(vendor);
  const { allocated, toAllocate, reserved = [] } = vendor.annotations;
  return {
    resources: resourceNames(vendor).map((name) => ({
      name,
      needed: !without(name).some(({ key }) => key === vendor.key),
      counted: counted.includes(name),
    })),
    reserved: [allocated, toAllocate, ...reserved],
  };
}

function valuesOf(rules: Rules, valueOf: (rule: Mapping, key: string) => unknown): Mapping {
  return Object.fromEntries(Object.entries(rules).map(([key, rule]) => [key, valueOf(rule, key)]));
}

/** Of a key that has to be written, the least that may be. */
function defaultOf(rule: Mapping): unknown {
  return rule['default'] ?? rule['minimum'] ?? (rule['type'] === 'string' ? '' : undefined);
}

function choicesOf(rule: Mapping): readonly unknown[] {
  if (rule['type'] === 'boolean') return [true, false];
  return Array.isArray(rule['enum']) ? (rule['enum'] as readonly unknown[]) : [];
}
