/**
 * MetaX GPUs, given whole by the vendor's device plugin or cut into sGPUs by it, node by node. Two vendors of one
 * block, since they have resources, annotations and rules of their own; each exists if its count resource has a name.
 */
import { makeMetaxGpu } from './metax-gpu.ts';
import { makeMetaxSgpu } from './metax-sgpu.ts';
import { enabledSetting, type FamilyConfig, resourceSetting, type VendorFamily } from '../vendor-family.ts';

/** The `metax` block of HAMi's `device-config.yaml`. */
export interface MetaxConfig extends FamilyConfig {
  readonly resourceCountName: string;
  readonly resourceVCountName: string;
  readonly resourceVMemoryName: string;
  readonly resourceVCoreName: string;
  readonly sgpuTopologyAware: boolean;
}

export const metaxFamily: VendorFamily<MetaxConfig> = {
  settings: {
    type: 'object',
    additionalProperties: false,
    default: {},
    properties: {
      enabled: enabledSetting('MetaX GPUs'),
      resourceCountName: resourceSetting('metax-tech.com/gpu', 'number of whole GPUs per container.'),
      resourceVCountName: resourceSetting(
        'metax-tech.com/sgpu',
        'number of distinct GPUs of which a container has a part (sGPU).',
      ),
      resourceVMemoryName: resourceSetting(
        'metax-tech.com/vmemory',
        'memory of each sGPU in GiB, or with a suffix in bytes (`2048Mi`); all of it where a container names none.',
      ),
      resourceVCoreName: resourceSetting(
        'metax-tech.com/vcore',
        'compute of each sGPU in percent; 100, which takes the GPU alone, where a container names none.',
      ),
      sgpuTopologyAware: {
        type: 'boolean',
        default: false,
        description:
          'Whether nodes are ranked by how well the GPUs that a pod would get alone are linked; a pod may say otherwise with `metax-tech.com/sgpu-topology-aware`.',
      },
    },
  },
  hamiFlags: {
    'metax-name': 'resourceCountName',
    'metax-vcount': 'resourceVCountName',
    'metax-vcore': 'resourceVCoreName',
    'metax-vmemory': 'resourceVMemoryName',
    'sgpu-topology-aware': 'sgpuTopologyAware',
  },
  make: (config) => [
    ...(config.resourceCountName === '' ? [] : [makeMetaxGpu(config.resourceCountName)]),
    ...(config.resourceVCountName === '' ? [] : [makeMetaxSgpu(config)]),
  ],
};
