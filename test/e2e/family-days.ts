/** A day of each family: what its pods ask for, and what the server writes down for its plugin. */
import { expect } from '@jest/globals';
import { ascendSlices, ascendTemplates } from './ascend-days.ts';
import { allocation, type FamilyDay, machines, served, type Texts } from './harness/family-day.ts';

const mlu = (cores: number | undefined, units: number): Texts => ({
  'cambricon.com/vmlu': '1',
  'cambricon.com/mlu.smlu.vmemory': String(units),
  ...(cores === undefined ? {} : { 'cambricon.com/mlu.smlu.vcore': String(cores) }),
});
/** Each plugin knows one of the spellings; this one the older. */
const assigned = { CAMBRICON_DSMLU_ASSIGHED: 'true', CAMBRICON_DSMLU_ASSIGNED: 'false' };

const cambricon: FamilyDay = {
  name: 'Cambricon: slices of MLUs, one pod of a node after the other',
  nodes: machines('mlus', { family: 'cambricon', cards: 3 }),
  pods: [
    {
      name: 'slice',
      limits: [{}, mlu(30, 20)],
      wantAnnotations: {
        ...assigned,
        CAMBRICON_DSMLU_PROFILE: /^[0-2]_30_20$/,
        CAMBRICON_DSMLU_PROFILE_INSTANCE: /^\d+_\d+_[0-2]_\d+$/,
        'hami.io/cambricon-mlu-devices-allocated': allocation([], [1, 'MLU,5120,30']),
      },
    },
    {
      name: 'whole',
      limits: [mlu(undefined, 96)],
      wantLimits: [mlu(100, 96)],
      wantAnnotations: {
        ...assigned,
        CAMBRICON_DSMLU_PROFILE: /^[0-2]_100_96$/,
        'hami.io/cambricon-mlu-devices-allocated': allocation([1, 'MLU,24576,100']),
      },
    },
  ],
  misfit: { limits: [mlu(10, 97)], wantWords: '2 CardInsufficientMemory' },
  burst: {
    node: 'mlus-2',
    limits: [mlu(30, 30)],
    count: 9,
    // kubelet counts all cards together, of which there would be enough.
    next: { limits: [mlu(15, 5)], wantWords: '1 CardInsufficientCore' },
  },
};

const dcu = (memoryMiB: number, cores: number): Texts => ({
  'hygon.com/dcunum': '1',
  'hygon.com/dcumem': String(memoryMiB),
  'hygon.com/dcucores': String(cores),
});

const hygon: FamilyDay = {
  name: 'Hygon: parts of DCUs and whole ones',
  nodes: machines('dcus', { family: 'hygon', cards: 2 }),
  pods: [
    {
      name: 'parts',
      limits: [dcu(8001, 30), {}, dcu(8001, 30)],
      wantAnnotations: {
        ...served,
        'hami.io/dcu-devices-allocated': allocation([1, 'DCU,8001,30'], [], [1, 'DCU,8001,30']),
        'hami.io/dcu-devices-to-allocate': /^;+$/,
      },
    },
    {
      name: 'whole',
      limits: [{ 'hygon.com/dcunum': '2' }],
      wantAnnotations: { ...served, 'hami.io/dcu-devices-allocated': allocation([2, 'DCU,32752,100']) },
    },
  ],
  misfit: { limits: [dcu(32_753, 30)], wantWords: '2 CardInsufficientMemory' },
  burst: {
    node: 'dcus-2',
    limits: [dcu(8001, 30)],
    count: 6,
    next: { limits: [dcu(1001, 15)], wantWords: '1 CardInsufficientCore' },
  },
};

const metaxGpu: FamilyDay = {
  name: 'MetaX: whole GPUs, which kubelet counts',
  nodes: machines('metax', { family: 'metax-gpu', cards: 3, losses: { 1: 0, 2: 110, 3: 270 } }),
  pods: [
    {
      name: 'two',
      limits: [{}, { 'metax-tech.com/gpu': '2' }],
      wantAnnotations: { 'hami.io/metax-gpu-devices-allocated': allocation([], [2, 'Metax-GPU,65536,100']) },
    },
  ],
  misfit: { limits: [{ 'metax-tech.com/gpu': '4' }], wantWords: '2 Insufficient metax-tech.com/gpu' },
  burst: {
    node: 'metax-2',
    limits: [{ 'metax-tech.com/gpu': '1' }],
    count: 3,
    next: { limits: [{ 'metax-tech.com/gpu': '1' }], wantWords: '1 Insufficient metax-tech.com/gpu' },
  },
};

const sgpu = (memory: string, cores: number): Texts => ({
  'metax-tech.com/sgpu': '1',
  'metax-tech.com/vmemory': memory,
  'metax-tech.com/vcore': String(cores),
});
const partsKey = 'metax-tech.com/gpu-devices-allocated';
const bestEffort = { ...served, 'metax-tech.com/sgpu-qos-policy': 'best-effort' };

const metaxSgpu: FamilyDay = {
  name: 'MetaX: sGPUs, with a policy where the pod names none',
  nodes: machines('sgpus', { family: 'metax-sgpu', cards: 2 }),
  pods: [
    {
      name: 'gibibytes',
      limits: [sgpu('8', 30)],
      wantAnnotations: {
        ...bestEffort,
        'hami.io/metax-sgpu-devices-allocated': allocation([1, 'Metax-SGPU,8192,30']),
        [partsKey]: /^\[\[\{"uuid":"[^"]+","compute":30,"vRam":8192\}\]\]$/,
        'metax-tech.com/predicate-time': /^\d{19}$/,
      },
    },
    {
      name: 'bytes',
      limits: [sgpu('2048Mi', 30)],
      wantAnnotations: { ...bestEffort, [partsKey]: /"compute":30,"vRam":2048\}\]\]$/ },
    },
    {
      name: 'whole',
      limits: [{}, { 'metax-tech.com/sgpu': '1' }],
      wantAnnotations: {
        ...bestEffort,
        'hami.io/metax-sgpu-devices-allocated': allocation([], [1, 'Metax-SGPU,65536,100']),
        [partsKey]: /^\[\[\],\[\{"uuid":"[^"]+","compute":100,"vRam":65536\}\]\]$/,
      },
    },
  ],
  misfit: { limits: [sgpu('65', 30)], wantWords: '2 CardInsufficientMemory' },
  burst: {
    node: 'sgpus-2',
    limits: [sgpu('16', 30)],
    count: 6,
    next: { limits: [sgpu('1', 15)], wantWords: '1 CardInsufficientCore' },
  },
};

const amdGpu = (memoryMiB: number, percent: number): Texts => ({
  'amd.com/gpu': '1',
  'amd.com/gpumem': String(memoryMiB),
  'amd.com/gpucores': String(percent),
});
const unitsKey = 'hami.io/amd-cu-allocated';
const amdCard = 'AMD Instinct MI300X';

const amd: FamilyDay = {
  name: 'AMD: compute units, each in the hands of one pod',
  nodes: machines('amd', { family: 'amd', cards: 2 }),
  pods: [
    {
      name: 'quarter',
      limits: [amdGpu(20_001, 25)],
      wantAnnotations: {
        ...served,
        'hami.io/amd-devices-allocated': allocation([1, `${amdCard},20001,76`]),
        'hami.io/amd-devices-to-allocate': /^;+$/,
        [unitsKey]: /^\{"[^"]+":"\d+-\d+"\}$/,
      },
    },
    {
      name: 'two',
      limits: [{}, { ...amdGpu(20_001, 10), 'amd.com/gpu': '2' }],
      wantAnnotations: {
        ...served,
        'hami.io/amd-devices-allocated': allocation([], [2, `${amdCard},20001,30`]),
        [unitsKey]: /^\{"[^"]+":"\d+-\d+","[^"]+":"\d+-\d+"\}$/,
      },
    },
    {
      name: 'whole',
      limits: [{ 'amd.com/gpu': '1' }],
      wantAnnotations: {
        ...served,
        'hami.io/amd-devices-allocated': allocation([1, `${amdCard},196288,304`]),
        [unitsKey]: /^\{"[^"]+":"0-303"\}$/,
      },
    },
  ],
  misfit: { limits: [amdGpu(196_289, 1)], wantWords: '2 CardInsufficientMemory' },
  burst: {
    node: 'amd-2',
    limits: [amdGpu(20_001, 25)],
    count: 8,
    check: (pods) => {
      const given = pods.flatMap((annotations) =>
        Object.entries(JSON.parse(annotations[unitsKey] ?? '{}') as Texts),
      );
      const byCard = Object.values(Object.groupBy(given, ([card]) => card));
      const quarters = ['0-75', '152-227', '228-303', '76-151'];
      expect(byCard.map((units) => units?.map(([, text]) => text).sort())).toEqual([quarters, quarters]);
    },
    next: { limits: [amdGpu(1001, 1)], wantWords: '1 CardInsufficientCore' },
  },
};

export const familyDays: readonly FamilyDay[] = [
  ascendTemplates,
  ascendSlices,
  cambricon,
  hygon,
  metaxGpu,
  metaxSgpu,
  amd,
];
