import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NvidiaConfig } from '../../src/vendors/nvidia/nvidia-settings.ts';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import type { DeviceRequest } from '../../src/model/request.ts';
import { makeContainer } from './make-container.ts';
import { cores, gpu, mem, nvidia, percentage, priority } from './nvidia-config.ts';

type Config = Partial<NvidiaConfig>;

describe('request reads what a container asks for (spec §5.3)', () => {
  const whole: DeviceRequest = {
    vendor: 'NVIDIA',
    count: 1,
    memory: { kind: 'percent', percent: 100 },
    corePercent: 0,
  };
  const mib = (memoryMiB: number) => ({ kind: 'mib', memoryMiB }) as const;
  const percent = (amount: number) => ({ kind: 'percent', percent: amount }) as const;
  const cases: {
    name: string;
    config?: Config;
    limits: TextMap;
    want: Partial<DeviceRequest> | undefined;
    wantWarnings?: readonly RegExp[];
  }[] = [
    { name: 'nothing', limits: {}, want: undefined },
    { name: 'other resources', limits: { cpu: '1', 'amd.com/gpu': '1' }, want: undefined },
    { name: 'a count alone: the whole memory', limits: { [gpu]: '1' }, want: {} },
    {
      name: 'count and memory',
      limits: { [gpu]: '2', [mem]: '4096' },
      want: { count: 2, memory: mib(4096) },
    },
    { name: 'count and percent', limits: { [gpu]: '1', [percentage]: '50' }, want: { memory: percent(50) } },
    { name: 'percent 1', limits: { [gpu]: '1', [percentage]: '1' }, want: { memory: percent(1) } },
    { name: 'percent 100', limits: { [gpu]: '1', [percentage]: '100' }, want: { memory: percent(100) } },
    {
      name: 'percent 0 is "not given", with a warning',
      limits: { [gpu]: '1', [percentage]: '0' },
      want: { memory: percent(100) },
      wantWarnings: [/"main": nvidia\.com\/gpumem-percentage is 0, which means "not given"/],
    },
    {
      name: 'percent 0 beside memory',
      limits: { [gpu]: '1', [percentage]: '0', [mem]: '2000' },
      want: { memory: mib(2000) },
      wantWarnings: [/gpumem-percentage is 0/],
    },
    {
      name: 'memory wins over percent, with a warning',
      limits: { [gpu]: '1', [mem]: '2000', [percentage]: '50' },
      want: { memory: mib(2000) },
      wantWarnings: [/gpumem-percentage has no effect beside nvidia\.com\/gpumem/],
    },
    {
      name: 'memory 0 is "not given", with a warning',
      limits: { [gpu]: '1', [mem]: '0' },
      want: { memory: percent(100) },
      wantWarnings: [/nvidia\.com\/gpumem is 0, which means "not given"/],
    },
    {
      name: 'memory 0 leaves the percent in force',
      limits: { [gpu]: '1', [mem]: '0', [percentage]: '25' },
      want: { memory: percent(25) },
      wantWarnings: [/nvidia\.com\/gpumem is 0/],
    },
    {
      name: 'memory as the API server rewrites it: 3k',
      limits: { [gpu]: '1', [mem]: '3k' },
      want: { memory: mib(3000) },
    },
    { name: 'memory 30k', limits: { [gpu]: '1', [mem]: '30k' }, want: { memory: mib(30000) } },
    { name: 'memory 2M', limits: { [gpu]: '1', [mem]: '2M' }, want: { memory: mib(2000000) } },
    { name: 'memory 1e3', limits: { [gpu]: '1', [mem]: '1e3' }, want: { memory: mib(1000) } },
    {
      name: 'the largest memory',
      limits: { [gpu]: '1', [mem]: '2147483647' },
      want: { memory: mib(2147483647) },
    },
    {
      name: 'memoryFactor 2',
      config: { memoryFactor: 2 },
      limits: { [gpu]: '1', [mem]: '1024' },
      want: { memory: mib(2048) },
    },
    {
      name: 'memoryFactor 0 counts as 1',
      config: { memoryFactor: 0 },
      limits: { [gpu]: '1', [mem]: '1024' },
      want: { memory: mib(1024) },
    },
    {
      name: 'the largest memory with memoryFactor 2',
      config: { memoryFactor: 2 },
      limits: { [gpu]: '1', [mem]: '1073741823' },
      want: { memory: mib(2147483646) },
    },
    {
      name: 'defaultMemory 512',
      config: { defaultMemory: 512 },
      limits: { [gpu]: '1' },
      want: { memory: mib(512) },
    },
    {
      name: 'defaultMemory is not multiplied',
      config: { defaultMemory: 512, memoryFactor: 2 },
      limits: { [gpu]: '1' },
      want: { memory: mib(512) },
    },
    {
      name: 'defaultMemory yields to percent',
      config: { defaultMemory: 512 },
      limits: { [gpu]: '1', [percentage]: '50' },
      want: { memory: percent(50) },
    },
    {
      name: 'defaultMemory stands in for percent 0',
      config: { defaultMemory: 512 },
      limits: { [gpu]: '1', [percentage]: '0' },
      want: { memory: mib(512) },
      wantWarnings: [/gpumem-percentage is 0/],
    },
    { name: 'cores', limits: { [gpu]: '1', [cores]: '30' }, want: { corePercent: 30 } },
    { name: 'cores 100', limits: { [gpu]: '1', [cores]: '100' }, want: { corePercent: 100 } },
    { name: 'defaultCores', config: { defaultCores: 10 }, limits: { [gpu]: '1' }, want: { corePercent: 10 } },
    {
      name: 'cores 0 overrule defaultCores',
      config: { defaultCores: 10 },
      limits: { [gpu]: '1', [cores]: '0' },
      want: { corePercent: 0 },
    },
    {
      name: 'cores 120 are taken as 100, with a warning',
      limits: { [gpu]: '1', [cores]: '120' },
      want: { corePercent: 100 },
      wantWarnings: [/nvidia\.com\/gpucores is 120, taken as 100/],
    },
    { name: 'count 0 asks for nothing', limits: { [gpu]: '0' }, want: undefined },
    {
      name: 'count 0 beside memory asks for nothing, with a warning',
      limits: { [gpu]: '0', [mem]: '3000' },
      want: undefined,
      wantWarnings: [/"main": nvidia\.com\/gpu is 0/],
    },
    { name: 'priority alone asks for nothing', limits: { [priority]: '1' }, want: undefined },
    {
      name: 'amounts of 0 without a count ask for nothing',
      limits: { [mem]: '0', [cores]: '0' },
      want: undefined,
    },
    {
      name: 'a resource without a name does not exist',
      config: { resourceMemoryName: '' },
      limits: { [gpu]: '1', [mem]: '3000' },
      want: {},
    },
  ];
  it.each(cases)('$name', ({ config, limits, want, wantWarnings = [] }) => {
    expect(nvidia(config).request(makeContainer({ limits }), {})).toEqual({
      ok: true,
      ...(want === undefined ? {} : { request: { ...whole, ...want } }),
      warnings: wantWarnings.map((pattern) => expect.stringMatching(pattern) as unknown),
    });
  });

  it('takes each amount from limits, else from requests', () => {
    const container = makeContainer({
      limits: { [gpu]: '2', [mem]: '1000' },
      requests: { [gpu]: '1', [mem]: '500', [cores]: '40' },
    });
    expect(nvidia().request(container, {})).toEqual({
      ok: true,
      request: { ...whole, count: 2, memory: mib(1000), corePercent: 40 },
      warnings: [],
    });
  });

  it('reads an amount by its value, in whatever decimal spelling', () => {
    const spelled = fc.nat({ max: 2000 }).chain((thousands) => {
      const amount = thousands * 1000;
      const spellings = [
        `${amount}`,
        `${thousands}k`,
        `${thousands}e3`,
        `${thousands}E+3`,
        `${amount}.0`,
        `+${amount}`,
      ];
      return fc.record({ amount: fc.constant(amount), text: fc.constantFrom(...spellings, `${amount}000m`) });
    });
    fc.assert(
      fc.property(spelled, ({ amount, text }) => {
        const read = (memory: string) =>
          nvidia().request(makeContainer({ limits: { [gpu]: '1', [mem]: memory } }), {});
        expect(read(text)).toEqual(read(String(amount)));
        expect(read(text).ok).toBe(true);
      }),
    );
  });
});
