import { describe, expect, it } from '@jest/globals';
import { ascendFamily, makeAscend } from '../../src/vendors/ascend/ascend.ts';
import { resourceNames } from '../../src/vendors/vendor.ts';
import { ascend, ascendConfig, readAscendConfig as read } from './ascend-world.ts';

describe('the chips of the chart (vendors §2.1)', () => {
  it('are the defaults, switched off', () => {
    const { enabled, hamiVnpuCore, configs } = ascendConfig();
    expect([enabled, hamiVnpuCore]).toEqual([false, false]);
    const table = configs.map(
      ({ commonWord, chipName, memoryAllocatable, memoryCapacity, aiCore, aiCPU, superPod, templates }) =>
        [
          `${commonWord} ${chipName} ${memoryAllocatable}/${memoryCapacity} ${aiCore}/${aiCPU}${superPod ? ' superPod' : ''}:`,
          ...templates.map(
            ({ name, memory, ...cores }) => `${name}=${memory}/${cores.aiCore}/${cores.aiCPU}`,
          ),
        ].join(' '),
    );
    expect(table).toEqual([
      'Ascend910A 910A 32768/32768 30/0: vir02=2184/2/0 vir04=4369/4/0 vir08=8738/8/0 vir16=17476/16/0',
      'Ascend910B2 910B2 65536/65536 24/6: vir03_1c_8g=8192/3/1 vir06_1c_16g=16384/6/1 vir12_3c_32g=32768/12/3',
      'Ascend910B3 910B3 65536/65536 20/7: vir05_1c_16g=16384/5/1 vir10_3c_32g=32768/10/3',
      'Ascend910B4-1 910B4-1 65536/65536 20/7: vir05_1c_16g=16384/5/1 vir10_3c_32g=32768/10/3',
      'Ascend910B4 910B4 32768/32768 20/7: vir05_1c_8g=8192/5/1 vir10_3c_16g=16384/10/3',
      'Ascend310P 310P3 21527/24576 8/7: vir01=3072/1/1 vir02=6144/2/2 vir04=12288/4/4',
      'Ascend910C Ascend910 65536/65536 20/7 superPod: vir05_1c_16g=16384/5/1 vir10_3c_32g=32768/10/3',
    ]);
  });

  it('are a vendor each, with names of its own', () => {
    expect(ascend().map((vendor) => [vendor.key, ...resourceNames(vendor)])).toContainEqual([
      'Ascend910B4-1',
      'huawei.com/Ascend910B4-1',
      'huawei.com/Ascend910B4-1-memory',
      'huawei.com/Ascend910B4-1-core',
    ]);
  });
});

describe('the list of chips', () => {
  const own = { commonWord: 'Own', memoryAllocatable: 1000 };

  it('may be our own, with what Go makes of keys that are left out', () => {
    expect(read({ configs: [{ ...own, resourceName: 'example.com/own' }] })).toMatchObject({
      ok: true,
      value: {
        configs: [
          { resourceMemoryName: '', memoryCapacity: 0, overwriteEnv: false, superPod: false, templates: [] },
        ],
      },
    });
  });

  it('makes no vendor of a chip without a resource, and the last of two with one word', () => {
    const chips = [
      { ...own, resourceName: '' },
      { ...own, commonWord: 'Twice', resourceName: 'example.com/first' },
      { ...own, commonWord: 'Twice', resourceName: 'example.com/second' },
    ];
    const config = read({ configs: chips });
    if (!config.ok) throw new Error(config.problem);
    expect(makeAscend(config.value).map(({ key, resources }) => [key, resources])).toEqual([
      ['Twice', { count: 'example.com/second' }],
    ]);
  });

  const refused = [
    {
      name: 'a word that is no part of an annotation',
      chip: { ...own, commonWord: 'a/b' },
      want: 'configs.0.commonWord',
    },
    {
      name: 'a word that is too long for one',
      chip: { ...own, commonWord: 'a'.repeat(41) },
      want: 'configs.0.commonWord',
    },
    { name: 'no word', chip: { memoryAllocatable: 1 }, want: 'configs.0' },
    { name: 'no memory', chip: { ...own, memoryAllocatable: 0 }, want: 'configs.0.memoryAllocatable' },
    {
      name: 'a template without memory',
      chip: { ...own, templates: [{ name: 'x' }] },
      want: 'configs.0.templates.0',
    },
    {
      name: 'a resource without a domain',
      chip: { ...own, resourceName: 'npu' },
      want: 'configs.0.resourceName',
    },
  ];
  it.each(refused)('is refused for $name', ({ chip, want }) => {
    expect(read({ configs: [chip] })).toMatchObject({
      ok: false,
      problem: expect.stringContaining(want) as unknown,
    });
  });
});

describe("HAMi's block", () => {
  const chip = { commonWord: 'Ascend910B3' };
  const cases = [
    {
      name: 'as it is',
      block: { hamiVnpuCore: true, configs: [chip] },
      want: { hamiVnpuCore: true, configs: [chip] },
    },
    { name: 'as the bare list before v2.9', block: [chip], want: { configs: [chip] } },
    {
      name: 'without a list, which is none',
      block: { hamiVnpuCore: true },
      want: { hamiVnpuCore: true, configs: [] },
    },
    { name: 'with an empty list', block: { configs: null }, want: { configs: [] } },
    { name: 'as something else, to be refused', block: 'on', want: 'on' },
  ];
  it.each(cases)('$name', ({ block, want }) => {
    expect(ascendFamily.fromHami?.(block)).toEqual(want);
  });
});
