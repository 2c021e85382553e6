import { describe, expect, it } from '@jest/globals';
import type { Discovery } from '../../src/vendors/vendor.ts';
import { makeState, nodeObject, podObject } from '../state/support/device-states.ts';
import type { ContainerObjectFields } from '../support/kubernetes-objects.ts';
import {
  ascend,
  b3,
  npuNode,
  type NpuNodeFields,
  npuPod,
  npus,
  npuWorld,
  soft,
  vendorOf,
} from './ascend-world.ts';

/** vendors §1.2, as it stands there. */
const workedExample =
  '[{"id":"A","count":4,"devmem":65536,"devcore":20,"type":"Ascend910B3","health":true,"custominfo":{"NetworkID":0}},' +
  '{"id":"B","index":1,"count":4,"devmem":65536,"devcore":20,"type":"Ascend910B3","health":true,"custominfo":{"NetworkID":0}}]';

function discover(fields: NpuNodeFields, { key = b3, softByDefault = false } = {}): Discovery {
  return vendorOf(ascend({}, softByDefault), key).discover(nodeObject(npuNode(fields)));
}

describe('what a node offers', () => {
  it('the worked example', () => {
    const annotations = { 'hami.io/node-register-Ascend910B3': workedExample };
    const chip = {
      vendor: b3,
      type: b3,
      slots: 4,
      memoryMiB: 65_536,
      corePercent: 20,
      numa: 0,
      mode: 'vnpu',
      healthy: true,
      facts: { networkId: 0 },
    };
    expect(discover({ annotations })).toEqual({
      kind: 'devices',
      devices: [
        { ...chip, id: 'A', index: 0 },
        { ...chip, id: 'B', index: 1 },
      ],
    });
  });

  const links = [
    { name: 'a group that is a number', network: 1, want: { networkId: 1 } },
    { name: 'no group that is a text', network: '1', want: undefined },
    { name: 'no group that is a bool', network: true, want: undefined },
    { name: 'no group where none is named', network: undefined, want: undefined },
  ];
  it.each(links)('$name', ({ network, want }) => {
    const found = discover({ chips: [{ network }] });
    expect(found.kind === 'devices' ? found.devices[0]?.facts : found).toEqual(want);
  });

  const modes: { softly?: string; softByDefault?: boolean; want: string }[] = [
    { want: 'vnpu 20' },
    { softly: 'true', want: 'hami-core 100' },
    { softly: 'false', want: 'vnpu 20' },
    { softByDefault: true, want: 'hami-core 100' },
    { softly: 'true', softByDefault: true, want: 'hami-core 100' },
    { softly: 'false', softByDefault: true, want: 'vnpu 20' },
    { softly: 'TRUE', softByDefault: true, want: 'vnpu 20' },
  ];
  it.each(modes)(
    'slices softly: node $softly, else $softByDefault',
    ({ softly, softByDefault = false, want }) => {
      const found = discover(softly === undefined ? {} : { softly }, { softByDefault });
      const [chip] = found.kind === 'devices' ? found.devices : [];
      expect(`${chip?.mode ?? ''} ${chip?.corePercent ?? ''}`).toBe(want);
    },
  );

  it('nothing of a chip that it does not publish', () => {
    expect(discover({}, { key: 'Ascend310P' })).toEqual({ kind: 'none' });
  });

  it('nothing while kubelet has lost the plugin, whatever the register and its handshake say', () => {
    const annotations = { 'hami.io/node-handshake-Ascend910B3': 'Reported_2026.01.02 15:04:05' };
    expect(discover({ annotations, allocatable: { 'huawei.com/Ascend910B3': '0' } }).kind).toBe(
      'unavailable',
    );
  });

  it('what was there before, while the register cannot be read', () => {
    expect(discover({ annotations: { 'hami.io/node-register-Ascend910B3': '[{"id":3}]' } }).kind).toBe(
      'malformed',
    );
    expect(discover({ chips: [] }).kind).toBe('malformed');
  });

  it('by the register of the chip: 910B4 is not the 910B4-1 that has its name in it', () => {
    const world = npuWorld([npuNode({ key: 'Ascend910B4-1' })]);
    expect(world.refusal(npuPod({}, { key: 'Ascend910B4-1' }))).toBe('fits');
    expect(world.refusal(npuPod({}, { key: 'Ascend910B4' }))).toBe('NodeUnregistered');
  });
});

describe('a Binding (vendors §2.8)', () => {
  const node = npuNode({
    chips: [
      { id: 'VDIE-A', network: 0 },
      { id: 'VDIE-B', network: 0 },
    ],
    softly: 'true',
  });
  const cases: {
    name: string;
    amounts: Parameters<typeof npus>[0];
    mode?: Readonly<Record<string, string>>;
    wantAllocated: string;
    wantRuntime: string;
  }[] = [
    {
      name: 'a part of a chip',
      amounts: { memory: 10_000 },
      wantAllocated: 'VDIE-B,Ascend910B3,16384,0:;',
      wantRuntime: '[{"UUID":"VDIE-B","temp":"vir05_1c_16g","memory":16384}]',
    },
    {
      name: 'two whole chips',
      amounts: { count: 2 },
      wantAllocated: 'VDIE-B,Ascend910B3,65536,0:VDIE-A,Ascend910B3,65536,0:;',
      wantRuntime: '[{"UUID":"VDIE-B","memory":65536},{"UUID":"VDIE-A","memory":65536}]',
    },
    {
      name: 'a soft slice',
      amounts: { memory: 20_000, core: 30 },
      mode: soft,
      wantAllocated: 'VDIE-B,Ascend910B3,20000,30:;',
      wantRuntime: '[{"UUID":"VDIE-B","memory":20000,"core":30}]',
    },
    {
      name: 'a soft slice as large as a template is none',
      amounts: { memory: 16_384 },
      mode: soft,
      wantAllocated: 'VDIE-B,Ascend910B3,16384,0:;',
      wantRuntime: '[{"UUID":"VDIE-B","memory":16384}]',
    },
  ];
  it.each(cases)('$name', ({ amounts, mode = {}, wantAllocated, wantRuntime }) => {
    expect(npuWorld([node]).bind(npuPod(amounts, { annotations: mode }))).toMatchObject({
      'hami.io/Ascend910B3-devices-allocated': wantAllocated,
      'hami.io/Ascend910B3-devices-to-allocate': wantAllocated,
      'huawei.com/Ascend910B3': wantRuntime,
      'predicate-time': '1700000000',
    });
  });

  it('a template of a 910A', () => {
    const key = 'Ascend910A';
    const world = npuWorld([npuNode({ key, chips: [{}], memoryMiB: 32_768, slots: 15 })]);
    expect(world.bind(npuPod({ memory: 8738 }, { key }))).toMatchObject({
      'huawei.com/Ascend910A': '[{"UUID":"npu-0","temp":"vir08","memory":8738}]',
    });
  });

  it('keeps the containers apart in one annotation and flattens them in the other', () => {
    const containers = [{ limits: npus({ memory: 1 }) }, {}, { limits: npus({ memory: 20_000 }) }];
    expect(npuWorld([node]).bind({ containers })).toMatchObject({
      'hami.io/Ascend910B3-devices-allocated': 'VDIE-B,Ascend910B3,16384,0:;;VDIE-A,Ascend910B3,32768,0:;',
      'huawei.com/Ascend910B3':
        '[{"UUID":"VDIE-B","temp":"vir05_1c_16g","memory":16384},{"UUID":"VDIE-A","temp":"vir10_3c_32g","memory":32768}]',
    });
  });

  it('says nothing of chips that the pod does not ask for', () => {
    const keys = Object.keys(npuWorld([node]).bind(npuPod()));
    expect(keys.filter((key) => key.includes('Ascend') && !key.includes(b3))).toEqual([]);
  });

  it('has annotations that a tenant cannot write, each taken away once whatever the number of chips', () => {
    const annotations = { 'huawei.com/Ascend910B3': '[]', 'predicate-time': '1', mine: 'yes' };
    expect(npuWorld([node]).admit(npuPod({}, { annotations }))).toMatchObject({
      metadata: { annotations: { mine: 'yes' } },
    });
    expect(JSON.stringify(npuWorld([node]).admit(npuPod({}, { annotations })))).not.toContain(
      'predicate-time',
    );
  });
});

describe('hard shares and soft slices', () => {
  const one = { chips: [{}] };
  const cases: {
    name: string;
    node: NpuNodeFields;
    first?: ReturnType<typeof npuPod>;
    second: ReturnType<typeof npuPod>;
    want: string;
  }[] = [
    {
      name: 'a soft slice needs a node that can',
      node: {},
      second: npuPod({ memory: 15_360, core: 20 }, { annotations: soft }),
      want: '2 ModeNotFit',
    },
    {
      name: 'of a whole chip, too',
      node: { softly: 'false' },
      second: npuPod({}, { annotations: soft }),
      want: '2 ModeNotFit',
    },
    {
      name: 'a hard share may be of a node that slices softly',
      node: { softly: 'true' },
      second: npuPod({ memory: 8738 }),
      want: 'fits',
    },
    { name: 'and a whole chip', node: { softly: 'true' }, second: npuPod(), want: 'fits' },
    {
      name: 'soft slices share a chip',
      node: { ...one, softly: 'true' },
      first: npuPod({ memory: 20_000, core: 60 }, { name: 'first', annotations: soft }),
      second: npuPod({ memory: 20_000, core: 40 }, { annotations: soft }),
      want: 'fits',
    },
    {
      name: 'up to all of its compute',
      node: { ...one, softly: 'true' },
      first: npuPod({ memory: 20_000, core: 60 }, { name: 'first', annotations: soft }),
      second: npuPod({ memory: 20_000, core: 41 }, { annotations: soft }),
      want: '1 CardInsufficientCore',
    },
    {
      name: 'hard shares share a chip',
      node: one,
      first: npuPod({ memory: 16_384 }, { name: 'first' }),
      second: npuPod({ memory: 32_768 }),
      want: 'fits',
    },
    {
      name: 'up to all of its memory',
      node: one,
      first: npuPod({ memory: 20_000 }, { name: 'first' }),
      second: npuPod({ memory: 40_000 }),
      want: '1 CardInsufficientMemory',
    },
    {
      name: 'a hard share does not come to a soft slice',
      node: { ...one, softly: 'true' },
      first: npuPod({ memory: 1000 }, { name: 'first', annotations: soft }),
      second: npuPod({ memory: 1000 }),
      want: '1 ModeNotFit',
    },
    {
      name: 'nor a soft slice to a hard share',
      node: { ...one, softly: 'true' },
      first: npuPod({ memory: 1000 }, { name: 'first' }),
      second: npuPod({ memory: 1000 }, { annotations: soft }),
      want: '1 ModeNotFit',
    },
  ];
  it.each(cases)('$name', ({ node, first, second, want }) => {
    const world = npuWorld([npuNode(node)]);
    if (first !== undefined) world.bind(first);
    expect(world.refusal(second)).toBe(want);
  });

  it('take each its own chip, where there are several, against the policy', () => {
    const world = npuWorld([npuNode({ softly: 'true' })], { devicePolicy: 'binpack' });
    world.bind(npuPod({ memory: 1000 }, { name: 'first', annotations: soft }));
    expect(world.cards(npuPod({ memory: 1000 }, { annotations: soft }))).toEqual([['npu-1']]);
    expect(world.cards(npuPod({ memory: 1000 }))).toEqual([['npu-0']]);
  });

  it('are known from what was written with the Binding, so that a restart finds them', () => {
    const annotations = npuWorld([npuNode({ ...one, softly: 'true' })]).bind(
      npuPod({ memory: 1000 }, { annotations: soft }),
    );
    const restarted = npuWorld([npuNode({ ...one, softly: 'true' })]);
    const pod = npuPod({ memory: 1000 }, { nodeName: 'n1', annotations: { ...soft, ...annotations } });
    expect(restarted.take(pod)).toEqual([]);
    expect(restarted.used()).toEqual({ 'npu-0': '1/1000/0' });
    expect(restarted.refusal(npuPod({}, { name: 'second' }))).toBe('1 ModeNotFit');
    expect(restarted.refusal(npuPod({ memory: 1 }, { name: 'third', annotations: soft }))).toBe('fits');
  });

  it('a hard share is charged no compute, on a node of either mode', () => {
    for (const softly of ['true', 'false']) {
      const world = npuWorld([npuNode({ ...one, softly })]);
      world.bind(npuPod({ memory: 10_000 }));
      expect(world.used()).toEqual({ 'npu-0': '1/16384/0' });
    }
  });
});

describe('the containers of a pod together (vendors §2.8, §2.11)', () => {
  const quarter = { limits: npus({ memory: 16_384 }) };
  const several =
    /^huawei\.com\/Ascend910B3 is asked for beside container "c0", but the device plugin serves one/;
  const cases: { name: string; containers: readonly ContainerObjectFields[]; want: readonly RegExp[] }[] = [
    { name: 'one of several may ask for chips', containers: [{}, quarter, {}], want: [] },
    { name: 'an init container may be the one', containers: [{ role: 'init', ...quarter }, {}], want: [] },
    {
      name: 'two may not: the plugin gives the lock up after the first',
      containers: [quarter, quarter],
      want: [several],
    },
    {
      name: 'nor one after the other, since kubelet asks for all of them at once',
      containers: [{ role: 'init', ...quarter }, quarter, quarter],
      want: [several, several],
    },
  ];
  it.each(cases)('$name', ({ containers, want }) => {
    expect(npuWorld([npuNode()]).problems({ containers })).toEqual(
      want.map((pattern) => expect.stringMatching(pattern) as unknown),
    );
  });
});

describe('the cards of a node', () => {
  const cases: { name: string; node?: NpuNodeFields; pod: ReturnType<typeof npuPod>; want: string }[] = [
    {
      name: 'too much memory of a smaller chip',
      node: { memoryMiB: 30_000 },
      pod: npuPod({ memory: 20_000 }),
      want: '2 CardInsufficientMemory',
    },
    {
      name: 'not healthy',
      node: { chips: [{ health: false }, { health: false }] },
      pod: npuPod(),
      want: '2 CardNotHealth',
    },
    {
      name: 'others are wanted',
      pod: npuPod({}, { annotations: { 'hami.io/use-Ascend910B3-uuid': 'npu-7' } }),
      want: '2 CardUuidMismatch',
    },
    {
      name: 'one is not wanted',
      pod: npuPod({ count: 2 }, { annotations: { 'hami.io/no-use-Ascend910B3-uuid': 'npu-0' } }),
      want: '1 CardUuidMismatch',
    },
    {
      name: 'what is said of another chip is not said of this',
      pod: npuPod({}, { annotations: { 'hami.io/use-Ascend310P-uuid': 'npu-7' } }),
      want: 'fits',
    },
    { name: 'more than there are', pod: npuPod({ count: 3 }), want: 'NodeInsufficientDevice' },
  ];
  it.each(cases)('$name', ({ node = {}, pod, want }) => {
    expect(npuWorld([npuNode(node)]).refusal(pod)).toBe(want);
  });

  it('a pod that came past the webhook is charged as much as the plugin gives it', () => {
    const node = npuNode({ chips: [{}] });
    const state = makeState({ trust: 'at-least-request', vendors: ascend(), nodes: [node] });
    const allocated = 'npu-0,Ascend910B3,10000,0:;';
    const annotations = { 'hami.io/vgpu-node': 'n1', 'hami.io/Ascend910B3-devices-allocated': allocated };
    state.applyPod(podObject(npuPod({ memory: 10_000 }, { nodeName: 'n1', annotations })), 0);
    expect(state.view('n1')?.devices.map(({ used }) => used.memoryMiB)).toEqual([16_384]);
  });
});
