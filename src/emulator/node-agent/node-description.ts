/** A machine as a test or a demo describes it, and the devices that its plugin finds there. */
import type { TextMap } from '../../model/cluster-objects.ts';
import type { Device } from '../../model/device.ts';
import { migMode, type MigProfile } from '../../model/mig.ts';
import { type CardLink, linkScoresOf } from './link-scores.ts';
import { nvmlUuid } from './nvml-uuid.ts';
import { type PluginVersion, traitsOf } from './plugin-version.ts';
import type { AcceleratorDescription } from './plugins/accelerators.ts';

export interface GpuDescription {
  /** Product name as the driver tells it, e.g. `NVIDIA A100-SXM4-40GB` or `Tesla T4`. */
  readonly type: string;
  /** What the card really has; the plugin may announce more. */
  readonly memoryMiB: number;
  /** An NVML UUID; made from the node's name and the position where left out. */
  readonly id?: string;
  /** How many containers may share it; where left out 10, or as many as instances of the smallest profile. */
  readonly slots?: number;
  /** 100, or what the plugin scales it to, where left out. */
  readonly corePercent?: number;
  readonly numa?: number;
  /** `hami-core` where left out; for `mig` see `migCard`. */
  readonly mode?: string;
  /** In MIG mode: the instances that it can be cut into and its plugin may offer. */
  readonly migProfiles?: readonly MigProfile[];
  readonly healthy?: boolean;
}

/** The device plugin of a node; absent settings are its defaults. */
export interface PluginDescription {
  /** 2.10 where left out. */
  readonly version?: PluginVersion;
  /** `deviceMemoryScaling` and `deviceCoreScaling` (spec §3.2); cards in MIG mode are not scaled. */
  readonly memoryScaling?: number;
  readonly coreScaling?: number;
  /** `ENABLE_TOPOLOGY_SCORE`: it tells how the cards are linked. */
  readonly publishesLinkScores?: boolean;
}

export interface NodeTaint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface NodeDescription {
  readonly name: string;
  /** Quantities, e.g. `32` and `128Gi`. */
  readonly cpu: string;
  readonly memory: string;
  /** How many pods it runs at most; 110 where left out, as kubelet's default is. */
  readonly pods?: number;
  /** Cards of NVIDIA. */
  readonly gpus: readonly GpuDescription[];
  /** Cards of other families, e.g. `[{ family: 'hygon', cards: 2 }]`. */
  readonly accelerators?: readonly AcceleratorDescription[];
  /** Pairs of cards that are linked better than their NUMA nodes tell. */
  readonly links?: readonly CardLink[];
  readonly plugin?: PluginDescription;
  readonly labels?: TextMap;
  readonly annotations?: TextMap;
  readonly taints?: readonly NodeTaint[];
}

/** The plugin's default `deviceSplitCount` (spec §1.2). */
const defaultSlots = 10;

/** The node's cards of NVIDIA as its plugin announces them, in the order of their index. */
export function devicesOf(description: NodeDescription, vendor: string): readonly Device[] {
  const { name, gpus, plugin = {}, links = [] } = description;
  const traits = traitsOf(plugin.version);
  const places = gpus.map(({ id, numa = 0 }, index) => ({
    id: id ?? nvmlUuid('GPU', `${name}/${index}`),
    numa,
  }));
  return gpus.map((gpu, index) => ({
    id: gpu.id ?? nvmlUuid('GPU', `${name}/${index}`),
    vendor,
    index,
    type: gpu.type.startsWith(vendor) && !traits.alwaysPrefixesType ? gpu.type : `${vendor}-${gpu.type}`,
    ...capacityOf(gpu, plugin),
    numa: gpu.numa ?? 0,
    mode: gpu.mode ?? 'hami-core',
    healthy: gpu.healthy ?? true,
    ...(gpu.migProfiles !== undefined && traits.register === 'json-with-mig-profiles'
      ? { migProfiles: gpu.migProfiles }
      : {}),
    ...(plugin.publishesLinkScores === true ? { linkScores: linkScoresOf(index, places, links) } : {}),
  }));
}

function capacityOf(
  { slots, memoryMiB, corePercent, mode, migProfiles = [] }: GpuDescription,
  { memoryScaling = 1, coreScaling = 1 }: PluginDescription,
): Pick<Device, 'slots' | 'memoryMiB' | 'corePercent'> {
  if (mode === migMode) {
    const most = Math.max(0, ...migProfiles.map(({ placements }) => placements.length));
    return { slots: slots ?? most, memoryMiB, corePercent: corePercent ?? 100 };
  }
  return {
    slots: slots ?? defaultSlots,
    memoryMiB: Math.trunc(memoryMiB * memoryScaling),
    corePercent: corePercent ?? Math.trunc(coreScaling * 100),
  };
}
