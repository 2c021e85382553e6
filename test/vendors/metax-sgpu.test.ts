/** MetaX sGPUs from their publication to a Binding (vendors §8); the vectors of HAMi's own tables among them. */
import { describe, expect, it } from '@jest/globals';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { sharedNodeLock } from '../../src/vendors/node-lock.ts';
import type { Discovery } from '../../src/vendors/vendor.ts';
import { nodeObject } from '../state/support/device-states.ts';
import { makeContainer } from './make-container.ts';
import {
  appClass,
  card,
  exampleCard,
  given,
  publication,
  qosPolicy,
  type SgpuAmounts,
  sgpuLimits,
  sgpuNode,
  sgpuPod,
  sgpuVendor,
  sgpuWorld,
  topologyAware,
} from './metax-world.ts';

const count = 'metax-tech.com/sgpu';
const vmemory = 'metax-tech.com/vmemory';
const predicateTime = 'metax-tech.com/predicate-time';

describe('the vendor', () => {
  it('uses the names of the protocol', () => {
    const { key, resources, annotations, podAnnotations, nodeAnnotations } = sgpuVendor!;
    expect({ key, resources, annotations, podAnnotations, nodeAnnotations }).toEqual({
      key: 'Metax-SGPU',
      resources: { count, memory: vmemory, cores: 'metax-tech.com/vcore' },
      annotations: {
        allocated: 'hami.io/metax-sgpu-devices-allocated',
        toAllocate: 'hami.io/metax-sgpu-devices-to-allocate',
        useIds: 'metax-tech.com/use-gpuuuid',
        avoidIds: 'metax-tech.com/nouse-gpuuuid',
        reserved: [given, predicateTime],
      },
      podAnnotations: [appClass, qosPolicy, topologyAware],
      nodeAnnotations: [publication],
    });
  });

  it('takes the shared lock', () => {
    expect(sgpuVendor!.nodeLock).toBe(sharedNodeLock);
  });
});

describe('discover', () => {
  const discover = (annotations: TextMap, offered = '16'): Discovery =>
    sgpuVendor!.discover(nodeObject({ annotations, allocatable: { [count]: offered } }));
  const example = { [publication]: JSON.stringify([exampleCard]) };

  it("reads the protocol's example", () => {
    expect(discover(example)).toEqual({
      kind: 'devices',
      devices: [
        {
          id: 'GPU-123',
          vendor: 'Metax-SGPU',
          index: 0,
          type: 'Metax-SGPU',
          slots: 16,
          memoryMiB: 32_768,
          corePercent: 100,
          numa: 1,
          mode: '',
          healthy: true,
          facts: { qosPolicy: 'fixed-share', model: 'sgpu', linkZone: 0 },
        },
      ],
    });
  });

  it('takes what is left out for zero, and a card that is not said to be healthy for broken', () => {
    expect(discover({ [publication]: '[{"uuid":"GPU-1"}]' })).toMatchObject({
      devices: [{ id: 'GPU-1', slots: 0, memoryMiB: 0, corePercent: 0, numa: 0, healthy: false }],
    });
  });

  it('does not read what the plugin says is free', () => {
    const full = { ...exampleCard, availableDevCount: 0, availableCompute: 0, availableVRam: 0 };
    expect(discover({ [publication]: JSON.stringify([full]) })).toEqual(discover(example));
  });

  it('numbers cards by bus address, so that another order in the list is nothing new', () => {
    const cards = [
      card('GPU-c', { bdf: '0000:05:00.0' }),
      card('GPU-a', { bdf: '0000:44:00.0' }),
      card('GPU-b', { bdf: '0000:44:00.0' }),
    ];
    const found = discover({ [publication]: JSON.stringify(cards) });
    expect(found.kind === 'devices' && found.devices.map(({ id, index }) => `${index} ${id}`)).toEqual([
      '0 GPU-c',
      '1 GPU-a',
      '2 GPU-b',
    ]);
    expect(discover({ [publication]: JSON.stringify(cards.toReversed()) })).toEqual(found);
  });

  it.each([
    { name: 'a node that publishes nothing has none', annotations: {}, want: 'none' },
    { name: 'an empty list is no card', annotations: { [publication]: '[]' }, want: 'unavailable' },
    {
      name: 'kubelet offers nothing when the plugin is gone',
      annotations: example,
      offered: '0',
      want: 'unavailable',
    },
    { name: 'an empty text cannot be read', annotations: { [publication]: '' }, want: 'malformed' },
    { name: 'nothing is no list', annotations: { [publication]: 'null' }, want: 'malformed' },
    {
      name: 'a card needs an id',
      annotations: { [publication]: '[{"bdf":"0000:44:00.0"}]' },
      want: 'malformed',
    },
    {
      name: 'an id fits into an allocation',
      annotations: { [publication]: '[{"uuid":"GPU:1"}]' },
      want: 'malformed',
    },
    {
      name: 'an id stands once',
      annotations: { [publication]: '[{"uuid":"a"},{"uuid":"a"}]' },
      want: 'malformed',
    },
    {
      name: 'amounts are numbers',
      annotations: { [publication]: '[{"uuid":"a","totalVRam":"1"}]' },
      want: 'malformed',
    },
    {
      name: 'amounts are not negative',
      annotations: { [publication]: '[{"uuid":"a","totalVRam":-1}]' },
      want: 'malformed',
    },
  ])('$name', ({ annotations, offered, want }) => {
    expect(discover(annotations, offered).kind).toBe(want);
  });

  it('a broken publication leaves the last good cards', () => {
    const world = sgpuWorld([exampleCard]);
    world.see(sgpuNode([], { allocatable: { [count]: '16' }, annotations: { [publication]: '{' } }));
    expect(world.refusal(sgpuPod({}))).toBe('fits');
  });
});

describe('admission', () => {
  const one = sgpuLimits({ count: 1 });

  it.each([
    {
      name: 'gives a pod without a policy the default one',
      annotations: {},
      want: { [qosPolicy]: 'best-effort' },
    },
    {
      name: 'keeps a policy',
      annotations: { [qosPolicy]: 'burst-share' },
      want: { [qosPolicy]: 'burst-share' },
    },
    {
      name: 'gives an offline pod one, too',
      annotations: { [appClass]: 'offline' },
      want: { [appClass]: 'offline', [qosPolicy]: 'best-effort' },
    },
    {
      name: 'gives an online pod none',
      annotations: { [appClass]: 'online' },
      want: { [appClass]: 'online' },
    },
    {
      name: 'does not ask an online pod for its policy',
      annotations: { [appClass]: 'online', [qosPolicy]: 'best-effortx' },
      want: { [appClass]: 'online', [qosPolicy]: 'best-effortx' },
    },
    {
      name: 'takes away what the scheduler writes',
      annotations: { [qosPolicy]: 'fixed-share', [given]: '[[]]', [predicateTime]: '1' },
      want: { [qosPolicy]: 'fixed-share' },
    },
  ])('$name', ({ annotations, want }) => {
    const admitted = sgpuWorld([exampleCard]).admit({ annotations, containers: [{ limits: one }] });
    expect(admitted).toMatchObject({ metadata: { annotations: want } });
    expect((admitted as { metadata: { annotations: object } }).metadata.annotations).toEqual(want);
  });

  it('leaves a pod that asks for nothing alone', () => {
    const annotations = { [appClass]: 'batch' };
    expect(sgpuWorld([exampleCard]).admit({ annotations })).toMatchObject({ metadata: { annotations } });
  });

  it.each([
    {
      name: 'an unknown policy',
      annotations: { [qosPolicy]: 'best-effortx' },
      want: `${qosPolicy}: "best-effortx" must be one of best-effort, fixed-share, burst-share`,
    },
    {
      name: 'an unknown policy of an offline pod',
      annotations: { [appClass]: 'offline', [qosPolicy]: 'best-effortx' },
      want: `${qosPolicy}: "best-effortx" must be one of best-effort, fixed-share, burst-share`,
    },
    {
      name: 'an unknown app class',
      annotations: { [appClass]: 'oNLine' },
      want: `${appClass}: "oNLine" must be one of online, offline`,
    },
    {
      name: 'several cards for a pod with an app class',
      annotations: { [appClass]: 'online' },
      limits: sgpuLimits({ count: 2 }),
      want: `container "c0": ${count}: "2" is more than one card, which a pod with ${appClass} cannot have; write 1 or leave the annotation out`,
    },
  ])('refuses $name', ({ annotations, limits = one, want }) => {
    expect(sgpuWorld([exampleCard]).admit({ annotations, containers: [{ limits }] })).toBe(want);
  });

  it('says that a wish for topology cannot be read, and goes on', () => {
    const reading = sgpuVendor!.request(makeContainer({ limits: one }), { [topologyAware]: 'yes' });
    expect(reading).toMatchObject({
      ok: true,
      warnings: [expect.stringContaining('neither true nor false')],
    });
  });
});

describe('a request', () => {
  const mib = (memoryMiB: number) => ({ kind: 'mib', memoryMiB });
  const whole = { kind: 'percent', percent: 100 };
  const read = (amounts: SgpuAmounts, annotations: TextMap = {}) =>
    sgpuVendor!.request(makeContainer({ limits: sgpuLimits(amounts) }), annotations);

  it.each<{ name: string; amounts: SgpuAmounts; annotations?: TextMap; want: object }>([
    { name: 'one whole card', amounts: { count: 1 }, want: { count: 1, memory: whole, corePercent: 100 } },
    { name: 'two whole cards', amounts: { count: 2 }, want: { count: 2, memory: whole, corePercent: 100 } },
    {
      name: 'a part of the compute',
      amounts: { count: 1, cores: 30 },
      want: { memory: whole, corePercent: 30 },
    },
    { name: 'no compute', amounts: { count: 1, cores: 0 }, want: { memory: whole, corePercent: 0 } },
    {
      name: 'a bare number is GiB',
      amounts: { count: 1, memory: 16 },
      want: { memory: mib(16_384), corePercent: 100 },
    },
    {
      name: 'MiB',
      amounts: { count: 1, cores: 60, memory: '1024Mi' },
      want: { memory: mib(1024), corePercent: 60 },
    },
    {
      name: 'GiB',
      amounts: { count: 1, cores: 60, memory: '16Gi' },
      want: { memory: mib(16_384), corePercent: 60 },
    },
    { name: 'a memory of 0 is not given', amounts: { count: 1, memory: 0 }, want: { memory: whole } },
    {
      name: 'an online pod takes what compute is left',
      amounts: { count: 1, memory: 4 },
      annotations: { [appClass]: 'online' },
      want: { memory: mib(4096), corePercent: 0, anyCompute: true },
    },
  ])('$name', ({ amounts, annotations, want }) => {
    expect(read(amounts, annotations)).toMatchObject({
      ok: true,
      request: { vendor: 'Metax-SGPU', ...want },
    });
  });

  it.each<{ name: string; amounts: SgpuAmounts; want: string }>([
    { name: 'more compute than a card has', amounts: { count: 1, cores: 120 }, want: 'is too large' },
    { name: 'more cards than can be counted', amounts: { count: '2200000000' }, want: 'is too large' },
    {
      name: 'more memory than can be counted',
      amounts: { count: 1, memory: '2100001' },
      want: 'is too large',
    },
    {
      name: 'memory that the API server has rewritten',
      amounts: { count: 1, memory: '4k' },
      want: 'is 4000 GiB or 4000 bytes',
    },
    {
      name: 'memory without a card',
      amounts: { memory: 16 },
      want: 'is missing beside other device resources',
    },
    { name: 'less than a MiB', amounts: { count: 1, memory: '1Ki' }, want: 'is less than 1 MiB' },
  ])('is refused for $name, and reckoned with as whole cards', ({ amounts, want }) => {
    expect(read(amounts)).toMatchObject({
      ok: false,
      problems: [{ container: 'main', fix: expect.stringContaining(want) }],
      charge: { memory: whole, corePercent: 100 },
    });
  });

  it('names every fault, in the words of the author', () => {
    const reading = read({ count: 3, cores: 101, memory: 'x' });
    expect(reading.ok || reading.problems.map(({ field, value }) => `${field}=${value}`)).toEqual([
      'metax-tech.com/vcore=101',
      `${vmemory}=x`,
    ]);
    expect(reading).toMatchObject({ charge: { count: 3 } });
  });

  it('is nothing without the resources, and nothing where they are requested without a limit', () => {
    expect(read({})).toEqual({ ok: true, warnings: [] });
    const requests = sgpuLimits({ count: 1, memory: '4k' });
    expect(sgpuVendor!.request(makeContainer({ requests }), {})).toEqual({ ok: true, warnings: [] });
  });
});

describe('a Binding', () => {
  it("is the protocol's example", () => {
    const annotations = sgpuWorld([exampleCard]).bind(
      sgpuPod({ memory: 4, cores: 60 }, { [qosPolicy]: 'fixed-share' }),
    );
    expect(annotations).toMatchObject({
      'hami.io/metax-sgpu-devices-allocated': 'GPU-123,Metax-SGPU,4096,60:;',
      'hami.io/metax-sgpu-devices-to-allocate': 'GPU-123,Metax-SGPU,4096,60:;',
      [given]: '[[{"uuid":"GPU-123","compute":60,"vRam":4096}]]',
      [predicateTime]: '1700000000000000001',
    });
    expect(annotations).not.toHaveProperty([qosPolicy]);
  });

  it('of an online pod names no compute', () => {
    expect(sgpuWorld([exampleCard]).bind(sgpuPod({ memory: 4 }, { [appClass]: 'online' }))).toMatchObject({
      'hami.io/metax-sgpu-devices-allocated': 'GPU-123,Metax-SGPU,4096,0:;',
      [given]: '[[{"uuid":"GPU-123","vRam":4096}]]',
    });
  });

  it('has a list for every container, init containers first', () => {
    const limits = sgpuLimits({ count: 1, memory: 4, cores: 20 });
    const annotations = sgpuWorld([exampleCard]).bind({
      containers: [{}, { limits }, { role: 'init', limits }],
    });
    const one = '[{"uuid":"GPU-123","compute":20,"vRam":4096}]';
    expect(annotations).toMatchObject({
      'hami.io/metax-sgpu-devices-allocated': 'GPU-123,Metax-SGPU,4096,20:;;GPU-123,Metax-SGPU,4096,20:;',
      [given]: `[${one},[],${one}]`,
    });
  });

  it('gives the default policy to a pod that admission has not seen', () => {
    const world = sgpuWorld([exampleCard]);
    expect(world.bind(sgpuPod({ cores: 20, memory: 4 }, {}, 'a'))).toMatchObject({
      [qosPolicy]: 'best-effort',
    });
    expect(
      world.bind(sgpuPod({ cores: 20, memory: 4 }, { [qosPolicy]: 'best-effort' }, 'b')),
    ).not.toHaveProperty([qosPolicy]);
  });

  it('has a time of its own', () => {
    const world = sgpuWorld([card('GPU-1'), card('GPU-2')]);
    const [first, second] = ['a', 'b'].map((name) => world.bind(sgpuPod({}, {}, name))[predicateTime]);
    expect(BigInt(second ?? 0)).toBeGreaterThan(BigInt(first ?? 0));
  });

  it('counts what the amounts of a suffix come to', () => {
    const world = sgpuWorld([exampleCard]);
    world.bind(sgpuPod({ memory: '4G', cores: 10 }));
    expect(world.used()).toEqual({ 'GPU-123': '1/3814/10' });
  });
});

describe('the selection of cards', () => {
  const cards = [card('GPU-1'), card('GPU-2')];

  it.each([
    { name: 'takes a card that is named', key: 'metax-tech.com/use-gpuuuid', want: [['GPU-1']] },
    { name: 'leaves one out', key: 'metax-tech.com/nouse-gpuuuid', want: [['GPU-2']] },
  ])('$name', ({ key, want }) => {
    expect(sgpuWorld(cards).cards(sgpuPod({}, { [key]: 'GPU-1' }))).toEqual(want);
  });

  it('refuses a node without the named card', () => {
    expect(sgpuWorld(cards).refusal(sgpuPod({}, { 'metax-tech.com/use-gpuuuid': 'GPU-9' }))).toBe(
      '2 CardUuidMismatch',
    );
  });
});
