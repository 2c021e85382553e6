/**
 * The settings of Huawei Ascend NPUs: HAMi's `vnpus` block, in which every kind of chip has an entry and is a vendor of
 * its own, with the chips of HAMi's chart as defaults (vendors §2.1). The device plugin reads the same block.
 */
import { isMapping } from '../../wire/mapping.ts';
import type { SectionSchema } from '../../wire/setting-schema.ts';
import { enabledSetting, type FamilyConfig, optionalResourceName } from '../vendor-family.ts';

export interface AscendConfig extends FamilyConfig {
  /** Whether nodes that do not say it themselves slice their chips softly. */
  readonly hamiVnpuCore: boolean;
  readonly configs: readonly AscendChip[];
}

/** One kind of chip; memory in MiB. */
export interface AscendChip {
  /** As the driver names it; read by the device plugin only. */
  readonly chipName: string;
  /** The vendor's key, part of every annotation's name. */
  readonly commonWord: string;
  readonly resourceName: string;
  readonly resourceMemoryName: string;
  readonly resourceCoreName: string;
  /** What a whole chip gives to containers. */
  readonly memoryAllocatable: number;
  /** What a container may ask for; the chip gives what it can. */
  readonly memoryCapacity: number;
  readonly memoryFactor: number;
  /** Of a whole chip and of templates; read by the device plugin only. */
  readonly aiCore: number;
  readonly aiCPU: number;
  readonly runtimeClassName: string;
  readonly overwriteEnv: boolean;
  /** Chips are given in modules of two. */
  readonly superPod: boolean;
  readonly templates: readonly AscendTemplate[];
}

/** A part into which a chip can be cut. */
export interface AscendTemplate {
  readonly name: string;
  readonly memory: number;
  readonly aiCore: number;
  readonly aiCPU: number;
}

const largestInt32 = 2 ** 31 - 1;

/** The longest annotation made of a key is `hami.io/<key>-devices-to-allocate`, of which 63 characters may be the name. */
const keyPattern = '^[A-Za-z0-9]([-A-Za-z0-9_.]{0,38}[A-Za-z0-9])?$';

const text = { type: 'string', default: '' } as const;
const off = { type: 'boolean', default: false } as const;
const natural = { type: 'integer', minimum: 0, maximum: largestInt32, default: 0 } as const;
const size = { type: 'integer', minimum: 1, maximum: largestInt32 } as const;
const resource = { ...text, pattern: optionalResourceName } as const;

/** Keys that an entry leaves out are what Go makes of them, so that HAMi's file means here what it means there. */
const templateItem = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'memory'],
  properties: {
    name: { type: 'string', minLength: 1 },
    memory: size,
    aiCore: natural,
    aiCPU: natural,
  },
} as const;

const chipItem = {
  type: 'object',
  additionalProperties: false,
  required: ['commonWord', 'memoryAllocatable'],
  properties: {
    chipName: text,
    commonWord: { type: 'string', pattern: keyPattern },
    resourceName: resource,
    resourceMemoryName: resource,
    resourceCoreName: resource,
    memoryAllocatable: size,
    memoryCapacity: natural,
    memoryFactor: { ...natural, default: 1 },
    aiCore: natural,
    aiCPU: natural,
    runtimeClassName: text,
    overwriteEnv: off,
    superPod: off,
    templates: { type: 'array', default: [], items: templateItem },
  },
} as const;

type ChartChip = Pick<AscendChip, 'chipName' | 'aiCore' | 'aiCPU' | 'templates'> &
  Partial<Pick<AscendChip, 'superPod' | 'memoryCapacity'>>;

function chartChip(commonWord: string, memoryAllocatable: number, fields: ChartChip): AscendChip {
  return {
    commonWord,
    resourceName: `huawei.com/${commonWord}`,
    resourceMemoryName: `huawei.com/${commonWord}-memory`,
    resourceCoreName: `huawei.com/${commonWord}-core`,
    memoryAllocatable,
    memoryCapacity: memoryAllocatable,
    memoryFactor: 1,
    runtimeClassName: '',
    overwriteEnv: false,
    superPod: false,
    ...fields,
  };
}

function template(name: string, memoryMiB: number, aiCore: number, aiCPU: number): AscendTemplate {
  return { name, memory: memoryMiB, aiCore, aiCPU };
}

const quarterAndHalf = [template('vir05_1c_16g', 16384, 5, 1), template('vir10_3c_32g', 32768, 10, 3)];

const chartChips: readonly AscendChip[] = [
  chartChip('Ascend910A', 32768, {
    chipName: '910A',
    aiCore: 30,
    aiCPU: 0,
    templates: [
      template('vir02', 2184, 2, 0),
      template('vir04', 4369, 4, 0),
      template('vir08', 8738, 8, 0),
      template('vir16', 17476, 16, 0),
    ],
  }),
  chartChip('Ascend910B2', 65536, {
    chipName: '910B2',
    aiCore: 24,
    aiCPU: 6,
    templates: [
      template('vir03_1c_8g', 8192, 3, 1),
      template('vir06_1c_16g', 16384, 6, 1),
      template('vir12_3c_32g', 32768, 12, 3),
    ],
  }),
  chartChip('Ascend910B3', 65536, { chipName: '910B3', aiCore: 20, aiCPU: 7, templates: quarterAndHalf }),
  chartChip('Ascend910B4-1', 65536, { chipName: '910B4-1', aiCore: 20, aiCPU: 7, templates: quarterAndHalf }),
  chartChip('Ascend910B4', 32768, {
    chipName: '910B4',
    aiCore: 20,
    aiCPU: 7,
    templates: [template('vir05_1c_8g', 8192, 5, 1), template('vir10_3c_16g', 16384, 10, 3)],
  }),
  chartChip('Ascend310P', 21527, {
    chipName: '310P3',
    memoryCapacity: 24576,
    aiCore: 8,
    aiCPU: 7,
    templates: [template('vir01', 3072, 1, 1), template('vir02', 6144, 2, 2), template('vir04', 12288, 4, 4)],
  }),
  chartChip('Ascend910C', 65536, {
    chipName: 'Ascend910',
    aiCore: 20,
    aiCPU: 7,
    superPod: true,
    templates: quarterAndHalf,
  }),
];

export const ascendSettings: SectionSchema<AscendConfig> = {
  type: 'object',
  additionalProperties: false,
  default: {},
  properties: {
    enabled: enabledSetting('Huawei Ascend NPUs'),
    hamiVnpuCore: {
      type: 'boolean',
      default: false,
      description:
        'Whether nodes without the annotation `hami-vnpu-core` slice their chips softly, by memory and percent of compute, for pods annotated `huawei.com/vnpu-mode: hami-core`.',
    },
    configs: {
      type: 'array',
      default: chartChips,
      items: chipItem,
      description:
        'The kinds of chips, each a vendor of its own by its `commonWord`, in the form of HAMi: resources, memory in MiB, templates into which a chip can be cut. An entry without `resourceName` does not exist; of two with one `commonWord` the last counts.',
    },
  },
};

/** HAMi's block as it is now, or as the bare list of chips that it was before v2.9. */
export function ascendFromHami(block: unknown): unknown {
  if (Array.isArray(block)) return { configs: block };
  // Without a list HAMi knows no chip, whereas a key that is left out here has the default.
  return isMapping(block) ? { ...block, configs: block['configs'] ?? [] } : block;
}
