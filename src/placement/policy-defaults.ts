/** The policies in force for pods that name none, from the configuration. */
import type { TesseraConfig } from '../config/config.ts';
import { parseDevicePolicy } from '../vendors/policy-annotations.ts';
import type { Vendor } from '../vendors/vendor.ts';
import type { PolicyDefaults } from './planner.ts';

export function policiesFrom(
  { nodePolicy, devicePolicy }: Pick<TesseraConfig, 'nodePolicy' | 'devicePolicy'>,
  vendors: readonly Vendor[],
): PolicyDefaults {
  const cardRules = new Map(
    vendors.flatMap(({ key, cardRules: rules }) => (rules === undefined ? [] : [[key, rules] as const])),
  );
  return { nodePolicy, devicePolicy: parseDevicePolicy(devicePolicy), cardRules };
}
