import { describe, expect, it } from '@jest/globals';
import { type AscendDescription, makeAscend } from '../../../../src/emulator/node-agent/plugins/ascend.ts';
import { phaseKey, PluginStage, sharedLock } from './plugin-stage.ts';

const resource = 'huawei.com/Ascend910B3';
const toAllocateKey = 'hami.io/Ascend910B3-devices-to-allocate';
const runtimeKey = 'huawei.com/Ascend910B3';
const containers = [{ limits: { [resource]: '1' } }];

const twoCards: AscendDescription = {
  family: 'ascend',
  chip: 'Ascend910B3',
  cards: [{ id: 'VDIE-A' }, { id: 'VDIE-B' }],
};

function stage(description: AscendDescription = twoCards) {
  return new PluginStage((host) => makeAscend(host, () => description));
}

function registered(description: AscendDescription) {
  const [value = ''] = Object.values(stage(description).published());
  return JSON.parse(value) as { index?: number; count: number; devcore: number; custominfo?: object }[];
}

describe('Huawei’s plugin publishes', () => {
  it('its cards, the node’s mode and a sign of life (vendors §1.2, §2.2)', () => {
    const { plugin } = stage();
    const custominfo = '"custominfo":{"NetworkID":0}';
    const common = `"count":4,"devmem":65536,"devcore":20,"type":"Ascend910B3","health":true,${custominfo}`;
    expect(stage().published()).toEqual({
      'hami.io/node-register-Ascend910B3': `[{"id":"VDIE-A",${common}},{"id":"VDIE-B","index":1,${common}}]`,
      'hami.io/node-handshake-Ascend910B3': 'Reported_2026.01.01 00:00:30',
      'hami-vnpu-core': 'false',
    });
    expect(plugin.publishMs()).toBe(30_000);
    expect(plugin.offers()).toEqual([{ name: resource, capacity: 8, allocatable: 8 }]);
  });

  it('percent instead of AI cores in hami-core mode', () => {
    const soft = { ...twoCards, hamiCore: true };
    expect(registered(soft)).toMatchObject([{ devcore: 100 }, { devcore: 100 }]);
    expect(stage(soft).published()).toMatchObject({ 'hami-vnpu-core': 'true' });
  });

  const counts = [
    { chip: 'Ascend910A', want: 15 },
    { chip: 'Ascend910B2', want: 8 },
    { chip: 'Ascend910B4', want: 4 },
    { chip: 'Ascend910B4-1', want: 4 },
    { chip: 'Ascend310P', want: 7 },
    { chip: 'Ascend910C', want: 4 },
  ] as const;
  it.each(counts)('$chip for $want containers', ({ chip, want }) => {
    expect(registered({ family: 'ascend', chip, cards: 1 })).toMatchObject([{ count: want }]);
  });

  const rings = [
    { chip: 'Ascend910B3', want: [0, 0, 0, 0, 1, 1] },
    { chip: 'Ascend910C', want: [0, 0, 0, 0, 0, 0] },
    { chip: 'Ascend310P', want: [] },
  ] as const;
  it.each(rings)('the HCCS rings of $chip', ({ chip, want }) => {
    const cards = registered({ family: 'ascend', chip, cards: 6 });
    const networks = cards.flatMap(({ custominfo }) => (custominfo === undefined ? [] : [custominfo]));
    expect(networks).toEqual(want.map((NetworkID) => ({ NetworkID })));
  });
});

describe('Allocate of Ascend cards (vendors §2.8)', () => {
  const worked = [
    {
      name: 'a template',
      toAllocate: 'VDIE-B,Ascend910B3,16384,0:;',
      runtime: '[{"UUID":"VDIE-B","temp":"vir05_1c_16g","memory":16384}]',
      mode: 'hard',
      wantShares: [{ deviceId: 'VDIE-B', memoryMiB: 16_384, corePercent: 5, kind: 'hard split' }],
      wantEnv: { ASCEND_VISIBLE_DEVICES: '1', ASCEND_VNPU_SPECS: 'vir05_1c_16g' },
    },
    {
      name: 'two whole cards',
      toAllocate: 'VDIE-B,Ascend910B3,65536,0:VDIE-A,Ascend910B3,65536,0:;',
      runtime: '[{"UUID":"VDIE-B","memory":65536},{"UUID":"VDIE-A","memory":65536}]',
      mode: 'hard',
      wantShares: [
        { deviceId: 'VDIE-B', memoryMiB: 65_536, corePercent: 20 },
        { deviceId: 'VDIE-A', memoryMiB: 65_536, corePercent: 20 },
      ],
      wantEnv: { ASCEND_VISIBLE_DEVICES: '1,0' },
    },
    {
      name: 'a quota of hami-core',
      toAllocate: 'VDIE-B,Ascend910B3,20000,30:;',
      runtime: '[{"UUID":"VDIE-B","memory":20000,"core":30}]',
      mode: 'hami-core',
      wantShares: [{ deviceId: 'VDIE-B', memoryMiB: 20_000, corePercent: 30, kind: 'hami-core' }],
      wantEnv: {
        ASCEND_VISIBLE_DEVICES: '1',
        NPU_MEM_QUOTA: '20000',
        NPU_PRIORITY: '30',
        NPU_GLOBAL_SHM_PATH: '/hami-shared-region/1_global_registry',
        NPU_LOCAL_SHM_PATH: '/hami-vnpu-shmem/vnpu_local_shmem',
      },
    },
    {
      name: 'a quota without compute',
      toAllocate: 'VDIE-A,Ascend910B3,20000,0:;',
      runtime: '[{"UUID":"VDIE-A","memory":20000}]',
      mode: 'hami-core',
      wantShares: [{ deviceId: 'VDIE-A', memoryMiB: 20_000, corePercent: 0 }],
      wantEnv: {
        ASCEND_VISIBLE_DEVICES: '0',
        NPU_MEM_QUOTA: '20000',
        NPU_GLOBAL_SHM_PATH: '/hami-shared-region/0_global_registry',
        NPU_LOCAL_SHM_PATH: '/hami-vnpu-shmem/vnpu_local_shmem',
      },
    },
  ];
  it.each(worked)('gives $name', async ({ toAllocate, runtime, mode, wantShares, wantEnv }) => {
    const own = stage();
    own.lock('p1');
    const annotations = {
      [toAllocateKey]: toAllocate,
      [runtimeKey]: runtime,
      'huawei.com/vnpu-mode': mode,
    };
    own.bind('p1', { containers, annotations });
    const given = await own.given(resource, wantShares.length);
    expect(given).toMatchObject({ container: 'c0', shares: wantShares, oddities: [] });
    expect(given.env).toEqual(wantEnv);
    expect(own.ofPod('p1', toAllocateKey)).toBe(';;');
    expect(own.ofPod('p1', phaseKey)).toBe('success');
    expect(own.ofNode(sharedLock)).toBeUndefined();
  });

  it('says success after the first container, and finds the second by the pod’s phase', async () => {
    const own = stage();
    own.lock('p1');
    own.bind('p1', {
      containers: [{}, ...containers, ...containers],
      annotations: {
        [toAllocateKey]: ';VDIE-A,Ascend910B3,65536,0:;VDIE-B,Ascend910B3,65536,0:;',
        [runtimeKey]: '[{"UUID":"VDIE-A","memory":65536},{"UUID":"VDIE-B","memory":65536}]',
      },
    });
    expect(await own.given(resource, 1)).toMatchObject({ container: 'c1' });
    expect(own.ofPod('p1', phaseKey)).toBe('success');
    expect(own.ofNode(sharedLock)).toBeUndefined();
    expect(await own.given(resource, 1)).toMatchObject({ container: 'c2' });
  });

  const whole = 'VDIE-A,Ascend910B3,65536,0:;';
  const wholeInfo = '[{"UUID":"VDIE-A","memory":65536}]';
  const failures = [
    { name: 'no runtime information', runtime: undefined, want: `has no ${runtimeKey}` },
    { name: 'information in another form', runtime: '{}', want: 'not an array' },
    { name: 'a misspelled key', runtime: '[{"uuid":"VDIE-A","memory":65536}]', want: 'the key uuid' },
    {
      name: 'a zero written out',
      runtime: '[{"UUID":"VDIE-A","memory":65536,"core":0}]',
      want: 'core is no amount',
    },
    { name: 'an empty template', runtime: '[{"UUID":"VDIE-A","temp":""}]', want: 'temp is no name' },
    {
      name: 'a template of another chip',
      runtime: '[{"UUID":"VDIE-A","temp":"vir02"}]',
      want: 'no template vir02',
    },
    { name: 'another word', toAllocate: 'VDIE-A,Ascend,65536,0:;', want: 'vendor word' },
    {
      name: 'a card that it does not have',
      toAllocate: 'VDIE-C,Ascend910B3,65536,0:;',
      want: 'unknown uuid: VDIE-C',
    },
    {
      name: 'another number of cards',
      toAllocate: `${whole.slice(0, -1)}VDIE-B,Ascend910B3,1,0:;`,
      want: 'not matched',
    },
  ];
  it.each(failures)('fails over $name', async ({ toAllocate = whole, want, ...more }) => {
    const own = stage();
    own.lock('p1');
    const runtime = 'runtime' in more ? more.runtime : wholeInfo;
    own.bind('p1', {
      containers,
      annotations: {
        [toAllocateKey]: toAllocate,
        ...(runtime === undefined ? {} : { [runtimeKey]: runtime }),
      },
    });
    expect(await own.allocate(resource, 1)).toEqual({
      kind: 'refused',
      message: expect.stringContaining(want),
    });
    expect(own.ofPod('p1', phaseKey)).toBe('failed');
    expect(own.ofNode(sharedLock)).toBeUndefined();
  });

  const odd = [
    {
      name: 'a whole card for a part of one',
      toAllocate: 'VDIE-A,Ascend910B3,16384,0:;',
      runtime: '[{"UUID":"VDIE-A","memory":16384}]',
      want: 'default/p1: card VDIE-A was written down with 16384 MiB, 0 cores and handed out with 65536 MiB, 20 cores',
    },
    {
      name: 'a card of which the plugin was told nothing',
      toAllocate: whole,
      runtime: '[]',
      want: 'default/p1: the plugin was told nothing about card VDIE-A',
    },
  ];
  it.each(odd)('gives $name, and says that it is wrong', async ({ toAllocate, runtime, want }) => {
    const own = stage();
    own.lock('p1');
    own.bind('p1', { containers, annotations: { [toAllocateKey]: toAllocate, [runtimeKey]: runtime } });
    expect(await own.given(resource, 1)).toMatchObject({
      shares: [{ memoryMiB: 65_536, corePercent: 20 }],
      oddities: [want],
    });
  });
});
