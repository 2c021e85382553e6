import { describe, expect, it } from '@jest/globals';
import type { NvidiaConfig } from '../../src/vendors/nvidia/nvidia-settings.ts';
import type { NodeObject, TextMap } from '../../src/model/cluster-objects.ts';
import type { Discovery } from '../../src/vendors/vendor.ts';
import { gpu, nvidia } from './nvidia-config.ts';

type Config = Partial<NvidiaConfig>;

describe('discover', () => {
  const register = 'hami.io/node-nvidia-register';
  const card = '[{"id":"GPU-a","count":10,"devmem":8192,"devcore":100,"type":"NVIDIA A10","health":true}]';
  const cases: {
    name: string;
    config?: Config;
    annotations: TextMap;
    allocatable: TextMap;
    wantKind: Discovery['kind'];
  }[] = [
    {
      name: 'a node with a plugin',
      annotations: { [register]: card },
      allocatable: { [gpu]: '10' },
      wantKind: 'devices',
    },
    {
      name: 'allocatable in another spelling',
      annotations: { [register]: card },
      allocatable: { [gpu]: '1k' },
      wantKind: 'devices',
    },
    {
      name: 'a node without the annotation',
      annotations: {},
      allocatable: { [gpu]: '10' },
      wantKind: 'none',
    },
    {
      name: 'allocatable 0: the plugin is gone',
      annotations: { [register]: card },
      allocatable: { [gpu]: '0' },
      wantKind: 'unavailable',
    },
    {
      name: 'no allocatable at all',
      annotations: { [register]: card },
      allocatable: { cpu: '8' },
      wantKind: 'unavailable',
    },
    {
      name: 'allocatable of another resource name',
      config: { resourceCountName: 'hami.io/vgpu' },
      annotations: { [register]: card },
      allocatable: { [gpu]: '10' },
      wantKind: 'unavailable',
    },
    {
      name: 'an unreadable annotation',
      annotations: { [register]: '[null]' },
      allocatable: { [gpu]: '10' },
      wantKind: 'malformed',
    },
    {
      name: 'an empty annotation',
      annotations: { [register]: '' },
      allocatable: { [gpu]: '10' },
      wantKind: 'malformed',
    },
    {
      name: 'an unreadable annotation of a dead plugin',
      annotations: { [register]: '[' },
      allocatable: {},
      wantKind: 'malformed',
    },
  ];
  it.each(cases)('$name: $wantKind', ({ config, annotations, allocatable, wantKind }) => {
    const node: NodeObject = {
      name: 'n1',
      resourceVersion: '1',
      labels: {},
      annotations,
      capacity: allocatable,
      allocatable,
    };
    const discovery = nvidia(config).discover(node);
    expect(discovery.kind).toBe(wantKind);
    if (discovery.kind === 'devices') expect(discovery.devices.map(({ id }) => id)).toEqual(['GPU-a']);
    if (discovery.kind === 'unavailable')
      expect(discovery.detail).toContain(config?.resourceCountName ?? gpu);
    if (discovery.kind === 'malformed')
      expect(discovery.problem).toMatch(/^hami\.io\/node-nvidia-register: ./);
  });
});

describe('discover joins the cards with their links', () => {
  const discovered = (score: TextMap, register = `[{"id":"GPU-a"},{"id":"GPU-b","index":1}]`) =>
    nvidia().discover({
      name: 'n1',
      resourceVersion: '1',
      labels: {},
      annotations: { 'hami.io/node-nvidia-register': register, ...score },
      capacity: {},
      allocatable: { [gpu]: '10' },
    });
  const scored = (value: string) => ({ 'hami.io/node-nvidia-score': value });
  const cases: { name: string; score: TextMap; want: Readonly<Record<string, [string, number][]>> }[] = [
    { name: 'a node that says nothing of links', score: {}, want: {} },
    {
      name: 'every card has its own links',
      score: scored('[{"uuid":"GPU-b","score":{"GPU-a":7}},{"uuid":"GPU-a","score":{"GPU-b":9}}]'),
      want: { 'GPU-a': [['GPU-b', 9]], 'GPU-b': [['GPU-a', 7]] },
    },
    {
      name: 'a card that the scores leave out has none, a card that is not registered stays unknown',
      score: scored('[{"uuid":"GPU-z","score":{"GPU-a":7}},{"uuid":"GPU-b","score":{"GPU-a":7}}]'),
      want: { 'GPU-b': [['GPU-a', 7]] },
    },
  ];
  it.each(cases)('$name', ({ score, want }) => {
    const discovery = discovered(score);
    if (discovery.kind !== 'devices') throw new Error(discovery.kind);
    expect(discovery.problem).toBeUndefined();
    expect(discovery.devices.map(({ id }) => id)).toEqual(['GPU-a', 'GPU-b']);
    const linked = discovery.devices.filter(({ linkScores }) => linkScores !== undefined);
    expect(Object.fromEntries(linked.map(({ id, linkScores }) => [id, [...(linkScores ?? [])]]))).toEqual(
      want,
    );
  });

  it('joins the CSV form, too', () => {
    const discovery = discovered(scored('[{"uuid":"GPU-a","score":{"GPU-b":9}}]'), 'GPU-a,1,1,1,T,0,true:');
    expect(discovery.kind === 'devices' && discovery.devices[0]?.linkScores).toEqual(new Map([['GPU-b', 9]]));
  });

  it.each(['', '[null]', '{}', '[{"uuid":"GPU-a","score":{"GPU-b":"9"}}]'])(
    'Q26: the broken scores %j cost no card; they are reported',
    (value) => {
      expect(discovered(scored(value))).toEqual({
        ...discovered({}),
        problem: expect.stringMatching(/^hami\.io\/node-nvidia-score: ./),
      });
    },
  );

  it('reports the register, not the scores, when both are broken', () => {
    const discovery = discovered(scored('['), '[');
    expect(discovery.kind === 'malformed' && discovery.problem).toMatch(/^hami\.io\/node-nvidia-register: ./);
  });
});

describe('the row of the vendor', () => {
  it('names only resources that exist', () => {
    const none = {
      resourceMemoryName: '',
      resourceMemoryPercentageName: '',
      resourceCoreName: '',
      resourcePriorityName: '',
    };
    expect(Object.values(nvidia(none).resources)).toEqual([gpu]);
  });

  it('lists every node annotation that discover reads', () => {
    expect(nvidia().nodeAnnotations).toEqual(['hami.io/node-nvidia-register', 'hami.io/node-nvidia-score']);
  });

  it('uses the annotation keys of the protocol', () => {
    expect(nvidia().annotations).toEqual({
      allocated: 'hami.io/vgpu-devices-allocated',
      toAllocate: 'hami.io/vgpu-devices-to-allocate',
      useTypes: 'nvidia.com/use-gputype',
      avoidTypes: 'nvidia.com/nouse-gputype',
      useIds: 'nvidia.com/use-gpuuuid',
      avoidIds: 'nvidia.com/nouse-gpuuuid',
      modes: 'nvidia.com/vgpu-mode',
      numaBound: 'nvidia.com/numa-bind',
      migReservations: 'hami.io/vgpu-mig-allocations',
    });
  });
});
