/** The scheduler profile of the embedded cluster: the values that a KubeSchedulerConfiguration gives kube-scheduler. */
import type { TesseraConfig } from '../../config/config.ts';
import type { SchedulerSettings } from '../../emulator/scheduler-loop/scheduler-settings.ts';
import { makeVendors } from '../../vendors/vendors.ts';
import { managedResources } from '../manifest-lists.ts';

/** Ours outweighs what is left of kube-scheduler's own scores; a user's strong preference can still win. */
const extenderWeight = 5;

export function schedulerSettings(config: TesseraConfig, extenderUrl: string): SchedulerSettings {
  return {
    schedulerName: config.schedulerNames[0] ?? '',
    extender: {
      urlPrefix: extenderUrl,
      filterVerb: 'filter',
      prioritizeVerb: 'prioritize',
      bindVerb: 'bind',
      weight: extenderWeight,
      httpTimeoutMs: config.extenderTimeoutSeconds * 1000,
      managedResources: managedResources(makeVendors(config)),
    },
  };
}
