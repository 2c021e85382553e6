/**
 * The settings of NVIDIA cards: HAMi's keys with the defaults of its chart (spec §3.1, §3.2). Keys that
 * only the device plugin reads are accepted, so that one file can serve both, and say so in their description.
 */
import type { SectionSchema } from '../../wire/setting-schema.ts';
import { optionalResourceName, resourceName } from '../vendor-family.ts';

export type GpuCorePolicy = 'default' | 'force' | 'disable';

/** The `nvidia` block of HAMi's `device-config.yaml` (spec §3.2) in its spelling, and our switch `enabled`. */
export interface NvidiaConfig {
  readonly enabled: boolean;
  /** Extended resources; an empty name, except the first, means that the resource does not exist. */
  readonly resourceCountName: string;
  readonly resourceMemoryName: string;
  readonly resourceMemoryPercentageName: string;
  readonly resourceCoreName: string;
  readonly resourcePriorityName: string;
  readonly overwriteEnv: boolean;
  /** MiB; 0 means a whole card. */
  readonly defaultMemory: number;
  /** Percent of one card. */
  readonly defaultCores: number;
  readonly defaultGPUNum: number;
  readonly memoryFactor: number;
  readonly gpuCorePolicy: GpuCorePolicy;
  readonly runtimeClassName: string;
  /** Which containers have an entry in an allocation; `auto` goes by the register of each node. */
  readonly allocationEntries: 'auto' | 'all' | 'apps';
  /** From here on: read by the device plugin only, kept so that one file can serve both. */
  readonly disableCoreLimit: boolean;
  readonly deviceSplitCount: number;
  readonly deviceMemoryScaling: number;
  readonly deviceCoreScaling: number;
  readonly preConfiguredDeviceMemory: number;
  readonly libCudaLogLevel: string;
  readonly enableNumaTopology: boolean;
  readonly migProfileAllowlist: readonly MigProfileAllowance[];
  readonly knownMigGeometries: readonly MigGeometries[];
}

export interface MigProfileAllowance {
  /** Fragments of card model names. */
  readonly models: readonly string[];
  readonly profiles: readonly string[];
}

export interface MigGeometries {
  readonly models: readonly string[];
  readonly allowedGeometries: readonly (readonly MigTemplate[])[];
}

export interface MigTemplate {
  readonly name: string;
  readonly core?: number;
  /** MiB. */
  readonly memory: number;
  readonly count: number;
}

const largestInt32 = 2 ** 31 - 1;
const byPlugin = 'Read by the device plugin only.';

const texts = { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 } as const;

export const nvidiaSettings = {
  type: 'object',
  additionalProperties: false,
  default: {},
  properties: {
    enabled: {
      type: 'boolean',
      default: true,
      description: 'Whether NVIDIA cards are shared. Off: their resources are foreign and never touched.',
    },
    resourceCountName: {
      type: 'string',
      pattern: resourceName,
      default: 'nvidia.com/gpu',
      description: 'Resource: number of distinct cards per container. The only one that nodes advertise.',
    },
    resourceMemoryName: {
      type: 'string',
      pattern: optionalResourceName,
      default: 'nvidia.com/gpumem',
      description: 'Resource: memory of each card in MiB (times `memoryFactor`). Empty: does not exist.',
    },
    resourceMemoryPercentageName: {
      type: 'string',
      pattern: optionalResourceName,
      default: 'nvidia.com/gpumem-percentage',
      description: 'Resource: memory of each card in percent, 1 to 100. Empty: does not exist.',
    },
    resourceCoreName: {
      type: 'string',
      pattern: optionalResourceName,
      default: 'nvidia.com/gpucores',
      description:
        'Resource: compute of each card in percent; 100 takes the card alone. Empty: does not exist.',
    },
    resourcePriorityName: {
      type: 'string',
      pattern: optionalResourceName,
      default: 'nvidia.com/priority',
      description:
        'Resource: task priority, handed to the container as `CUDA_TASK_PRIORITY`. Empty: does not exist.',
    },
    overwriteEnv: {
      type: 'boolean',
      default: false,
      description: 'Whether containers that ask for no card get `NVIDIA_VISIBLE_DEVICES=none`.',
    },
    defaultMemory: {
      type: 'integer',
      minimum: 0,
      maximum: largestInt32,
      default: 0,
      description: 'Memory of each card, in MiB, for a container that names none. 0: the whole card.',
    },
    defaultCores: {
      type: 'integer',
      minimum: 0,
      maximum: 100,
      default: 0,
      description: 'Compute of each card, in percent, for a container that names none.',
    },
    defaultGPUNum: {
      type: 'integer',
      minimum: -largestInt32,
      maximum: largestInt32,
      default: 1,
      description:
        'Number of cards for a container that names only memory or compute. 0 or less: none is added.',
    },
    memoryFactor: {
      type: 'integer',
      minimum: 0,
      maximum: largestInt32,
      default: 1,
      description:
        'MiB that one unit of the memory resource stands for, in requests and quotas. 0 counts as 1.',
    },
    gpuCorePolicy: {
      type: 'string',
      enum: ['default', 'force', 'disable'],
      default: 'default',
      description:
        'How compute limits are enforced; other than `default`, every container gets it as `GPU_CORE_UTILIZATION_POLICY`.',
    },
    runtimeClassName: {
      type: 'string',
      default: '',
      description: 'Runtime class for pods with cards that name none. Empty: left alone.',
    },
    allocationEntries: {
      type: 'string',
      enum: ['auto', 'all', 'apps'],
      default: 'auto',
      description:
        'Which containers have an entry in the allocation that a device plugin reads: `all`, or the `apps` alone, as plugins up to v2.8 count. `auto` goes by each node’s register, which cannot tell v2.9 from v2.8; set `all` where all plugins are v2.9 or later.',
    },
    disableCoreLimit: {
      type: 'boolean',
      default: false,
      description: `Whether compute limits are switched off on the node. ${byPlugin}`,
    },
    deviceSplitCount: {
      type: 'integer',
      minimum: 0,
      maximum: largestInt32,
      default: 10,
      description: `Number of containers that may share one card. ${byPlugin}`,
    },
    deviceMemoryScaling: {
      type: 'number',
      minimum: 0,
      default: 1,
      description: `Factor by which a card announces more memory than it has. ${byPlugin}`,
    },
    deviceCoreScaling: {
      type: 'number',
      minimum: 0,
      default: 1,
      description: `Factor by which a card announces more compute than 100 percent. ${byPlugin}`,
    },
    preConfiguredDeviceMemory: {
      type: 'integer',
      minimum: 0,
      default: 0,
      description: `Memory, in MiB, of cards that cannot be asked for it. ${byPlugin}`,
    },
    libCudaLogLevel: {
      type: 'string',
      default: '1',
      description: `Log level inside containers: 0 errors, 1 warnings, 3 information, 4 debugging. ${byPlugin}`,
    },
    enableNumaTopology: {
      type: 'boolean',
      default: false,
      description: `Whether kubelet is told the NUMA node of each card. ${byPlugin}`,
    },
    migProfileAllowlist: {
      type: 'array',
      default: [],
      description: `MIG profiles (\`1g.10gb\`) that may be made, by fragments of card model names. ${byPlugin}`,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['models', 'profiles'],
        properties: {
          models: texts,
          profiles: { ...texts, items: { type: 'string', pattern: String.raw`^[0-9]+g\..+` } },
        },
      },
    },
    knownMigGeometries: {
      type: 'array',
      default: [],
      description: `MIG layouts of cards, for plugins before v2.10. ${byPlugin}`,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['models', 'allowedGeometries'],
        properties: {
          models: texts,
          allowedGeometries: {
            type: 'array',
            items: {
              type: 'array',
              items: {
                type: 'object',
                additionalProperties: false,
                required: ['name', 'memory', 'count'],
                properties: {
                  name: { type: 'string', minLength: 1 },
                  core: { type: 'integer', minimum: 0 },
                  memory: { type: 'integer', minimum: 0 },
                  count: { type: 'integer', minimum: 0 },
                },
              },
            },
          },
        },
      },
    },
  },
} as const satisfies SectionSchema<NvidiaConfig>;
