/**
 * What the loop is told of a scheduler profile and its extender: the fields of a KubeSchedulerConfiguration under
 * their own names, so that the demo, tests and a real kube-scheduler can be given the same values.
 */
export interface ManagedResource {
  readonly name: string;
  /** True where the extender alone counts it. */
  readonly ignoredByScheduler: boolean;
}

export interface ExtenderSettings {
  /** Where the extender answers; the verbs are appended. */
  readonly urlPrefix: string;
  readonly filterVerb: string;
  readonly prioritizeVerb: string;
  readonly bindVerb: string;
  readonly weight: number;
  readonly httpTimeoutMs: number;
  /** Only pods that ask for one of these are shown to the extender. */
  readonly managedResources: readonly ManagedResource[];
}

export interface SchedulerSettings {
  /** Pods of this name are ours, nobody else's. */
  readonly schedulerName: string;
  readonly extender: ExtenderSettings;
}
