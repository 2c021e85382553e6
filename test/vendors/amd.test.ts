/** AMD GPUs from their register to a Binding (vendors §14); the vectors of HAMi's own tables among them. */
import { describe, expect, it } from '@jest/globals';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { amdFamily } from '../../src/vendors/amd.ts';
import { parseNodeLock, sharedNodeLock } from '../../src/vendors/node-lock.ts';
import type { Discovery } from '../../src/vendors/vendor.ts';
import { nodeObject } from '../state/support/device-states.ts';
import {
  allocated,
  type AmdAmounts,
  amdLimits,
  amdNode,
  amdPod,
  amdVendors,
  amdWorld,
  card,
  exampleCard,
  mi300x,
  register,
} from './amd-world.ts';
import { vendorsOf } from './family-vendors.ts';
import { makeContainer } from './make-container.ts';

const [amd] = amdVendors;
const cuAllocated = 'hami.io/amd-cu-allocated';

describe('the family', () => {
  it('is one vendor, and none without a count resource', () => {
    expect(amdVendors.map(({ key, resources }) => ({ key, ...resources }))).toEqual([
      { key: 'AMD', count: 'amd.com/gpu', memory: 'amd.com/gpumem', cores: 'amd.com/gpucores' },
    ]);
    expect(vendorsOf(amdFamily, { resourceCountName: '' })).toEqual([]);
  });

  it('is off unless somebody switches it on', () => {
    expect(amdFamily.settings.properties.enabled.default).toBe(false);
  });

  it('uses the annotation keys of the protocol', () => {
    expect(amd!.annotations).toEqual({
      allocated: 'hami.io/amd-devices-allocated',
      toAllocate: 'hami.io/amd-devices-to-allocate',
      useTypes: 'amd.com/use-gputype',
      avoidTypes: 'amd.com/nouse-gputype',
      useIds: 'amd.com/use-gpu-uuid',
      avoidIds: 'amd.com/nouse-gpu-uuid',
      reserved: [cuAllocated],
    });
    expect(amd!.nodeAnnotations).toEqual([register]);
  });

  it('takes the shared lock, which names its pod, as the plugin demands', () => {
    const { nodeLock } = amd!;
    expect(nodeLock).toBe(sharedNodeLock);
    expect(nodeLock!.ownerAnnotation).toBeUndefined();
    const value = nodeLock!.format(0, { namespace: 'team-a', name: 'train' });
    expect(parseNodeLock(value)).toMatchObject({
      kind: 'owned',
      owner: { namespace: 'team-a', name: 'train' },
    });
  });
});

describe('discover', () => {
  const discover = (annotations: TextMap, allocatable: TextMap = { 'amd.com/gpu': '10' }): Discovery =>
    amd!.discover(nodeObject({ annotations, allocatable }));
  const example = { [register]: JSON.stringify([exampleCard]) };

  it("reads the protocol's example: compute is what the plugin counts, its units", () => {
    expect(discover(example)).toEqual({
      kind: 'devices',
      devices: [
        {
          id: exampleCard.id,
          vendor: 'AMD',
          index: 0,
          type: mi300x,
          slots: 10,
          memoryMiB: 196_288,
          corePercent: 304,
          numa: 0,
          mode: 'hami-core',
          healthy: true,
        },
      ],
    });
  });

  const cases: { name: string; annotations: TextMap; allocatable?: TextMap; want: Discovery['kind'] }[] = [
    { name: 'a node without a register has none', annotations: {}, want: 'none' },
    {
      name: 'a handshake is not asked about',
      annotations: { ...example, 'hami.io/node-handshake-amd': 'Requesting_2020-01-01 00:00:00' },
      want: 'devices',
    },
    {
      name: 'the cards of a plugin that is gone are away, and its register stays where it is',
      annotations: example,
      allocatable: { 'amd.com/gpu': '0' },
      want: 'unavailable',
    },
    {
      name: 'so they are where kubelet never heard of it',
      annotations: example,
      allocatable: {},
      want: 'unavailable',
    },
    {
      name: 'a plugin that sees none of its cards any more could serve nobody',
      annotations: { [register]: ' [] ' },
      want: 'unavailable',
    },
    {
      name: 'the mark of deletion that some schedulers leave is no register',
      annotations: { [register]: 'Deleted_2026-01-01 00:00:00' },
      want: 'malformed',
    },
  ];
  it.each(cases)('$name', ({ annotations, allocatable, want }) => {
    expect(discover(annotations, allocatable).kind).toBe(want);
  });
});

describe('a request (vendors §14.5)', () => {
  const percent = (amount: number) => ({ kind: 'percent', percent: amount }) as const;
  const mib = (memoryMiB: number) => ({ kind: 'mib', memoryMiB }) as const;
  const whole = { vendor: 'AMD', count: 1, memory: percent(100), corePercent: 100 };
  const read = (limits: TextMap, requests: TextMap = {}) =>
    amd!.request(makeContainer({ limits, requests }), {});

  const cases: { name: string; ask: AmdAmounts; want: object | undefined }[] = [
    { name: 'nothing', ask: {}, want: undefined },
    { name: 'a count alone: all of each GPU', ask: { count: 2 }, want: { count: 2 } },
    {
      name: 'memory without a percentage: all compute units',
      ask: { count: 1, memoryMiB: 4096 },
      want: { memory: mib(4096) },
    },
    {
      name: 'all three',
      ask: { count: 2, memoryMiB: 4096, percent: 33 },
      want: { count: 2, memory: mib(4096), corePercent: 33 },
    },
    { name: 'one percent', ask: { count: 1, percent: 1 }, want: { corePercent: 1 } },
    { name: 'count 0 asks for nothing', ask: { count: 0 }, want: undefined },
  ];
  it.each(cases)('$name', ({ ask, want }) => {
    expect(read(amdLimits(ask))).toEqual({
      ok: true,
      ...(want === undefined ? {} : { request: { ...whole, ...want } }),
      warnings: [],
    });
  });

  it('memory 0 is all of it, with a warning', () => {
    expect(read(amdLimits({ count: 1, memoryMiB: 0 }))).toEqual({
      ok: true,
      request: whole,
      warnings: [expect.stringMatching(/amd\.com\/gpumem is 0/)],
    });
  });

  it('is read from limits alone', () => {
    const requests = amdLimits({ count: 99, memoryMiB: 99, percent: 99 });
    expect(read(amdLimits({ count: 1 }), requests)).toMatchObject({ request: whole });
    expect(read({}, requests)).toEqual({ ok: true, warnings: [] });
    expect(amd!.mutate(makeContainer({ requests }), {}).usesDevices).toBe(false);
  });

  const refused: { name: string; ask: AmdAmounts; want: RegExp }[] = [
    {
      name: 'a percentage of 0',
      ask: { count: 1, percent: 0 },
      want: /^amd\.com\/gpucores is too small.*between 1 and 100/,
    },
    {
      name: 'a percentage of 101',
      ask: { count: 1, percent: 101 },
      want: /^amd\.com\/gpucores is too large.*between 1 and 100/,
    },
    {
      name: 'a part of a percent',
      ask: { count: 1, percent: '500m' },
      want: /^amd\.com\/gpucores has a fraction/,
    },
    { name: 'negative memory', ask: { count: 1, memoryMiB: -1 }, want: /^amd\.com\/gpumem is negative/ },
    {
      name: 'memory beyond 32 bits',
      ask: { count: 1, memoryMiB: 2 ** 31 },
      want: /^amd\.com\/gpumem is too large/,
    },
    {
      name: 'memory in bytes',
      ask: { count: 1, memoryMiB: '16Gi' },
      want: /^amd\.com\/gpumem .*write 16384/,
    },
    { name: 'a count beyond 32 bits', ask: { count: 2 ** 31 }, want: /^amd\.com\/gpu is too large/ },
    { name: 'memory without a count', ask: { memoryMiB: 4096 }, want: /^amd\.com\/gpu is missing/ },
    { name: 'compute without a count', ask: { percent: 50 }, want: /^amd\.com\/gpu is missing/ },
  ];
  it.each(refused)(
    '$name is a problem of the pod, which HAMi takes for one without GPUs',
    ({ ask, want }) => {
      const world = amdWorld([exampleCard]);
      expect(world.problems(amdPod(ask))).toEqual([expect.stringMatching(want)]);
      expect(world.admit(amdPod(ask))).toEqual(expect.stringMatching(/amd\.com/));
    },
  );
});

describe('the containers of a pod together (vendors §14.11)', () => {
  const asks = { limits: amdLimits({ count: 1, memoryMiB: 1000, percent: 10 }) };
  const several =
    /^amd\.com\/gpu is asked for beside container "c0", but the device plugin serves one container/;
  const held = /^amd\.com\/gpu is asked for by an init container/;
  const cases: { name: string; containers: readonly object[]; want: readonly RegExp[] }[] = [
    { name: 'one container of several may ask for GPUs', containers: [{}, asks, {}], want: [] },
    { name: 'a sidecar may, too', containers: [{ role: 'sidecar', ...asks }, {}], want: [] },
    {
      name: 'two may not: the plugin forgets the pod after the first',
      containers: [asks, asks],
      want: [several],
    },
    {
      name: 'a sidecar and an app are two',
      containers: [{ role: 'sidecar', ...asks }, asks],
      want: [several],
    },
    {
      name: 'an init container may not: the plugin keeps its compute units until the pod ends',
      containers: [{ role: 'init', ...asks }, {}],
      want: [held],
    },
    {
      name: 'an init container beside an app is both',
      containers: [{ role: 'init', ...asks }, asks],
      want: [held, several],
    },
  ];
  it.each(cases)('$name', ({ containers, want }) => {
    expect(amdWorld([exampleCard]).problems({ containers })).toEqual(
      want.map((pattern) => expect.stringMatching(pattern) as unknown),
    );
  });

  it('are named in the denial', () => {
    const containers = [
      { name: 'a', ...asks },
      { name: 'b', ...asks },
    ];
    expect(amdWorld([exampleCard]).admit({ containers })).toMatch(
      /container "b": amd\.com\/gpu: "1" is asked for beside container "a"/,
    );
  });
});

describe('admission', () => {
  it('makes a pod ours and adds nothing else', () => {
    const pod = { ...amdPod({ count: 1 }), schedulerName: 'default-scheduler' };
    expect(amdWorld([exampleCard]).admit(pod)).toMatchObject({
      spec: {
        schedulerName: 'tessera-scheduler',
        containers: [{ resources: { limits: { 'amd.com/gpu': '1' } } }],
      },
    });
  });

  it("takes a tenant's own note of compute units away: it would take them from others", () => {
    const pod = { ...amdPod({ count: 1 }), annotations: { [cuAllocated]: '{"a":"0-303"}', note: 'kept' } };
    expect(amdWorld([exampleCard]).admit(pod)).toMatchObject({ metadata: { annotations: { note: 'kept' } } });
    expect(JSON.stringify(amdWorld([exampleCard]).admit(pod))).not.toContain(cuAllocated);
  });
});

describe('fit (vendors §14.6)', () => {
  const part = { count: 1, memoryMiB: 100, percent: 10 };
  const used = (memoryMiB: number, percent: number) => amdPod({ count: 1, memoryMiB, percent }, 'earlier');
  const cases: {
    name: string;
    cards: readonly object[];
    earlier?: ReturnType<typeof amdPod>;
    ask: AmdAmounts;
    annotations?: TextMap;
    want: string;
  }[] = [
    { name: 'a part of a card', cards: [card('a')], ask: part, want: 'fits' },
    { name: 'an unhealthy card', cards: [card('a', { health: false })], ask: part, want: '1 CardNotHealth' },
    {
      name: 'memory in use',
      cards: [card('a', { devmem: 1000 })],
      earlier: used(900, 1),
      ask: { count: 1, memoryMiB: 500, percent: 10 },
      want: '1 CardInsufficientMemory',
    },
    {
      name: 'all memory where none is named',
      cards: [card('a')],
      earlier: used(1, 1),
      ask: { count: 1, percent: 10 },
      want: '1 CardInsufficientMemory',
    },
    {
      name: 'compute units in use',
      cards: [card('a', { devcore: 10 })],
      earlier: used(1, 90),
      ask: { count: 1, memoryMiB: 100, percent: 20 },
      want: '1 CardInsufficientCore',
    },
    {
      name: 'the rest of the units',
      cards: [card('a', { devcore: 10 })],
      earlier: used(1, 90),
      ask: { count: 1, memoryMiB: 100, percent: 10 },
      want: 'fits',
    },
    {
      name: '100 percent of a card that is used by anybody: no unit may be missing',
      cards: [card('a', { devcore: 100 })],
      earlier: used(1, 1),
      ask: { count: 1, memoryMiB: 100 },
      want: '1 CardInsufficientCore',
    },
    {
      name: 'a card that publishes no unit has none to give, not even one',
      cards: [card('a', { devcore: 0 })],
      ask: { count: 1, memoryMiB: 100, percent: 1 },
      want: '1 CardInsufficientCore',
    },
    {
      name: 'slots in use',
      cards: [card('a', { count: 1 })],
      earlier: used(1, 1),
      ask: part,
      want: '1 CardTimeSlicingExhausted',
    },
    {
      name: 'mutex wants an idle card',
      cards: [card('a')],
      earlier: used(1, 1),
      ask: part,
      annotations: { 'hami.io/gpu-scheduler-policy': 'mutex' },
      want: '1 ExclusiveDeviceAllocateConflict',
    },
    {
      name: 'more cards than there are',
      cards: [card('a')],
      ask: { count: 2 },
      want: 'NodeInsufficientDevice',
    },
    {
      name: 'a card whose product name says nothing of AMD is one of its register all the same',
      cards: [card('a', { type: 'Instinct' })],
      ask: part,
      want: 'fits',
    },
  ];
  it.each(cases)('$name: $want', ({ cards, earlier, ask, annotations = {}, want }) => {
    const world = amdWorld(cards);
    if (earlier !== undefined) world.bind(earlier);
    expect(world.refusal({ ...amdPod(ask), annotations })).toBe(want);
  });

  it.each([
    { name: 'a quarter of 304 units (vendors §14.8)', units: 304, percent: 25, want: 76 },
    { name: 'half of a hundred', units: 100, percent: 50, want: 50 },
    { name: 'a third, rounded down', units: 64, percent: 33, want: 21 },
    { name: 'at least one', units: 64, percent: 1, want: 1 },
    { name: 'all of them', units: 64, percent: 100, want: 64 },
    { name: 'one of one', units: 1, percent: 50, want: 1 },
  ])('a percentage comes to $want: $name', ({ units, percent, want }) => {
    const world = amdWorld([card('a', { devcore: units })]);
    world.bind(amdPod({ count: 1, memoryMiB: 100, percent }));
    expect(world.used()).toEqual({ a: `1/100/${want}` });
  });

  it('a percentage is of each card by itself', () => {
    const world = amdWorld([card('a', { devcore: 10 }), card('b', { index: 1, devcore: 100 })]);
    world.bind(amdPod({ count: 2, memoryMiB: 500, percent: 50 }));
    expect(world.used()).toEqual({ a: '1/500/5', b: '1/500/50' });
  });

  it('takes whole cards, memory and units', () => {
    const world = amdWorld([
      card('a', { devmem: 1000, devcore: 100 }),
      card('b', { index: 1, devmem: 1000, devcore: 100 }),
    ]);
    expect(world.bind(amdPod({ count: 2 }))[allocated]).toBe(`b,${mi300x},1000,100:a,${mi300x},1000,100:;`);
  });
});

describe('selection (vendors §14.9): keys with a hyphen in `uuid`', () => {
  const types = (type: string) => [
    card('a', { type }),
    card('b', { index: 1, type: 'AMD Radeon PRO W7900' }),
  ];
  const cases: { name: string; type?: string; annotations: TextMap; want: string | readonly string[] }[] = [
    { name: 'nothing', annotations: {}, want: ['b'] },
    { name: 'a type to use', annotations: { 'amd.com/use-gputype': 'mi300' }, want: ['a'] },
    {
      name: 'a type nobody has',
      annotations: { 'amd.com/use-gputype': 'MI250' },
      want: '2 CardTypeMismatch',
    },
    { name: 'a type to avoid', annotations: { 'amd.com/nouse-gputype': 'Radeon' }, want: ['a'] },
    {
      name: 'a type to avoid that nobody has',
      annotations: { 'amd.com/nouse-gputype': 'MI250' },
      want: ['b'],
    },
    { name: 'a blank list to avoid', annotations: { 'amd.com/nouse-gputype': '   ' }, want: ['b'] },
    { name: 'a trailing comma', annotations: { 'amd.com/nouse-gputype': 'Radeon,' }, want: ['a'] },
    {
      name: 'commas alone, which HAMi takes for "none"',
      annotations: { 'amd.com/use-gputype': ', ' },
      want: ['b'],
    },
    { name: 'an id to use', annotations: { 'amd.com/use-gpu-uuid': 'a' }, want: ['a'] },
    { name: 'an id nobody has', annotations: { 'amd.com/use-gpu-uuid': 'A' }, want: '2 CardUuidMismatch' },
    { name: 'an id to avoid', annotations: { 'amd.com/nouse-gpu-uuid': 'b' }, want: ['a'] },
    {
      name: 'the spelling of other families means nothing',
      annotations: { 'amd.com/use-gpuuuid': 'a' },
      want: ['b'],
    },
    { name: 'an index means nothing', annotations: { 'amd.com/gpu-index': '0' }, want: ['b'] },
  ];
  it.each(cases)('$name', ({ annotations, want }) => {
    const world = amdWorld(types(mi300x));
    const pod = { ...amdPod({ count: 1, memoryMiB: 100, percent: 10 }), annotations };
    expect(typeof want === 'string' ? world.refusal(pod) : world.cards(pod)[0]).toEqual(want);
  });
});

describe('a Binding (vendors §14.8)', () => {
  const quarter = { count: 1, memoryMiB: 20_000, percent: 25 };
  const written = `${exampleCard.id},${mi300x},20000,76:;`;

  it("is the protocol's worked example, twice", () => {
    expect(amdWorld([exampleCard]).bind(amdPod(quarter))).toMatchObject({
      'hami.io/amd-devices-allocated': written,
      'hami.io/amd-devices-to-allocate': written,
      'hami.io/bind-phase': 'allocating',
      'hami.io/vgpu-node': 'n1',
    });
  });

  it('says nothing of compute units, which are for the plugin to note', () => {
    const pod = { ...amdPod(quarter), annotations: { [cuAllocated]: '{"a":"0-75"}' } };
    expect(amdWorld([exampleCard]).bind(pod)).not.toHaveProperty([cuAllocated]);
  });

  it('has a place for every container, which the plugin skips where it is empty', () => {
    const world = amdWorld([exampleCard]);
    const annotations = world.bind({ containers: [{}, { limits: amdLimits(quarter) }, {}] });
    expect(annotations[allocated]).toBe(`;${written};`);
  });

  it.each([
    { type: 'AMD Instinct, MI300X', want: 'AMD Instinct  MI300X' },
    { type: 'AMD:MI300X;OAM', want: 'AMD MI300X OAM' },
    { type: ',,', want: ' ' },
  ])('writes the product name $type so that the plugin can read the rest', ({ type, want }) => {
    const world = amdWorld([card('a', { type })]);
    expect(world.bind(amdPod(quarter))[allocated]).toBe(`a,${want},20000,76:;`);
    expect(world.used()).toEqual({ a: '1/20000/76' });
  });
});

describe('a plugin that dies', () => {
  it('takes its cards with it and brings them back, without coming and going in between', () => {
    const world = amdWorld([exampleCard]);
    world.bind(amdPod({ count: 1, memoryMiB: 1000, percent: 10 }));
    world.see(amdNode([exampleCard], { resourceVersion: '2', allocatable: { 'amd.com/gpu': '0' } }));
    expect(world.refusal(amdPod({ count: 1 }, 'next'))).toBe('NodeUnregistered');
    world.see(amdNode([exampleCard], { resourceVersion: '3' }));
    expect(world.used()).toEqual({ [exampleCard.id]: '1/1000/30' });
  });
});
