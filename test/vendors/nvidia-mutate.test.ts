import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NvidiaConfig } from '../../src/vendors/nvidia/nvidia-settings.ts';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { makeContainer } from './make-container.ts';
import { cores, gpu, mem, nvidia, percentage, priority } from './nvidia-config.ts';
import { anyLimits } from './written-amounts.ts';

type Config = Partial<NvidiaConfig>;

describe('mutate adds to the limits (spec §4.4)', () => {
  const cases: {
    name: string;
    config?: Config;
    limits: TextMap;
    wantAdded: TextMap;
    wantUsesDevices?: false;
  }[] = [
    { name: 'a bare count becomes whole cards', limits: { [gpu]: '1' }, wantAdded: { [cores]: '100' } },
    { name: 'a bare count of several too', limits: { [gpu]: '4' }, wantAdded: { [cores]: '100' } },
    { name: 'count and memory stay', limits: { [gpu]: '1', [mem]: '8192' }, wantAdded: {} },
    {
      name: 'all of the memory is a whole card',
      limits: { [gpu]: '1', [percentage]: '100' },
      wantAdded: { [cores]: '100' },
    },
    { name: 'a half of the memory is not', limits: { [gpu]: '1', [percentage]: '50' }, wantAdded: {} },
    { name: 'percent 0 is given, and not 100', limits: { [gpu]: '1', [percentage]: '0' }, wantAdded: {} },
    {
      name: 'percent 100 decides even beside memory',
      limits: { [gpu]: '1', [mem]: '8192', [percentage]: '100' },
      wantAdded: { [cores]: '100' },
    },
    { name: 'memory alone gets a count', limits: { [mem]: '3000' }, wantAdded: { [gpu]: '1' } },
    { name: 'cores alone get a count', limits: { [cores]: '30' }, wantAdded: { [gpu]: '1' } },
    {
      name: 'a half of the memory alone gets a count',
      limits: { [percentage]: '50' },
      wantAdded: { [gpu]: '1' },
    },
    {
      name: 'all of the memory alone gets a count and the cores',
      limits: { [percentage]: '100' },
      wantAdded: { [gpu]: '1', [cores]: '100' },
    },
    { name: 'count and cores stay', limits: { [gpu]: '1', [cores]: '70' }, wantAdded: {} },
    { name: 'cores 0 are given', limits: { [gpu]: '1', [cores]: '0' }, wantAdded: {} },
    { name: 'a count in another spelling', limits: { [gpu]: '1e0' }, wantAdded: { [cores]: '100' } },
    { name: 'nothing asked, nothing added', limits: {}, wantAdded: {}, wantUsesDevices: false },
    {
      name: 'other resources are none of our business',
      limits: { cpu: '4', memory: '16Gi', 'amd.com/gpu': '1' },
      wantAdded: {},
      wantUsesDevices: false,
    },
    { name: 'count 0 asks for nothing', limits: { [gpu]: '0' }, wantAdded: {}, wantUsesDevices: false },
    {
      name: 'count 0 beside memory is not overruled',
      limits: { [gpu]: '0', [mem]: '3000' },
      wantAdded: {},
      wantUsesDevices: false,
    },
    {
      name: 'priority alone asks for nothing',
      limits: { [priority]: '1' },
      wantAdded: {},
      wantUsesDevices: false,
    },
    {
      name: 'the default count is configured',
      config: { defaultGPUNum: 2 },
      limits: { [mem]: '3000' },
      wantAdded: { [gpu]: '2' },
    },
    {
      name: 'a default count of 0 adds none',
      config: { defaultGPUNum: 0 },
      limits: { [mem]: '3000' },
      wantAdded: {},
      wantUsesDevices: false,
    },
    {
      name: 'a negative default count adds none',
      config: { defaultGPUNum: -1 },
      limits: { [cores]: '30' },
      wantAdded: {},
      wantUsesDevices: false,
    },
    {
      name: 'without a memory resource every count is of whole cards',
      config: { resourceMemoryName: '' },
      limits: { [gpu]: '1', [mem]: '3000' },
      wantAdded: { [cores]: '100' },
    },
    {
      name: 'without a cores resource none is added',
      config: { resourceCoreName: '' },
      limits: { [gpu]: '1' },
      wantAdded: {},
    },
    {
      name: 'renamed resources',
      config: { resourceCountName: 'hami.io/vgpu', resourceCoreName: 'hami.io/vcores' },
      limits: { 'hami.io/vgpu': '1' },
      wantAdded: { 'hami.io/vcores': '100' },
    },
  ];
  it.each(cases)('$name', ({ config, limits, wantAdded, wantUsesDevices = true }) => {
    const mutation = nvidia(config).mutate(makeContainer({ limits }), {});
    expect(mutation.limits).toEqual(wantAdded);
    expect(mutation.usesDevices).toBe(wantUsesDevices);
  });

  it.each([
    { name: 'a count in requests', requests: { [gpu]: '1' }, wantAdded: { [cores]: '100' } },
    { name: 'count and memory in requests', requests: { [gpu]: '1', [mem]: '3000' }, wantAdded: {} },
    { name: 'count and cores in requests', requests: { [gpu]: '1', [cores]: '10' }, wantAdded: {} },
    {
      name: 'all of the memory in requests',
      requests: { [gpu]: '1', [percentage]: '100' },
      wantAdded: { [cores]: '100' },
    },
  ])('$name', ({ requests, wantAdded }) => {
    const mutation = nvidia().mutate(makeContainer({ requests }), {});
    expect(mutation).toEqual({ usesDevices: true, limits: wantAdded, env: {} });
  });
});

describe('mutate sets environment and runtime class', () => {
  const cases: {
    name: string;
    config?: Config;
    limits: TextMap;
    wantEnv?: TextMap;
    wantRuntimeClassName?: string;
  }[] = [
    { name: 'priority', limits: { [gpu]: '1', [priority]: '1' }, wantEnv: { CUDA_TASK_PRIORITY: '1' } },
    { name: 'priority 0 is the high one', limits: { [priority]: '0' }, wantEnv: { CUDA_TASK_PRIORITY: '0' } },
    {
      name: 'priority as a plain number',
      limits: { [priority]: '1e0' },
      wantEnv: { CUDA_TASK_PRIORITY: '1' },
    },
    { name: 'no priority resource', config: { resourcePriorityName: '' }, limits: { [priority]: '1' } },
    {
      name: 'core policy force',
      config: { gpuCorePolicy: 'force' },
      limits: { [gpu]: '1' },
      wantEnv: { GPU_CORE_UTILIZATION_POLICY: 'force' },
    },
    {
      name: 'core policy on containers without cards too',
      config: { gpuCorePolicy: 'disable' },
      limits: {},
      wantEnv: { GPU_CORE_UTILIZATION_POLICY: 'disable' },
    },
    { name: 'core policy default', config: { gpuCorePolicy: 'default' }, limits: { [gpu]: '1' } },
    {
      name: 'runtime class for containers with cards',
      config: { runtimeClassName: 'nvidia' },
      limits: { [gpu]: '1' },
      wantRuntimeClassName: 'nvidia',
    },
    {
      name: 'runtime class for a defaulted count',
      config: { runtimeClassName: 'nvidia' },
      limits: { [mem]: '1' },
      wantRuntimeClassName: 'nvidia',
    },
    { name: 'no runtime class without cards', config: { runtimeClassName: 'nvidia' }, limits: {} },
    {
      name: 'overwriteEnv hides the cards from containers that ask for none',
      config: { overwriteEnv: true },
      limits: {},
      wantEnv: { NVIDIA_VISIBLE_DEVICES: 'none' },
    },
    {
      name: 'overwriteEnv with count 0',
      config: { overwriteEnv: true },
      limits: { [gpu]: '0' },
      wantEnv: { NVIDIA_VISIBLE_DEVICES: 'none' },
    },
    {
      name: 'overwriteEnv leaves containers with cards alone',
      config: { overwriteEnv: true },
      limits: { [gpu]: '1' },
    },
    {
      name: 'all of them together',
      config: { overwriteEnv: true, gpuCorePolicy: 'force' },
      limits: { [priority]: '1' },
      wantEnv: {
        CUDA_TASK_PRIORITY: '1',
        GPU_CORE_UTILIZATION_POLICY: 'force',
        NVIDIA_VISIBLE_DEVICES: 'none',
      },
    },
  ];
  it.each(cases)('$name', ({ config, limits, wantEnv = {}, wantRuntimeClassName }) => {
    const { env, runtimeClassName } = nvidia(config).mutate(makeContainer({ limits }), {});
    expect({ env, runtimeClassName }).toEqual({ env: wantEnv, runtimeClassName: wantRuntimeClassName });
  });
});

describe('mutate on its own result', () => {
  const configs: Config[] = [
    {},
    { defaultGPUNum: 2, overwriteEnv: true, gpuCorePolicy: 'force', runtimeClassName: 'r' },
  ];
  it.each(configs)('says the same and adds nothing: %j', (config) => {
    const vendor = nvidia(config);
    fc.assert(
      fc.property(anyLimits, anyLimits, (limits, requests) => {
        const first = vendor.mutate(makeContainer({ limits, requests }), {});
        const after = { ...limits, ...first.limits };
        const second = vendor.mutate(makeContainer({ limits: after, requests }), {});
        expect({ ...after, ...second.limits }).toEqual(after);
        expect({ ...second, limits: {} }).toEqual({ ...first, limits: {} });
      }),
    );
  });

  it('never overwrites an amount that the user wrote', () => {
    fc.assert(
      fc.property(anyLimits, (limits) => {
        const { limits: added } = nvidia().mutate(makeContainer({ limits }), {});
        expect({ ...added, ...limits }).toEqual({ ...limits, ...added });
      }),
    );
  });
});
