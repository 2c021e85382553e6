/** The days of Huawei's cards: cut and paired by the hardware, and sliced by hami-core. */
import { allocation, type FamilyDay, machines, served, type Texts } from './harness/family-day.ts';

const npu = (chip: string, count: number, memoryMiB?: number): Texts => ({
  [`huawei.com/${chip}`]: String(count),
  ...(memoryMiB === undefined ? {} : { [`huawei.com/${chip}-memory`]: String(memoryMiB) }),
});

export const ascendTemplates: FamilyDay = {
  name: 'Ascend: templates of the hardware, whole cards and pairs of dies',
  nodes: [
    ...machines('hard', { family: 'ascend', chip: 'Ascend910B3', cards: 4 }),
    ...machines('dies', { family: 'ascend', chip: 'Ascend910C', cards: 4 }),
  ],
  pods: [
    {
      name: 'quarter',
      limits: [npu('Ascend910B3', 1, 10_000)],
      wantLimits: [npu('Ascend910B3', 1, 16_384)],
      wantAnnotations: {
        ...served,
        'hami.io/Ascend910B3-devices-allocated': allocation([1, 'Ascend910B3,16384,0']),
        'hami.io/Ascend910B3-devices-to-allocate': /^;+$/,
        'huawei.com/Ascend910B3': /^\[\{"UUID":"[^"]+","temp":"vir05_1c_16g","memory":16384\}\]$/,
      },
    },
    {
      name: 'half',
      limits: [npu('Ascend910B3', 1, 16_385)],
      wantAnnotations: {
        ...served,
        'hami.io/Ascend910B3-devices-allocated': allocation([1, 'Ascend910B3,32768,0']),
        'huawei.com/Ascend910B3': /"temp":"vir10_3c_32g","memory":32768\}\]$/,
      },
    },
    {
      name: 'whole',
      limits: [{}, npu('Ascend910B3', 2)],
      wantLimits: [{}, npu('Ascend910B3', 2, 65_536)],
      wantAnnotations: {
        ...served,
        'hami.io/Ascend910B3-devices-allocated': allocation([], [2, 'Ascend910B3,65536,0']),
        'huawei.com/Ascend910B3': /^\[(?:\{"UUID":"[^"]+","memory":65536\},?){2}\]$/,
      },
    },
    {
      name: 'module',
      limits: [npu('Ascend910C', 1)],
      wantLimits: [npu('Ascend910C', 2, 65_536)],
      wantAnnotations: {
        ...served,
        'hami.io/Ascend910C-devices-allocated': allocation([2, 'Ascend910C,65536,0']),
      },
    },
  ],
  misfit: { limits: [npu('Ascend910B3', 5)], wantWords: '2 NodeInsufficientDevice' },
  burst: {
    node: 'hard-2',
    limits: [npu('Ascend910B3', 1, 32_768)],
    count: 8,
    next: { limits: [npu('Ascend910B3', 1, 16_384)], wantWords: '1 CardInsufficientMemory' },
  },
};

const slice = (memoryMiB: number, core: number): Texts => ({
  ...npu('Ascend910B4', 1, memoryMiB),
  'huawei.com/Ascend910B4-core': String(core),
});
const softly = { 'huawei.com/vnpu-mode': 'hami-core' };

export const ascendSlices: FamilyDay = {
  name: 'Ascend: slices of hami-core, on nodes that are in this mode',
  nodes: [
    ...machines('soft', { family: 'ascend', chip: 'Ascend910B4', cards: 2, hamiCore: true }),
    ...machines('stiff', { family: 'ascend', chip: 'Ascend910B4', cards: 2 }, 1),
  ],
  pods: [
    {
      name: 'slice',
      limits: [slice(10_001, 30)],
      annotations: softly,
      wantAnnotations: {
        ...served,
        'hami.io/vgpu-node': /^soft-/,
        'hami.io/Ascend910B4-devices-allocated': allocation([1, 'Ascend910B4,10001,30']),
        'huawei.com/Ascend910B4': /^\[\{"UUID":"[^"]+","memory":10001,"core":30\}\]$/,
      },
    },
    {
      name: 'without-quota',
      limits: [{}, npu('Ascend910B4', 1)],
      annotations: softly,
      wantLimits: [{}, npu('Ascend910B4', 1, 32_768)],
      wantAnnotations: {
        ...served,
        'hami.io/vgpu-node': /^soft-/,
        'hami.io/Ascend910B4-devices-allocated': allocation([], [1, 'Ascend910B4,32768,0']),
        'huawei.com/Ascend910B4': /^\[\{"UUID":"[^"]+","memory":32768\}\]$/,
      },
    },
    {
      name: 'template',
      limits: [npu('Ascend910B4', 1, 8192)],
      wantAnnotations: { ...served, 'huawei.com/Ascend910B4': /"temp":"vir05_1c_8g","memory":8192\}\]$/ },
    },
  ],
  misfit: {
    limits: [slice(32_769, 30)],
    annotations: softly,
    // What the other nodes say depends on where the template is.
    wantWords: '1 ModeNotFit',
  },
  burst: {
    node: 'soft-2',
    limits: [slice(10_001, 30)],
    annotations: softly,
    count: 6,
    next: { limits: [slice(5001, 10)], annotations: softly, wantWords: '1 CardInsufficientMemory' },
  },
};
