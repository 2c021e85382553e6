/**
 * A cluster as a server that has just started on it would see it, for commands that answer a question and end: the same
 * state, policies and workload, from files or from lists of its API server. An object that cannot be read refuses the
 * whole, because answers from half a cluster would be wrong answers.
 */
import type { TesseraConfig } from '../config/config.ts';
import { processEnvironment } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import { hasLabels } from '../config/node-label-selector.ts';
import { systemClock } from '../http/system-clock.ts';
import { objectName } from '../migration/finding.ts';
import { type RawObject, readPicture } from '../migration/cluster-picture.ts';
import type { PodObject } from '../model/cluster-objects.ts';
import { type Parsed, parsed, unparsable } from '../model/result.ts';
import { WorkloadMix } from '../placement/fragmentation/workload-mix.ts';
import type { PolicyDefaults } from '../placement/planner.ts';
import { policiesFrom } from '../placement/policy-defaults.ts';
import { configuredWorkload } from '../scheduler/configured-workload.ts';
import { FragmentationPolicy } from '../scheduler/fragmentation-policy.ts';
import { DeviceState } from '../state/device-state.ts';
import type { Vendor } from '../vendors/vendor.ts';
import { makeVendors } from '../vendors/vendors.ts';
import { collect, type CollectFlags } from './collect.ts';

export interface LookFlags extends CollectFlags {
  readonly config?: string;
  readonly deviceConfigFile?: string;
}

export interface LookedAtCluster {
  readonly config: TesseraConfig;
  readonly vendors: readonly Vendor[];
  readonly state: DeviceState;
  readonly policies: PolicyDefaults;
  /** The workload that is given, or learnt from the cluster's pods. */
  readonly fragmentation: FragmentationPolicy;
  readonly pods: readonly PodObject[];
  readonly objects: readonly RawObject[];
}

/** Refuses what cannot be read or reached. Never throws for that. */
export async function lookAtCluster(flags: LookFlags): Promise<Parsed<LookedAtCluster>> {
  const { config: file, deviceConfigFile } = flags;
  const loaded = loadConfig({
    ...(file === undefined ? {} : { file }),
    environment: processEnvironment(),
    flags: { deviceConfigFile },
  });
  if (!loaded.ok) return loaded;
  const collected = await collect(flags);
  if (!collected.ok) return collected;
  const { config } = loaded.value;
  const { nodes, pods, quotas, unreadable } = readPicture(collected.value);
  const [unread] = unreadable.filter(({ object }) => usedKinds.includes(object.kind));
  if (unread !== undefined)
    return unparsable(`${unread.object.kind} ${objectName(unread.object)}: ${unread.problem}`);
  const vendors = makeVendors(config);
  const policies = policiesFrom(config, vendors);
  const fragmentation = new FragmentationPolicy({
    views: () => [...state.nodeNames()].flatMap((name) => state.view(name) ?? []),
    given: configuredWorkload(config.fragmentation, vendors),
    mix: new WorkloadMix({
      halfLifePods: config.fragmentation.halfLifePods,
      vendors: vendors.map(({ key }) => key),
    }),
    ...(policies.cardRules === undefined ? {} : { cardRules: policies.cardRules }),
  });
  // Nobody here has the key to check seals with; well-formed allocations are taken as written.
  const state = new DeviceState({
    vendors,
    trustOf: () => 'as-written',
    onRequested: (request) => {
      fragmentation.note(request);
    },
  });
  for (const node of nodes) if (hasLabels(node.labels, config.nodeLabelSelector)) state.applyNode(node);
  for (const { pod } of pods) state.applyPod(pod, systemClock.nowMs());
  for (const quota of quotas) state.applyQuota(quota);
  state.markSynced();
  const { objects } = collected.value;
  return parsed({
    config,
    vendors,
    state,
    policies,
    fragmentation,
    pods: pods.map(({ pod }) => pod),
    objects,
  });
}

const usedKinds = ['Node', 'Pod', 'ResourceQuota'];
