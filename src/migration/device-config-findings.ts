/**
 * HAMi's device configuration beside the one that the server would have, block by block: resources of other names, other
 * values, families that are shared there and switched off here. Settings that only device plugins read may differ,
 * because those go on reading their own file.
 */
import { parseHamiDeviceConfig, resourceKey } from '../config/hami-device-config.ts';
import type { FamilyConfig, VendorFamily } from '../vendors/vendor-family.ts';
import { type VendorBlock, vendorFamilies, type VendorsConfig } from '../vendors/vendors.ts';
import { isMapping, type Mapping } from '../wire/mapping.ts';
import type { AnySection } from '../wire/setting-schema.ts';
import type { PicturedConfigMap } from './cluster-picture.ts';
import { type Finding, finding, type ObjectReference } from './finding.ts';

export const deviceConfigKey = 'device-config.yaml';

const blocks = Object.entries(vendorFamilies).map(([block, family]) => ({
  block: block as VendorBlock,
  family,
}));

export function deviceConfigFindings(map: PicturedConfigMap, own: VendorsConfig): readonly Finding[] {
  const text = map.data[deviceConfigKey];
  if (text === undefined) return [];
  const object = { kind: 'ConfigMap', namespace: map.namespace, name: map.name };
  const config = parseHamiDeviceConfig(text);
  if (!config.ok) return [finding('DeviceConfigMalformed', object, `${deviceConfigKey}: ${config.problem}`)];
  const { warnings, vendors } = config.value;
  const isShared = (block: VendorBlock) => vendors[block]?.['enabled'] !== false;
  const off = blocks.map(({ block }) => block).filter((block) => isShared(block) && !own[block].enabled);
  return [
    ...warnings.map((warning) => finding('DeviceConfigKeyIgnored', object, `${deviceConfigKey}: ${warning}`)),
    ...(off.length === 0
      ? []
      : [
          finding(
            'VendorSwitchedOff',
            object,
            `has blocks that are switched off in the configuration judged here: ${off.join(', ')}`,
          ),
        ]),
    ...blocks.flatMap(({ block, family }) =>
      isShared(block) && own[block].enabled
        ? blockFindings({ block, family, theirs: vendors[block] ?? {}, own: { ...own[block] } }, object)
        : [],
    ),
  ];
}

interface TwoBlocks {
  readonly block: string;
  readonly family: VendorFamily<FamilyConfig>;
  /** The keys that are written there. */
  readonly theirs: Mapping;
  readonly own: Mapping;
}

function blockFindings(
  { block, family, theirs, own }: TwoBlocks,
  object: ObjectReference,
): readonly Finding[] {
  const unread = new Set(['enabled', ...(family.pluginSettings ?? [])]);
  return Object.entries(theirs)
    .filter(([key, value]) => !unread.has(key) && !isSame(value, own[key]))
    .map(([key, value]) => {
      const code = resourceKey.test(key) ? 'ResourceNameDiffers' : 'DeviceConfigDiffers';
      const place = `${block}.${key}`;
      if (typeof value === 'object')
        return finding(code, object, `${place} is not that of the configuration judged here`);
      const sentence = `${place} is ${JSON.stringify(value)}, in the configuration judged here ${JSON.stringify(own[key])}`;
      return finding(code, object, sentence);
    });
}

/** Equal in all that is written, whatever the order of keys. */
function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isSame(item, other[index]));
  }
  if (!isMapping(one) || !isMapping(other)) return one === other;
  return [...Object.keys(one), ...Object.keys(other)].every((key) => isSame(one[key], other[key]));
}

/** kube-scheduler must be told of every name, and its configuration is written for the usual ones. */
export function ownNameFindings(own: VendorsConfig): readonly Finding[] {
  return blocks.flatMap(({ block, family }) => {
    const section: AnySection = family.settings;
    const values: Mapping = { ...own[block] };
    if (values['enabled'] !== true) return [];
    return Object.entries(section.properties).flatMap(([key, rule]) => {
      const name = values[key];
      if (!resourceKey.test(key) || rule.type === 'object' || name === rule.default || name === '') return [];
      const sentence = `${block}.${key} is ${JSON.stringify(name)} instead of ${JSON.stringify(rule.default)}`;
      return [finding('ResourceNameNotDefault', { kind: 'Cluster', name: 'configuration' }, sentence)];
    });
  });
}
