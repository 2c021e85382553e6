/** Several families on one cluster, one node and one pod: each is accounted for itself, whatever becomes of another. */
import { describe, expect, it } from '@jest/globals';
import { makeVendors, vendorFamilies, type VendorsConfig } from '../../src/vendors/vendors.ts';
import { resourceNames } from '../../src/vendors/vendor.ts';
import { defaultVendorsConfig } from './default-config.ts';
import { VendorWorld } from './vendor-world.ts';

const config = defaultVendorsConfig();
const vendors = makeVendors({
  vendors: { ...config, hygon: { ...config.hygon, enabled: true } },
});

function switchedOn(blocks: VendorsConfig): VendorsConfig {
  return Object.fromEntries(
    Object.entries(blocks).map(([block, own]) => [block, { ...own, enabled: true }]),
  ) as unknown as VendorsConfig;
}

const gpuRegister = JSON.stringify([
  { id: 'GPU-0', count: 4, devmem: 16_000, devcore: 100, type: 'NVIDIA A10', health: true },
]);
const dcuRegister =
  'DCU-T6N01,4,32752,100,DCU-K100_AI,0,true,0,hami:DCU-T6N02,4,32752,100,DCU-K100_AI,0,true,1,hami:';

const both = {
  name: 'n1',
  annotations: { 'hami.io/node-nvidia-register': gpuRegister, 'hami.io/node-dcu-register': dcuRegister },
  allocatable: { 'nvidia.com/gpu': '4', 'hygon.com/dcunum': '8' },
};
const gpu = { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '8000' };
const dcu = { 'hygon.com/dcunum': '1', 'hygon.com/dcumem': '2000', 'hygon.com/dcucores': '60' };

describe('a pod that asks for cards of two families', () => {
  const limits = { ...gpu, ...dcu };

  it('is given both in one Binding, each in the annotations of its family', () => {
    const world = new VendorWorld({ vendors, nodes: [both] });
    expect(world.bind({ containers: [{ limits }] })).toMatchObject({
      'hami.io/vgpu-devices-allocated': 'GPU-0,NVIDIA,8000,0:;',
      'hami.io/dcu-devices-allocated': 'DCU-T6N02,DCU,2000,60:;',
    });
    expect(world.used()).toEqual({
      'GPU-0': '1/8000/0',
      'DCU-T6N01': '0/0/0',
      'DCU-T6N02': '1/2000/60',
    });
  });

  it('fits only where both are', () => {
    const world = new VendorWorld({
      vendors,
      nodes: [{ ...both, annotations: { 'hami.io/node-nvidia-register': gpuRegister } }],
    });
    expect(world.refusal({ containers: [{ limits }] })).toBe('NodeUnregistered');
    expect(world.refusal({ containers: [{ limits: gpu }] })).toBe('fits');
  });

  it('may ask for them in different containers, which keep their places', () => {
    const world = new VendorWorld({ vendors, nodes: [both] });
    expect(world.bind({ containers: [{}, { limits: dcu }, { limits: gpu }] })).toMatchObject({
      'hami.io/vgpu-devices-allocated': ';;GPU-0,NVIDIA,8000,0:;',
      'hami.io/dcu-devices-allocated': ';DCU-T6N02,DCU,2000,60:;;',
    });
  });
});

describe('families whose plugins wait for the same lock', () => {
  const everyFamily = makeVendors({ vendors: switchedOn(config) });
  const npu = { 'huawei.com/Ascend910B3': '1' };
  const amd = { 'amd.com/gpu': '1' };
  const sgpu = { 'metax-tech.com/sgpu': '1' };
  const mlu = {
    'cambricon.com/vmlu': '1',
    'cambricon.com/mlu.smlu.vcore': '10',
    'cambricon.com/mlu.smlu.vmemory': '4',
  };
  const cases = [
    { name: 'go together where each finds a pod that the other has served', limits: [gpu, npu], want: [] },
    { name: 'do not with one that looks at the lock alone', limits: [gpu, dcu], want: ['hygon.com/dcunum'] },
    { name: 'nor with two such', limits: [amd, sgpu], want: ['metax-tech.com/sgpu', 'amd.com/gpu'] },
    { name: 'do with one that has a lock of its own', limits: [dcu, mlu], want: [] },
    { name: 'do with one that has none', limits: [dcu, { 'metax-tech.com/gpu': '1' }], want: [] },
  ];
  it.each(cases)('$name', ({ limits, want }) => {
    const world = new VendorWorld({ vendors: everyFamily });
    const together = { containers: limits.map((own) => ({ limits: own })) };
    expect(world.problems(together).map((problem) => problem.split(' ')[0])).toEqual(want);
    for (const own of limits) expect(world.problems({ containers: [{ limits: own }] })).toEqual([]);
  });
});

describe('families with runtime classes of their own', () => {
  const blocks = switchedOn(config);
  const classes = makeVendors({
    vendors: {
      ...blocks,
      nvidia: { ...blocks.nvidia, runtimeClassName: 'nvidia' },
      vnpus: {
        ...blocks.vnpus,
        configs: blocks.vnpus.configs.map((chip) => ({ ...chip, runtimeClassName: 'ascend' })),
      },
    },
  });
  const npu = { 'huawei.com/Ascend910B3': '1' };

  it('need a pod each, since a pod has one class', () => {
    const world = new VendorWorld({ vendors: classes });
    expect(world.admit({ containers: [{ limits: gpu }, { limits: npu }] })).toMatch(
      /different runtime classes \(nvidia, ascend\)/,
    );
    expect(world.admit({ containers: [{ limits: npu }] })).toMatchObject({
      spec: { runtimeClassName: 'ascend' },
    });
  });
});

describe('a broken annotation of one family', () => {
  it('Q33: on a node leaves the cards of another as they are', () => {
    const world = new VendorWorld({ vendors, nodes: [both] });
    world.see({ ...both, annotations: { ...both.annotations, 'hami.io/node-dcu-register': 'no register' } });
    world.bind({ containers: [{ limits: { ...gpu, ...dcu } }] });
    expect(Object.keys(world.used())).toHaveLength(3);
  });

  it('Q33: on a pod does not hide what it holds of another', () => {
    const world = new VendorWorld({ vendors, nodes: [both] });
    const annotations = world.bind({ containers: [{ limits: { ...gpu, ...dcu } }] });
    const restarted = new VendorWorld({ vendors, nodes: [both] });
    const problems = restarted.take({
      nodeName: 'n1',
      containers: [{ limits: { ...gpu, ...dcu } }],
      annotations: { ...annotations, 'hami.io/dcu-devices-allocated': 'DCU-T6N02,DCU,many,60:;' },
    });
    expect(problems).toEqual(['hami.io/dcu-devices-allocated']);
    expect(restarted.used()['GPU-0']).toBe('1/8000/0');
    // A card of the broken family is set aside, because nobody knows which one the pod has.
    expect(restarted.state.view('n1')?.devices.filter(({ withheld }) => withheld)).toHaveLength(1);
  });
});

describe('families that are not configured', () => {
  it('are no vendors at all: only NVIDIA is, where nobody says otherwise', () => {
    expect(makeVendors({ vendors: config }).map(({ key }) => key)).toEqual(['NVIDIA']);
  });

  it('leave their resources to others', () => {
    const world = new VendorWorld({ vendors: makeVendors({ vendors: config }), nodes: [both] });
    expect(world.plan({ containers: [{ limits: dcu }] })).toMatchObject({ ok: true, allocation: [[]] });
  });
});

describe('all families together', () => {
  const everything = makeVendors({ vendors: switchedOn(config) });

  it('have keys, resources and annotations of their own', () => {
    const names = everything.flatMap(resourceNames);
    const annotations = everything.flatMap(({ annotations: { allocated, toAllocate } }) => [
      allocated,
      toAllocate,
    ]);
    const keys = everything.map(({ key }) => key);
    for (const list of [names, annotations, keys]) expect(new Set(list).size).toBe(list.length);
    expect(keys.length).toBeGreaterThanOrEqual(Object.keys(vendorFamilies).length);
  });

  it('find nothing on a node without annotations and resources', () => {
    const world = new VendorWorld({ vendors: everything, nodes: [{ name: 'n1' }] });
    expect(world.used()).toEqual({});
    expect(world.refusal({ containers: [{ limits: gpu }] })).toBe('NodeUnregistered');
  });
});
