/** The policies in force for pods that name none, from the configuration. */
import type { TesseraConfig } from '../config/config.ts';
import { parseDevicePolicy } from '../vendors/policy-annotations.ts';
import type { PolicyDefaults } from './planner.ts';

export function policiesFrom({
  nodePolicy,
  devicePolicy,
}: Pick<TesseraConfig, 'nodePolicy' | 'devicePolicy'>): PolicyDefaults {
  return { nodePolicy, devicePolicy: parseDevicePolicy(devicePolicy) };
}
