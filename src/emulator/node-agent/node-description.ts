/** A machine as a test or a demo describes it, and the devices that its plugin finds there. */
import { createHash } from 'node:crypto';
import type { TextMap } from '../../model/cluster-objects.ts';
import type { Device } from '../../model/device.ts';

export interface GpuDescription {
  /** Product name as the driver tells it, e.g. `NVIDIA A100-SXM4-40GB` or `Tesla T4`. */
  readonly type: string;
  readonly memoryMiB: number;
  /** An NVML UUID; made from the node's name and the position where left out. */
  readonly id?: string;
  /** How many containers may share it; 10 where left out. */
  readonly slots?: number;
  /** 100 where left out. */
  readonly corePercent?: number;
  readonly numa?: number;
  /** `hami-core` where left out. */
  readonly mode?: string;
  readonly healthy?: boolean;
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
  readonly gpus: readonly GpuDescription[];
  readonly labels?: TextMap;
  readonly annotations?: TextMap;
  readonly taints?: readonly NodeTaint[];
}

/** The plugin's defaults: `deviceSplitCount` 10 and `deviceCoreScaling` 1 (spec §1.2). */
const defaultSlots = 10;
const defaultCorePercent = 100;

/** The node's devices, in the order of their index. */
export function devicesOf({ name, gpus }: NodeDescription, vendor: string): readonly Device[] {
  return gpus.map((gpu, index) => ({
    id: gpu.id ?? deviceId(name, index),
    vendor,
    index,
    type: gpu.type.startsWith(vendor) ? gpu.type : `${vendor}-${gpu.type}`,
    slots: gpu.slots ?? defaultSlots,
    memoryMiB: gpu.memoryMiB,
    corePercent: gpu.corePercent ?? defaultCorePercent,
    numa: gpu.numa ?? 0,
    mode: gpu.mode ?? 'hami-core',
    healthy: gpu.healthy ?? true,
  }));
}

/** The same in every run, and different on every node, in the shape of an NVML UUID. */
function deviceId(node: string, index: number): string {
  const hex = createHash('sha256').update(`${node}/${index}`).digest('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)];
  return `GPU-${parts.join('-')}`;
}
