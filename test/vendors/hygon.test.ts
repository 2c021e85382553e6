/** Hygon DCUs from what their plugin publishes to what it reads back (vendors §4). */
import { describe, expect, it } from '@jest/globals';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import type { Device } from '../../src/model/device.ts';
import type { DeviceRequest } from '../../src/model/request.ts';
import { plan } from '../../src/placement/planner.ts';
import { policiesFrom } from '../../src/placement/policy-defaults.ts';
import { type HygonConfig, hygonFamily } from '../../src/vendors/hygon.ts';
import { sharedNodeLock } from '../../src/vendors/node-lock.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import type { NodeFields, PodFields } from '../support/kubernetes-objects.ts';
import { nodeObject, podObject } from '../state/support/device-states.ts';
import { defaultVendorsConfig } from './default-config.ts';
import { makeContainer } from './make-container.ts';
import { VendorWorld } from './vendor-world.ts';

const registerKey = 'hami.io/node-dcu-register';
const handshakeKey = 'hami.io/node-handshake-dcu';
const dcunum = 'hygon.com/dcunum';
const dcumem = 'hygon.com/dcumem';
const dcucores = 'hygon.com/dcucores';

function hygonVendors(changes: Partial<HygonConfig> = {}) {
  return hygonFamily.make({ ...defaultVendorsConfig().hygon, enabled: true, ...changes });
}

const vendors = hygonVendors();
const [dcu] = vendors;
if (dcu === undefined) throw new Error('no vendor');

interface CardFields {
  readonly id?: string;
  readonly count?: number;
  readonly memoryMiB?: number;
  readonly type?: string;
  readonly healthy?: boolean;
}

const card = (index: number) => `DCU-T6N0${index + 1}`;

/** A register as the plugin writes it: nine fields a card. */
function registerOf(cards: readonly CardFields[]): string {
  return cards
    .map(({ id, count = 4, memoryMiB = 32_752, type = 'DCU-K100_AI', healthy = true }, index) =>
      [id ?? card(index), count, memoryMiB, 100, type, 0, healthy, index, 'hami'].join(','),
    )
    .map((record) => `${record}:`)
    .join('');
}

function nodeWith(cards: readonly CardFields[], fields: NodeFields = {}): NodeFields {
  return {
    name: 'n1',
    annotations: { [registerKey]: registerOf(cards) },
    allocatable: { [dcunum]: String(4 * cards.length) },
    ...fields,
  };
}

const twoCards = nodeWith([{}, {}]);
const asked = (count: number, memory?: number, cores?: number): TextMap => ({
  [dcunum]: String(count),
  ...(memory === undefined ? {} : { [dcumem]: String(memory) }),
  ...(cores === undefined ? {} : { [dcucores]: String(cores) }),
});
const asking = (...amounts: Parameters<typeof asked>): PodFields => ({
  containers: [{ limits: asked(...amounts) }],
});
/** A pod that another scheduler bound. */
const bound = (name: string, allocated: string, limits: TextMap): PodFields => ({
  name,
  nodeName: 'n1',
  containers: [{ limits }],
  annotations: { 'hami.io/vgpu-node': 'n1', 'hami.io/dcu-devices-allocated': allocated },
});

describe('the block of the configuration', () => {
  it('is off by default, with the names of HAMi’s chart', () => {
    expect(defaultVendorsConfig().hygon).toEqual({
      enabled: false,
      resourceCountName: dcunum,
      resourceMemoryName: dcumem,
      resourceCoreName: dcucores,
      memoryFactor: 1,
    });
  });

  it('makes no vendor without a count resource', () => {
    expect(hygonVendors({ resourceCountName: '' })).toEqual([]);
  });

  it('shares the lock of HAMi’s plugins', () => {
    expect(dcu.nodeLock).toBe(sharedNodeLock);
  });
});

describe('what the plugin publishes (vendors §1.2, §4.2)', () => {
  const found = (register: string) =>
    dcu.discover(nodeObject({ annotations: { [registerKey]: register }, allocatable: { [dcunum]: '4' } }));
  const base: Device = {
    id: 'test-0',
    vendor: 'DCU',
    index: 0,
    type: 'DCU',
    slots: 1,
    memoryMiB: 1024,
    corePercent: 100,
    numa: 0,
    mode: 'hami-core',
    healthy: true,
  };

  const readable: { name: string; register: string; want: readonly Partial<Device>[] }[] = [
    {
      name: 'cards of nine fields',
      register:
        'DCU-T6N01,4,32752,100,DCU-K100_AI,0,true,0,hami:DCU-T6N02,4,32752,100,DCU-K100_AI,0,true,1,hami:',
      want: [0, 1].map((index) => ({
        id: card(index),
        index,
        type: 'DCU-K100_AI',
        slots: 4,
        memoryMiB: 32_752,
        mode: 'hami',
      })),
    },
    {
      name: 'a mode of any name',
      register: 'test-0,1,1024,100,DCU,0,true,0,test:',
      want: [{ mode: 'test' }],
    },
    { name: 'cards of seven fields', register: 'test-0,1,1024,100,DCU,0,true:', want: [{}] },
    {
      name: 'cards of both kinds with empty pieces between',
      register: ':b,1,1024,100,DCU,0,true,3,hami::a,1,1024,100,DCU,0,false:',
      want: [
        { id: 'a', healthy: false },
        { id: 'b', index: 3, mode: 'hami' },
      ],
    },
    {
      // The reference finds only cards whose model names the family; each card of this register is one of it.
      name: 'a model that does not name the family',
      register: 'test-0,1,1024,100,K100_AI,0,true,0,hami:',
      want: [{ type: 'K100_AI', mode: 'hami' }],
    },
  ];
  it.each(readable)('$name', ({ register, want }) => {
    expect(found(register)).toEqual({
      kind: 'devices',
      devices: want.map((changes) => ({ ...base, ...changes })),
    });
  });

  const broken = [
    { name: 'an empty value', register: '' },
    { name: 'no card', register: ':' },
    { name: 'five fields', register: 'test-0,1,1024,100,DCU:' },
    { name: 'eight fields', register: 'test-0,1,1024,100,DCU,0,true,0:' },
    { name: 'a word for a number', register: 'test-0,four,1024,100,DCU,0,true,0,hami:' },
    { name: 'a word for health', register: 'test-0,4,1024,100,DCU,0,well,0,hami:' },
    { name: 'a card twice', register: 'a,4,1024,100,DCU,0,true,0,hami:a,4,1024,100,DCU,0,true,1,hami:' },
    { name: 'one good card and one bad', register: 'a,4,1024,100,DCU,0,true,0,hami:b,4:' },
  ];
  it.each(broken)('$name is not readable, as a whole', ({ register }) => {
    expect(found(register)).toMatchObject({
      kind: 'malformed',
      problem: expect.stringMatching(/^hami\.io\/node-dcu-register: ./),
    });
  });

  it('stays as it was while what is written cannot be read', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    world.bind(asking(1, 2000, 60));
    world.see({ ...twoCards, annotations: { [registerKey]: 'a,4:' } });
    expect(world.used()).toEqual({ [card(0)]: '0/0/0', [card(1)]: '1/2000/60' });
  });

  it('is no card where nothing is written, whatever kubelet says', () => {
    expect(dcu.discover(nodeObject({ allocatable: { [dcunum]: '4' } }))).toEqual({ kind: 'none' });
  });
});

describe('whether the plugin is alive (vendors §4.3)', () => {
  const handshakes = [
    { name: 'a fresh report', handshake: 'Reported 2026-08-21 06:20:39.000000001 +0000 UTC m=+30.1' },
    { name: 'a question of long ago', handshake: 'Requesting_2025-01-07 00:00:00' },
    { name: 'a question without a time', handshake: 'Requesting' },
    { name: 'an unknown word', handshake: 'Unknown' },
    { name: 'none', handshake: undefined },
  ];
  it.each(handshakes)('is not told by the handshake: $name', ({ handshake }) => {
    const annotations = {
      ...twoCards.annotations,
      ...(handshake === undefined ? {} : { [handshakeKey]: handshake }),
    };
    const kindWith = (allocatable: TextMap) =>
      dcu.discover(nodeObject({ ...twoCards, annotations, allocatable })).kind;
    expect(kindWith({ [dcunum]: '8' })).toBe('devices');
    expect(kindWith({ [dcunum]: '0' })).toBe('unavailable');
  });

  it('is told by kubelet: a dead plugin’s cards stay away, though register and handshake change', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    world.bind(asking(1, 2000, 60));
    const dead = { ...twoCards, allocatable: { [dcunum]: '0' } };
    const seen = [
      dead,
      { ...dead, annotations: { ...twoCards.annotations, [handshakeKey]: 'Requesting_2025-01-07 00:00:00' } },
      // What the reference does to a dead plugin; then it believes the register again for a minute.
      { ...dead, annotations: { ...twoCards.annotations } },
      nodeWith([{ memoryMiB: 1 }], { allocatable: dead.allocatable }),
    ];
    for (const node of seen) {
      world.see(node);
      expect(world.used()).toEqual({});
      expect(world.refusal(asking(1, 2000, 30))).toBe('NodeUnregistered');
    }
    world.see(twoCards);
    expect(world.used()).toEqual({ [card(0)]: '0/0/0', [card(1)]: '1/2000/60' });
  });
});

describe('what a container asks for (vendors §4.5)', () => {
  const base: DeviceRequest = {
    vendor: 'DCU',
    count: 1,
    memory: { kind: 'mib', memoryMiB: 1024 },
    corePercent: 1,
  };
  const whole = { kind: 'percent', percent: 100 } as const;
  const understood: {
    name: string;
    limits: TextMap;
    requests?: TextMap;
    memoryFactor?: number;
    want?: Partial<DeviceRequest>;
    wantWarnings?: readonly RegExp[];
  }[] = [
    { name: 'nothing', limits: { cpu: '1' } },
    { name: 'a count of 0', limits: asked(0) },
    {
      name: 'all three in limits and requests',
      limits: asked(1, 1024, 1),
      requests: asked(1, 1024, 1),
      want: {},
    },
    { name: 'amounts in requests alone', limits: asked(1), requests: asked(1, 1024, 1), want: {} },
    { name: 'no memory: all of it', limits: asked(1, undefined, 1), want: { memory: whole } },
    { name: 'no compute: all of it, alone', limits: asked(1, 1024), want: { corePercent: 100 } },
    { name: 'a count alone: a whole card', limits: asked(1), want: { memory: whole, corePercent: 100 } },
    { name: 'compute 0: none is reserved', limits: asked(1, 1024, 0), want: { corePercent: 0 } },
    {
      name: 'more compute than a card has',
      limits: asked(1, 1024, 120),
      want: { corePercent: 100 },
      wantWarnings: [/dcucores is 120, taken as 100/],
    },
    {
      name: 'memory in larger units',
      limits: asked(1, 2, 1),
      memoryFactor: 1024,
      want: { memory: { kind: 'mib', memoryMiB: 2048 } },
    },
    { name: 'a factor of 0, which is none', limits: asked(1, 1024, 1), memoryFactor: 0, want: {} },
    {
      name: 'shares of several cards, of which the plugin bounds none',
      limits: asked(2, 1024, 1),
      want: { count: 2 },
      wantWarnings: [/bounds memory and compute of a single DCU only; on 2 DCUs/],
    },
    {
      name: 'several cards with all their compute',
      limits: asked(2, 1024),
      want: { count: 2, corePercent: 100 },
    },
    {
      name: 'several cards with all their memory',
      limits: asked(2, undefined, 1),
      want: { count: 2, memory: whole },
    },
  ];
  it.each(understood)('$name', ({ limits, requests = {}, memoryFactor = 1, want, wantWarnings = [] }) => {
    const [vendor] = hygonVendors({ memoryFactor });
    expect(vendor?.request(makeContainer({ limits, requests }), {})).toEqual({
      ok: true,
      ...(want === undefined ? {} : { request: { ...base, ...want } }),
      warnings: wantWarnings.map((pattern) => expect.stringMatching(pattern) as unknown),
    });
  });

  const refused: { name: string; limits: TextMap; memoryFactor?: number; wantProblem: RegExp }[] = [
    {
      name: 'memory in bytes',
      limits: { ...asked(1), [dcumem]: '16Gi' },
      wantProblem: /^hygon\.com\/dcumem .*write 16384$/,
    },
    {
      name: 'memory with a fraction',
      limits: { ...asked(1), [dcumem]: '1.5' },
      wantProblem: /dcumem has a fraction/,
    },
    {
      name: 'memory that the factor makes too large',
      limits: asked(1, 3_000_000),
      memoryFactor: 1024,
      wantProblem: /dcumem is too large; .*units of 1024 MiB between 0 and 2097151$/,
    },
    {
      name: 'more cards than are countable',
      limits: asked(2_200_000_000),
      wantProblem: /dcunum is too large/,
    },
    { name: 'fewer cards than none', limits: asked(-1), wantProblem: /dcunum is negative/ },
    { name: 'negative compute', limits: asked(1, 1024, -1), wantProblem: /dcucores is negative/ },
    { name: 'amounts of no card', limits: { [dcumem]: '1024' }, wantProblem: /dcunum is missing/ },
  ];
  it.each(refused)('refuses $name', ({ limits, memoryFactor = 1, wantProblem }) => {
    const [vendor] = hygonVendors({ memoryFactor });
    const reading = vendor?.request(makeContainer({ limits }), {});
    if (reading?.ok !== false) throw new Error('understood');
    expect(reading.problems.map(({ field, fix }) => `${field} ${fix}`)).toEqual([
      expect.stringMatching(wantProblem),
    ]);
    expect(reading.charge).toMatchObject({ memory: whole, corePercent: 100 });
  });

  it('is left as it is by admission, which denies what it does not understand', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    expect(world.admit(asking(1, 2000))).toMatchObject({
      spec: { containers: [{ resources: { limits: asked(1, 2000) } }] },
    });
    expect(world.admit({ containers: [{ limits: asked(1, 2000, -1) }] })).toMatch(
      /dcucores: "-1" is negative/,
    );
  });
});

describe('selection by model and id (vendors §1.7, §4.9)', () => {
  const cases: { annotations: TextMap; type?: string; want: string }[] = [
    { annotations: { 'hygon.com/use-dcutype': 'dcu' }, type: 'dcu', want: 'fits' },
    { annotations: { 'hygon.com/use-dcutype': 'dcu' }, type: 'test', want: '1 CardTypeMismatch' },
    { annotations: {}, type: 'dcu', want: 'fits' },
    { annotations: { 'hygon.com/use-dcutype': 'dcu,test' }, type: 'dcu', want: 'fits' },
    { annotations: { 'hygon.com/nouse-dcutype': 'dcu' }, type: 'dcu', want: '1 CardTypeMismatch' },
    { annotations: { 'hygon.com/nouse-dcutype': 'test,dcu' }, type: 'test', want: '1 CardTypeMismatch' },
    { annotations: { 'hygon.com/nouse-dcutype': 'dcu' }, type: 'test', want: 'fits' },
    { annotations: { 'hygon.com/use-dcutype': '' }, type: 'dcu', want: 'fits' },
    { annotations: { 'hygon.com/nouse-dcutype': '' }, type: 'dcu', want: 'fits' },
    { annotations: { 'hygon.com/nouse-dcutype': '   ' }, type: 'dcu', want: 'fits' },
    { annotations: { 'hygon.com/use-dcutype': 'k100' }, want: 'fits' },
    { annotations: { 'hygon.com/use-dcutype': 'Z100' }, want: '1 CardTypeMismatch' },
    { annotations: { 'hygon.com/use-gpuuuid': `other, ${card(0)}` }, want: 'fits' },
    { annotations: { 'hygon.com/use-gpuuuid': card(1) }, want: '1 CardUuidMismatch' },
    { annotations: { 'hygon.com/nouse-gpuuuid': card(0) }, want: '1 CardUuidMismatch' },
    { annotations: { 'hygon.com/use-gpuuuid': 'DCU-T6N' }, want: '1 CardUuidMismatch' },
  ];
  it.each(cases)('$annotations on $type: $want', ({ annotations, type, want }) => {
    const node = nodeWith([type === undefined ? {} : { type }]);
    const world = new VendorWorld({ vendors, nodes: [node] });
    expect(world.refusal({ ...asking(1, 512, 50), annotations })).toBe(want);
  });
});

describe('where a share fits (vendors §1.6, §4.6)', () => {
  const small = { memoryMiB: 1280 };
  const cases: {
    name: string;
    cards: readonly CardFields[];
    bound?: readonly PodFields[];
    pod: PodFields;
    want: string;
  }[] = [
    { name: 'an empty card', cards: [small], pod: asking(1, 512, 50), want: 'fits' },
    {
      name: 'more memory than a card has',
      cards: [{ memoryMiB: 128 }],
      pod: asking(1, 512, 50),
      want: '1 CardInsufficientMemory',
    },
    {
      name: 'compute that is all given',
      cards: [small],
      bound: [bound('p', `${card(0)},DCU,0,100:;`, asked(1, 0, 100))],
      pod: asking(1, 512, 50),
      want: '1 CardInsufficientCore',
    },
    {
      name: 'a card that as many share as may',
      cards: [{ ...small, count: 1 }],
      bound: [asking(1, 100, 10)],
      pod: asking(1, 512, 50),
      want: '1 CardTimeSlicingExhausted',
    },
    {
      name: 'more compute than there is, which is all of it',
      cards: [small],
      pod: asking(1, 512, 120),
      want: 'fits',
    },
    {
      name: 'all compute beside somebody without any',
      cards: [small],
      bound: [asking(1, 100, 0)],
      pod: asking(1, 512, 100),
      want: '1 ExclusiveDeviceAllocateConflict',
    },
    {
      name: 'no compute where all is given',
      cards: [small],
      bound: [asking(1, 100, 100)],
      pod: asking(1, 512, 0),
      want: '1 CardComputeUnitsExhausted',
    },
    {
      name: 'two of one card',
      cards: [small],
      pod: asking(2, 512, 20),
      want: 'NodeInsufficientDevice',
    },
    {
      name: 'two where one is too full',
      cards: [small, small],
      bound: [asking(1, 1000, 10)],
      pod: asking(2, 512, 20),
      want: '1 CardInsufficientMemory',
    },
    {
      name: 'a card in use, for a pod that wants one alone',
      cards: [small],
      bound: [asking(1, 100, 10)],
      pod: { ...asking(1, 64, 50), annotations: { 'hami.io/gpu-scheduler-policy': 'mutex' } },
      want: '1 ExclusiveDeviceAllocateConflict',
    },
    {
      name: 'an ill card',
      cards: [{ ...small, healthy: false }],
      pod: asking(1, 512, 50),
      want: '1 CardNotHealth',
    },
    {
      name: 'a request without compute, which is one for a card alone',
      cards: [{}],
      bound: [asking(1, 1000, 10)],
      pod: asking(1, 1000),
      want: '1 CardInsufficientCore',
    },
    {
      name: 'anybody beside a request without compute',
      cards: [{}],
      bound: [asking(1, 1000)],
      pod: asking(1, 1000, 1),
      want: '1 CardInsufficientCore',
    },
    {
      name: 'whole cards where all memory is free but one share',
      cards: [{}, {}],
      bound: [asking(1, 1, 0)],
      pod: asking(2, undefined, 10),
      want: '1 CardInsufficientMemory',
    },
  ];
  it.each(cases)('$name: $want', ({ cards, bound: before = [], pod, want }) => {
    const world = new VendorWorld({ vendors, nodes: [nodeWith(cards)] });
    for (const [index, one] of before.entries()) {
      if (one.nodeName === undefined) world.bind({ ...one, name: `bound-${index}` });
      else expect(world.take(one)).toEqual([]);
    }
    expect(world.refusal(pod)).toBe(want);
  });

  it('keeps to what kubelet counts, whatever the cards have', () => {
    const world = new VendorWorld({ vendors, nodes: [{ ...twoCards, allocatable: { [dcunum]: '1' } }] });
    expect(world.refusal(asking(1, 100, 10))).toBe('fits');
    expect(world.refusal(asking(2, 100, 10))).toBe('NodeCountExhausted');
  });

  it('weighs a card with the request on it, though its type is not the family’s word', () => {
    const world = new VendorWorld({
      vendors,
      nodes: [nodeWith([{ memoryMiB: 32_000 }, { memoryMiB: 8_000 }])],
    });
    world.take(bound('a', `${card(0)},DCU,10000,10:;`, asked(1, 10_000, 10)));
    world.take(bound('b', `${card(1)},DCU,2400,10:;`, asked(1, 2_400, 10)));
    // Without the request the small card is the emptier one; with it, the large one is.
    expect(world.cards(asking(1, 4_000, 10))).toEqual([[card(0)]]);
  });
});

describe('what a Binding brings the plugin (vendors §1.9, §4.8)', () => {
  const key = 'hami.io/dcu-devices-allocated';
  const written = (pod: PodFields, node: NodeFields = twoCards) => {
    const world = new VendorWorld({ vendors, nodes: [node] });
    const annotations = world.bind(pod);
    expect(annotations['hami.io/dcu-devices-to-allocate']).toBe(annotations[key]);
    return annotations[key];
  };
  const share = { limits: asked(1, 2000, 60) };
  const cases: { name: string; pod: PodFields; want: string | undefined }[] = [
    {
      name: 'the word of the family, not the model',
      pod: { containers: [share] },
      want: `${card(1)},DCU,2000,60:;`,
    },
    {
      name: 'a place for every container',
      pod: { containers: [{ limits: asked(1, 2000, 60) }, {}, { limits: asked(2, 1000, 30) }] },
      want: `${card(1)},DCU,2000,60:;;${card(0)},DCU,1000,30:${card(1)},DCU,1000,30:;`,
    },
    { name: 'an empty place in front', pod: { containers: [{}, share] }, want: `;${card(1)},DCU,2000,60:;` },
    {
      name: 'init containers first',
      pod: { containers: [{ role: 'init' }, share] },
      want: `;${card(1)},DCU,2000,60:;`,
    },
    {
      name: 'an init container’s own card',
      pod: { containers: [{ role: 'init', limits: asked(1, 500, 10) }, share] },
      want: `${card(1)},DCU,500,10:;${card(1)},DCU,2000,60:;`,
    },
    { name: 'all of a card', pod: asking(1), want: `${card(1)},DCU,32752,100:;` },
    { name: 'nothing for a pod without DCUs', pod: { containers: [{}] }, want: undefined },
  ];
  it.each(cases)('$name', ({ pod, want }) => {
    expect(written(pod)).toBe(want);
  });

  it('is read back as it was written', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    world.bind({ containers: [{ limits: asked(1, 2000, 60) }, {}, { limits: asked(2, 1000, 30) }] });
    expect(world.used()).toEqual({ [card(0)]: '1/1000/30', [card(1)]: '2/3000/90' });
  });

  it('is read without the empty places, which HAMi leaves out on these nodes', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    const pod = bound('p', `${card(0)},DCU,2000,60:;`, {});
    expect(world.take({ ...pod, containers: [{}, share] })).toEqual([]);
    expect(world.used()[card(0)]).toBe('1/2000/60');
  });

  it('has MiB whatever unit was asked in', () => {
    const scaled = hygonVendors({ memoryFactor: 1024 });
    const world = new VendorWorld({ vendors: scaled, nodes: [twoCards] });
    expect(world.bind(asking(1, 2, 60))[key]).toBe(`${card(1)},DCU,2048,60:;`);
  });
});

describe('quotas (vendors §4.10)', () => {
  const policies = policiesFrom({ nodePolicy: 'binpack', devicePolicy: 'spread' }, vendors);
  const worldWith = (hard: TextMap, memoryFactor = 1) => {
    const scaled = hygonVendors({ memoryFactor });
    const world = new VendorWorld({ vendors: scaled, nodes: [twoCards] });
    world.state.applyQuota({ namespace: 'default', name: 'dcu', resourceVersion: '1', hard });
    const fits = (pod: PodFields) => {
      const view = world.state.view('n1');
      if (view === undefined) throw new Error('no node');
      const { request } = readPodRequest(podObject(pod), scaled);
      return plan(view, request, { ...policies, quota: world.state.quotaOf('default') }).ok;
    };
    return { world, fits };
  };

  it('count memory and compute of all containers and pods', () => {
    const { world, fits } = worldWith({ [`limits.${dcumem}`]: '5000', [`limits.${dcucores}`]: '90' });
    world.bind({ ...asking(1, 3000, 30), name: 'first' });
    expect(fits(asking(1, 2000, 60))).toBe(true);
    expect(fits(asking(1, 2001, 60))).toBe(false);
    expect(fits(asking(1, 2000, 61))).toBe(false);
    expect(fits({ containers: [{ limits: asked(1, 1000, 10) }, { limits: asked(1, 1001, 10) }] })).toBe(
      false,
    );
  });

  it('count a whole card by its size', () => {
    const { fits } = worldWith({ [`limits.${dcumem}`]: '32751' });
    expect(fits(asking(1, undefined, 10))).toBe(false);
    expect(worldWith({ [`limits.${dcumem}`]: '32752' }).fits(asking(1, undefined, 10))).toBe(true);
  });

  it('are written in the units of requests', () => {
    const { world, fits } = worldWith({ [`limits.${dcumem}`]: '3' }, 1024);
    expect(fits(asking(1, 3, 10))).toBe(true);
    expect(fits(asking(1, 4, 10))).toBe(false);
    expect(world.admit(asking(1, 4, 10))).toMatch(/dcumem 4, namespace default has used 0 of 3/);
  });
});

// The plugin takes the name of the first app container for the directory of every container's vdev file. It is the
// plugin's own affair: nothing that a scheduler writes changes it.
