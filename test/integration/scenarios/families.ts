/**
 * Cards of the families beside NVIDIA: pods ask for them in the words of their family, and each node's plugin finds what
 * it needs to hand them out. The nodes check the rest: nobody gets too much of a card, or another's devices.
 */
import { expect } from '@jest/globals';
import type { AcceleratorDescription } from '../../../src/emulator/node-agent/plugins/accelerators.ts';
import { podManifest, type PodState } from './pods.ts';
import type { Scenario, Stage } from './scenario.ts';

type Limits = Readonly<Record<string, string>>;

const nodeWith = (name: string, ...accelerators: readonly AcceleratorDescription[]) => ({
  name,
  cpu: '64',
  memory: '512Gi',
  gpus: [],
  accelerators,
});

/** One container for each set of limits. */
function podAsking(
  name: string,
  limits: readonly Limits[],
  annotations: Readonly<Record<string, string>> = {},
) {
  const containers = limits.map((own, index) => ({
    name: `c${index}`,
    image: 'registry.invalid/pause:1',
    resources: { limits: own },
  }));
  return podManifest(name, { annotations, spec: { containers } });
}

/** Creates a pod, waits until it runs, and answers its annotations. */
async function run(
  { cluster }: Stage,
  name: string,
  limits: readonly Limits[],
  annotations: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, string>>> {
  await cluster.create(podAsking(name, limits, annotations));
  return annotationsOf(await cluster.running(name));
}

function annotationsOf({ metadata }: PodState): Readonly<Record<string, string>> {
  return metadata.annotations ?? {};
}

/** The first card of a value such as `id,word,memory,cores:;`. */
function cardIn(allocated: string | undefined): string {
  return /[^;,]+/.exec(allocated ?? '')?.[0] ?? '';
}

const hygon: Scenario = {
  name: 'pods share DCUs and have them whole, container by container',
  nodes: [nodeWith('dcus', { family: 'hygon', cards: 3 })],
  settings: { vendors: { hygon: { enabled: true } } },
  play: async (stage) => {
    const part = { 'hygon.com/dcunum': '1', 'hygon.com/dcumem': '8000', 'hygon.com/dcucores': '30' };
    const pair = { ...part, 'hygon.com/dcunum': '2' };
    const parts = await run(stage, 'parts', [{}, part, {}, pair]);
    expect(parts).toMatchObject({
      'hami.io/bind-phase': 'success',
      'hami.io/dcu-devices-allocated': expect.stringMatching(
        /^;DCU-[^,]+,DCU,8000,30:;;DCU-[^,]+,DCU,8000,30:DCU-[^,]+,DCU,8000,30:;$/,
      ),
      'hami.io/dcu-devices-to-allocate': ';',
    });
    await stage.cluster.create(...[1, 2, 3].map((index) => podAsking(`part-${index}`, [part])));
    for (const index of [1, 2, 3]) await stage.cluster.running(`part-${index}`);
    await stage.cluster.delete('parts');
    for (const index of [1, 2]) await stage.cluster.delete(`part-${index}`);
    await run(stage, 'whole', [{ 'hygon.com/dcunum': '2' }]);
  },
};

const cambricon: Scenario = {
  name: 'slices of MLUs are made for one pod of a node after the other',
  nodes: [nodeWith('mlus', { family: 'cambricon', cards: 2 })],
  settings: { vendors: { cambricon: { enabled: true } } },
  play: async ({ cluster }) => {
    const slice = {
      'cambricon.com/vmlu': '1',
      'cambricon.com/mlu.smlu.vcore': '30',
      'cambricon.com/mlu.smlu.vmemory': '20',
    };
    const names = ['slice-1', 'slice-2', 'slice-3', 'slice-4'];
    await cluster.create(...names.map((name) => podAsking(name, [{}, slice])));
    for (const name of names) {
      expect(annotationsOf(await cluster.running(name))).toMatchObject({
        CAMBRICON_DSMLU_ASSIGHED: 'true',
        CAMBRICON_DSMLU_PROFILE: expect.stringMatching(/^[01]_30_20$/),
        CAMBRICON_DSMLU_PROFILE_INSTANCE: expect.stringMatching(/^[12]_\d+_[01]_\d+$/),
        'hami.io/cambricon-mlu-devices-allocated': expect.stringMatching(
          /^;mlus-cambricon-mlu-[01],MLU,5120,30:;$/,
        ),
      });
    }
  },
};

const ascend: Scenario = {
  name: 'Ascend cards are cut by templates, given whole, and sliced softly where the node does so',
  nodes: [
    nodeWith('hard', { family: 'ascend', chip: 'Ascend910B3', cards: 4 }),
    nodeWith('soft', { family: 'ascend', chip: 'Ascend910B4', cards: 1, hamiCore: true }),
  ],
  settings: { vendors: { vnpus: { enabled: true } } },
  play: async (stage) => {
    const template = { 'huawei.com/Ascend910B3': '1', 'huawei.com/Ascend910B3-memory': '10000' };
    const cut = await run(stage, 'template', [template]);
    expect(cut).toMatchObject({
      'hami.io/Ascend910B3-devices-allocated': expect.stringMatching(/^[^,]+,Ascend910B3,16384,0:;$/),
      'huawei.com/Ascend910B3': expect.stringContaining('"temp":"vir05_1c_16g","memory":16384'),
      'hami.io/bind-phase': 'success',
    });
    const whole = await run(stage, 'whole', [{}, { 'huawei.com/Ascend910B3': '2' }]);
    expect(whole['hami.io/Ascend910B3-devices-allocated']).toMatch(
      /^;[^,]+,Ascend910B3,65536,0:[^,]+,Ascend910B3,65536,0:;$/,
    );

    const slice = {
      'huawei.com/Ascend910B4': '1',
      'huawei.com/Ascend910B4-memory': '10000',
      'huawei.com/Ascend910B4-core': '30',
    };
    const mode = { 'huawei.com/vnpu-mode': 'hami-core' };
    await stage.cluster.create(...[1, 2, 3].map((index) => podAsking(`soft-${index}`, [slice], mode)));
    for (const index of [1, 2, 3]) {
      const { 'huawei.com/Ascend910B4': runtime = '' } = annotationsOf(
        await stage.cluster.running(`soft-${index}`),
      );
      expect(JSON.parse(runtime)).toEqual([{ UUID: expect.any(String), memory: 10_000, core: 30 }]);
    }
  },
};

const metaxWhole: Scenario = {
  name: 'MetaX GPUs are counted by kubelet and given whole',
  nodes: [
    nodeWith('metax', { family: 'metax-gpu', cards: 3, losses: { 1: 0, 2: 110 }, scores: { 1: 90, 2: 50 } }),
  ],
  settings: { vendors: { metax: { enabled: true } } },
  play: async (stage) => {
    const two = await run(stage, 'two', [{ 'metax-tech.com/gpu': '2' }]);
    expect(two['hami.io/metax-gpu-devices-allocated']).toMatch(
      /^metax-metax-\d,Metax-GPU,65536,100:metax-metax-\d,Metax-GPU,65536,100:;$/,
    );
    await run(stage, 'one', [{}, { 'metax-tech.com/gpu': '1' }]);
  },
};

const metaxShared: Scenario = {
  name: 'MetaX cards are shared by pods of one QoS policy, or of an app class',
  nodes: [nodeWith('sgpus', { family: 'metax-sgpu', cards: 3 })],
  settings: { vendors: { metax: { enabled: true } } },
  play: async (stage) => {
    const part = { 'metax-tech.com/sgpu': '1', 'metax-tech.com/vcore': '30', 'metax-tech.com/vmemory': '8' };
    const cardOf = async (name: string, annotations: Readonly<Record<string, string>>) => {
      const written = await run(stage, name, [part], annotations);
      expect(written['hami.io/bind-phase']).toBe('success');
      return cardIn(written['hami.io/metax-sgpu-devices-allocated']);
    };
    const fixed = { 'metax-tech.com/sgpu-qos-policy': 'fixed-share' };
    const offline = { 'metax-tech.com/sgpu-app-class': 'offline' };
    const online = { 'metax-tech.com/sgpu-app-class': 'online' };
    const effort = await cardOf('best-effort-1', {});
    const share = await cardOf('fixed-share-1', fixed);
    const classed = await cardOf('offline', offline);
    expect(new Set([effort, share, classed]).size).toBe(3);
    expect(await cardOf('fixed-share-2', fixed)).toBe(share);
    expect(await cardOf('online', online)).toBe(classed);
    expect(await cardOf('best-effort-2', {})).toBe(effort);
  },
};

const amd: Scenario = {
  name: 'pods share an AMD GPU, each with compute units of its own',
  nodes: [nodeWith('amd', { family: 'amd', cards: 1 })],
  settings: { vendors: { amd: { enabled: true } } },
  play: async (stage) => {
    const percentOf = (percent: number) => ({
      'amd.com/gpu': '1',
      'amd.com/gpumem': '20000',
      'amd.com/gpucores': String(percent),
    });
    const unitsOf = async (name: string, percent: number) => {
      const written = await run(stage, name, [percentOf(percent)]);
      const [units] = Object.values(JSON.parse(written['hami.io/amd-cu-allocated'] ?? '{}') as Limits);
      return units;
    };
    expect(await unitsOf('quarter-1', 25)).toBe('0-75');
    expect(await unitsOf('quarter-2', 25)).toBe('76-151');
    expect(await unitsOf('half', 50)).toBe('152-303');
    await stage.cluster.delete('quarter-1');
    expect(await unitsOf('quarter-3', 25)).toBe('0-75');
  },
};

const severalFamilies: Scenario = {
  name: 'a pod has cards of two families whose plugins are told of it in ways of their own',
  nodes: [
    nodeWith('dcus', { family: 'hygon', cards: 1 }),
    nodeWith('both', { family: 'hygon', cards: 1 }, { family: 'cambricon', cards: 1 }),
    nodeWith('mlus', { family: 'cambricon', cards: 1 }),
  ],
  settings: { vendors: { hygon: { enabled: true }, cambricon: { enabled: true } } },
  play: async (stage) => {
    const dcu = { 'hygon.com/dcunum': '1', 'hygon.com/dcumem': '8000', 'hygon.com/dcucores': '30' };
    const mlu = {
      'cambricon.com/vmlu': '1',
      'cambricon.com/mlu.smlu.vcore': '30',
      'cambricon.com/mlu.smlu.vmemory': '20',
    };
    const written = await run(stage, 'both', [{ ...dcu, ...mlu }, dcu]);
    expect(written).toMatchObject({
      'hami.io/bind-phase': 'success',
      'hami.io/vgpu-node': 'both',
      CAMBRICON_DSMLU_ASSIGHED: 'true',
    });
  },
};

const takingTurns: Scenario = {
  name: 'plugins of four families that share a node’s lock take turns, and each serves its own pods',
  nodes: [
    {
      ...nodeWith(
        'mixed',
        { family: 'hygon', cards: 2 },
        { family: 'ascend', chip: 'Ascend910B3', cards: 2 },
        { family: 'amd', cards: 1 },
      ),
      gpus: [{ type: 'NVIDIA A10', memoryMiB: 24_576 }],
    },
  ],
  settings: { vendors: { hygon: { enabled: true }, vnpus: { enabled: true }, amd: { enabled: true } } },
  play: async ({ cluster }) => {
    const kinds: readonly Limits[] = [
      { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '1000' },
      { 'huawei.com/Ascend910B3': '1', 'huawei.com/Ascend910B3-memory': '16384' },
      { 'hygon.com/dcunum': '1', 'hygon.com/dcumem': '1000', 'hygon.com/dcucores': '5' },
      { 'amd.com/gpu': '1', 'amd.com/gpumem': '1000', 'amd.com/gpucores': '5' },
    ];
    const names = [0, 1, 2, 3, 4].flatMap((round) => kinds.map((_, kind) => `pod-${round}-${kind}`));
    await cluster.create(...names.map((name) => podAsking(name, [kinds[Number(name.at(-1))] ?? {}])));
    for (const name of names) {
      expect(annotationsOf(await cluster.running(name))['hami.io/bind-phase']).toBe('success');
    }
  },
};

export const familyScenarios: readonly Scenario[] = [
  hygon,
  cambricon,
  ascend,
  metaxWhole,
  metaxShared,
  amd,
  severalFamilies,
  takingTurns,
];
