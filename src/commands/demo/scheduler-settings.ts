/** The scheduler profile of the embedded cluster: the values that a KubeSchedulerConfiguration gives kube-scheduler. */
import type { TesseraConfig } from '../../config/config.ts';
import type { SchedulerSettings } from '../../emulator/scheduler-loop/scheduler-settings.ts';

/** Ours outweighs what is left of kube-scheduler's own scores; a user's strong preference can still win. */
const extenderWeight = 5;

export function schedulerSettings(config: TesseraConfig, extenderUrl: string): SchedulerSettings {
  const { nvidia } = config.vendors;
  const left = [
    nvidia.resourceMemoryName,
    nvidia.resourceMemoryPercentageName,
    nvidia.resourceCoreName,
    nvidia.resourcePriorityName,
  ].filter((name) => name !== '');
  return {
    schedulerName: config.schedulerNames[0] ?? '',
    extender: {
      urlPrefix: extenderUrl,
      filterVerb: 'filter',
      prioritizeVerb: 'prioritize',
      bindVerb: 'bind',
      weight: extenderWeight,
      httpTimeoutMs: config.extenderTimeoutSeconds * 1000,
      managedResources: [
        // Kubelet counts it, so kube-scheduler should, too; nodes announce none of the others.
        { name: nvidia.resourceCountName, ignoredByScheduler: false },
        ...left.map((name) => ({ name, ignoredByScheduler: true })),
      ],
    },
  };
}
