/** Which MetaX cards an sGPU request gets, and which nodes suit it (vendors §8.6, §8.7); HAMi's own vectors among them. */
import { describe, expect, it } from '@jest/globals';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { metaxFamily } from '../../src/vendors/metax/metax.ts';
import type { CardPicture } from '../../src/vendors/card-rules.ts';
import { formatKind, kindOf, parseKind } from '../../src/vendors/metax/metax-sgpu-kind.ts';
import { vendorsOf } from './family-vendors.ts';
import { makeContainer } from './make-container.ts';
import {
  appClass,
  card,
  cardsOfZones,
  qosPolicy,
  type SgpuAmounts,
  sgpuLimits,
  sgpuNode,
  sgpuPod,
  sgpuVendor,
  sgpuWorld,
  topologyAware,
} from './metax-world.ts';
import { VendorWorld } from './vendor-world.ts';

const part = { memory: 1, cores: 20 };
const { accept, choose, rating } = sgpuVendor!.cardRules!;
const online = { [appClass]: 'online' };
const offline = { [appClass]: 'offline' };
const normal = {};

describe('the pods on a card', () => {
  interface Company {
    readonly name: string;
    readonly present: readonly TextMap[];
    readonly amounts?: SgpuAmounts;
    readonly asks: TextMap;
    readonly asked?: SgpuAmounts;
    readonly published?: string;
    readonly want: string;
  }

  it.each<Company>([
    { name: 'an idle card takes an online pod', present: [], asks: online, want: 'fits' },
    {
      name: 'a card with an online pod takes none without a class',
      present: [online],
      asks: normal,
      want: '1 CardAppClassMismatch',
    },
    {
      name: 'nor does a card with an offline pod',
      present: [offline],
      asks: normal,
      want: '1 CardAppClassMismatch',
    },
    { name: 'pods without a class share', present: [normal], asks: normal, want: 'fits' },
    {
      name: 'a card with a pod without a class takes no online one',
      present: [normal],
      asks: online,
      want: '1 CardAppClassMismatch',
    },
    { name: 'nor an offline one', present: [normal], asks: offline, want: '1 CardAppClassMismatch' },
    { name: 'offline pods share', present: [offline], asks: offline, want: 'fits' },
    {
      name: 'online pods share, and come to offline ones',
      present: [offline, online],
      asks: online,
      want: 'fits',
    },
    {
      name: 'an offline pod goes to no online one',
      present: [offline, online],
      asks: offline,
      want: '1 CardAppClassMismatch',
    },
    {
      name: 'an idle card takes any policy, whatever is published of its past',
      present: [],
      asks: { [qosPolicy]: 'best-effort' },
      published: 'burst-share',
      want: 'fits',
    },
    {
      name: 'a card has one policy',
      present: [{ [qosPolicy]: 'burst-share' }],
      asks: { [qosPolicy]: 'best-effort' },
      want: '1 CardQosPolicyMismatch',
    },
    {
      name: 'that of its pods',
      present: [{ [qosPolicy]: 'best-effort' }],
      asks: { [qosPolicy]: 'best-effort' },
      want: 'fits',
    },
    {
      name: 'their policy counts before the plugin has published it',
      present: [{ [qosPolicy]: 'best-effort' }],
      asks: { [qosPolicy]: 'best-effort' },
      published: 'burst-share',
      want: 'fits',
    },
    {
      name: 'and what was published before them does not',
      present: [{ [qosPolicy]: 'best-effort' }],
      asks: { [qosPolicy]: 'burst-share' },
      published: 'burst-share',
      want: '1 CardQosPolicyMismatch',
    },
    {
      name: 'offline pods have policies, too',
      present: [{ ...offline, [qosPolicy]: 'fixed-share' }],
      asks: { ...offline, [qosPolicy]: 'burst-share' },
      want: '1 CardQosPolicyMismatch',
    },
    {
      name: 'an online pod minds none',
      present: [{ ...offline, [qosPolicy]: 'fixed-share' }],
      asks: { ...online, [qosPolicy]: 'burst-share' },
      want: 'fits',
    },
    {
      name: 'a policy that nobody knows gets on with none',
      present: [{ [qosPolicy]: 'best-effort' }],
      asks: { [qosPolicy]: 'best' },
      want: '1 CardQosPolicyMismatch',
    },
    {
      name: 'a pod that wants the card alone minds no policy, but needs an idle card',
      present: [{ [qosPolicy]: 'burst-share' }],
      asks: { [qosPolicy]: 'best-effort' },
      asked: { memory: 1 },
      want: '1 CardInsufficientCore',
    },
    {
      name: 'that is so where the present pods were given no compute',
      present: [{ [qosPolicy]: 'burst-share' }],
      amounts: { memory: 1, cores: 0 },
      asks: { [qosPolicy]: 'best-effort' },
      asked: { memory: 1 },
      want: '1 ExclusiveDeviceAllocateConflict',
    },
    {
      name: 'a pod that has the card alone leaves no compute',
      present: [normal],
      amounts: { memory: 1 },
      asks: { [qosPolicy]: 'burst-share' },
      want: '1 CardInsufficientCore',
    },
    {
      name: 'not even to a pod that asks for none',
      present: [normal],
      amounts: { memory: 1 },
      asks: { [qosPolicy]: 'burst-share' },
      asked: { memory: 1, cores: 0 },
      want: '1 CardComputeUnitsExhausted',
    },
    {
      name: 'an online pod needs none',
      present: [offline],
      amounts: { memory: 1 },
      asks: online,
      want: 'fits',
    },
    {
      name: 'but memory',
      present: [offline],
      asks: online,
      asked: { memory: 32 },
      want: '1 CardInsufficientMemory',
    },
  ])('$name', ({ present, amounts = part, asks, asked = part, published = '', want }) => {
    const world = sgpuWorld([card('GPU-1', { qosPolicy: published })]);
    for (const [index, annotations] of present.entries()) {
      world.bind(sgpuPod(amounts, annotations, `present-${index}`));
    }
    expect(world.refusal(sgpuPod(asked, asks))).toBe(want);
  });

  it('are known from what was written with their Bindings after a restart', () => {
    const before = sgpuWorld([card('GPU-1', { qosPolicy: 'burst-share' })]);
    const pod = sgpuPod(part, { [qosPolicy]: 'fixed-share' }, 'a');
    const annotations = { ...pod.annotations, ...before.bind(pod) };
    const after = sgpuWorld([card('GPU-1', { qosPolicy: 'burst-share' })]);
    expect(after.take({ ...pod, annotations, nodeName: 'n1' })).toEqual([]);
    expect(after.refusal(sgpuPod(part, { [qosPolicy]: 'burst-share' }))).toBe('1 CardQosPolicyMismatch');
    expect(after.refusal(sgpuPod(part, { [qosPolicy]: 'fixed-share' }))).toBe('fits');
  });

  it('leave an idle card behind that takes any policy again', () => {
    const world = sgpuWorld([card('GPU-1')]);
    const pod = sgpuPod(part, { [qosPolicy]: 'fixed-share' }, 'a');
    const annotations = { ...pod.annotations, ...world.bind(pod) };
    world.see(sgpuNode([card('GPU-1', { qosPolicy: 'fixed-share' })]));
    expect(world.refusal(sgpuPod(part, { [qosPolicy]: 'burst-share' }))).toBe('1 CardQosPolicyMismatch');
    world.take({ ...pod, annotations, nodeName: 'n1', phase: 'Succeeded' });
    expect(world.refusal(sgpuPod(part, { [qosPolicy]: 'burst-share' }))).toBe('fits');
  });

  it('are judged by what is published where one of them asks for nothing that we could read', () => {
    const world = sgpuWorld([card('GPU-1', { qosPolicy: 'fixed-share' })]);
    const allocated = 'GPU-1,Metax-SGPU,4096,20:;';
    const annotations = { 'hami.io/metax-sgpu-devices-allocated': allocated, 'hami.io/vgpu-node': 'n1' };
    expect(world.take({ name: 'foreign', nodeName: 'n1', annotations })).toEqual([]);
    expect(world.used()).toEqual({ 'GPU-1': '1/4096/20' });
    expect(world.refusal(sgpuPod(part, { [qosPolicy]: 'burst-share' }))).toBe('1 CardQosPolicyMismatch');
    expect(world.refusal(sgpuPod(part, { [qosPolicy]: 'fixed-share' }))).toBe('fits');
  });

  it('are those of one pod, too: its containers share a card', () => {
    const limits = sgpuLimits({ count: 1, ...part });
    const world = sgpuWorld([card('GPU-1')]);
    expect(world.cards({ containers: [{ limits }, { limits }] })).toEqual([['GPU-1'], ['GPU-1']]);
    expect(world.cards({ annotations: online, containers: [{ limits }, { limits }] })).toEqual([
      ['GPU-1'],
      ['GPU-1'],
    ]);
  });
});

describe('a kind', () => {
  it.each([
    { annotations: {}, corePercent: 30 },
    { annotations: {}, corePercent: 100 },
    { annotations: { [topologyAware]: 'true' }, corePercent: 100 },
    { annotations: { [appClass]: 'offline', [qosPolicy]: 'burst-share' }, corePercent: 1 },
    { annotations: { [appClass]: 'online', [qosPolicy]: 'x' }, corePercent: 0 },
    { annotations: { [appClass]: 'x', [qosPolicy]: 'a/b' }, corePercent: 50 },
  ])('is read as it was written: $annotations, $corePercent %', ({ annotations, corePercent }) => {
    const kind = kindOf(annotations, corePercent, false);
    expect(parseKind(formatKind(kind))).toEqual(kind);
  });

  it('of no word is that of a pod that says nothing', () => {
    expect(parseKind(undefined)).toEqual({ appClass: undefined, qosPolicy: undefined, wantsLinks: false });
  });
});

interface PictureFields {
  readonly zone?: number;
  readonly present?: readonly TextMap[];
  /** Containers on the card; those that are `present` where left out. */
  readonly slots?: number;
}

function picture(
  id: string,
  { zone = 0, present = [], slots = present.length }: PictureFields = {},
): CardPicture {
  const device = {
    id,
    vendor: 'Metax-SGPU',
    index: 0,
    type: 'Metax-SGPU',
    slots: 16,
    memoryMiB: 32_768,
    corePercent: 100,
    numa: 0,
    mode: '',
    healthy: true,
    facts: { qosPolicy: '', model: '', linkZone: zone },
  };
  const kinds = present.map((annotations) => formatKind(kindOf(annotations, 20, false)));
  return { device, used: { slots, memoryMiB: 0, corePercent: 0 }, kinds };
}

/** Cards by number and zone: `GPU-1` of zone 1 is `[1, 1]`. */
function pictures(cards: readonly (readonly [number, number])[]): readonly CardPicture[] {
  return cards.map(([number, zone]) => picture(`GPU-${number}`, { zone }));
}

function wantedBy(amounts: SgpuAmounts, annotations: TextMap = {}, vendor = sgpuVendor!) {
  const reading = vendor.request(
    makeContainer({ limits: sgpuLimits({ count: 1, ...amounts }) }),
    annotations,
  );
  if (!reading.ok || reading.request === undefined) throw new Error('no request');
  return reading.request;
}

describe('cards for a container that has them alone', () => {
  it.each<{ name: string; cards: [number, number][]; count: number; want: number[] }>([
    {
      name: 'one of the smallest zone',
      cards: [
        [1, 1],
        [2, 1],
        [5, 2],
      ],
      count: 1,
      want: [5],
    },
    {
      name: 'two of the smallest zone that has two',
      cards: [
        [1, 1],
        [2, 1],
        [5, 2],
        [6, 2],
        [7, 2],
      ],
      count: 2,
      want: [1, 2],
    },
    {
      name: 'four of the one zone that has four',
      cards: [
        [1, 1],
        [2, 1],
        [5, 2],
        [6, 2],
        [7, 2],
        [8, 2],
      ],
      count: 4,
      want: [5, 6, 7, 8],
    },
    {
      name: 'four across zones, the small one first',
      cards: [
        [1, 1],
        [2, 1],
        [5, 2],
        [6, 2],
        [7, 2],
      ],
      count: 4,
      want: [1, 2, 5, 6],
    },
    {
      name: 'two without any zone',
      cards: [
        [5, 0],
        [6, 0],
        [7, 0],
      ],
      count: 2,
      want: [5, 6],
    },
    {
      name: 'two of a zone before others',
      cards: [
        [3, 0],
        [4, 0],
        [7, 1],
        [8, 1],
      ],
      count: 2,
      want: [7, 8],
    },
    {
      name: 'four, of which one is in no zone',
      cards: [
        [3, 0],
        [4, 0],
        [6, 1],
        [7, 1],
        [8, 1],
      ],
      count: 4,
      want: [6, 7, 8, 3],
    },
    {
      name: 'a zone below 0 is none',
      cards: [
        [1, -1],
        [2, -1],
        [3, 1],
      ],
      count: 1,
      want: [3],
    },
    {
      name: 'of zones alike, the one that the policy likes better',
      cards: [
        [5, 2],
        [1, 1],
        [6, 2],
        [2, 1],
      ],
      count: 2,
      want: [5, 6],
    },
  ])('are $name', ({ cards, count, want }) => {
    const chosen = choose!(pictures(cards), wantedBy({ count }));
    expect(chosen.map(({ device }) => device.id)).toEqual(want.map((number) => `GPU-${number}`));
  });

  it('are chosen by policy where the pod has an app class or only a part of them', () => {
    const cards = pictures([
      [1, 0],
      [2, 1],
    ]);
    expect(choose!(cards, wantedBy({}, offline)).map(({ device }) => device.id)).toEqual(['GPU-1']);
    expect(choose!(cards, wantedBy(part)).map(({ device }) => device.id)).toEqual(['GPU-1']);
  });

  it('are taken from a node that way', () => {
    expect(
      sgpuWorld(cardsOfZones(1, 1, 2, 2, 2, 0))
        .cards(sgpuPod({ count: 2 }))[0]
        ?.toSorted(),
    ).toEqual(['GPU-1', 'GPU-2']);
  });
});

describe('the card for an online pod', () => {
  it.each<{ name: string; cards: TextMap[][]; want: number }>([
    {
      name: 'is an idle one',
      cards: [[offline], [online, offline], [online], []],
      want: 3,
    },
    {
      name: 'is the one with the fewest online pods',
      cards: [[online, online], [online], [online, online, online, offline], [offline, offline]],
      want: 1,
    },
    {
      name: 'is better one whose offline pods are stopped already',
      cards: [
        [online, online, online],
        [online, offline],
        [online, online, offline],
        [offline],
        [offline, offline],
      ],
      want: 1,
    },
    {
      name: 'is at last the one with the fewest offline pods',
      cards: [[offline, offline], [offline]],
      want: 1,
    },
    { name: 'is the first of cards alike', cards: [[online], [online]], want: 0 },
  ])('$name', ({ cards, want }) => {
    const candidates = cards.map((present, index) => picture(String(index), { present }));
    expect(choose!(candidates, wantedBy({}, online)).map(({ device }) => device.id)).toEqual([String(want)]);
  });
});

describe('the rating of a node for an online pod', () => {
  const rate = (present: readonly TextMap[]) => {
    const cards = [picture('GPU-123', { present }), picture('other', { present: [offline] })];
    return rating!.rate([{ wanted: wantedBy({}, online), cards: [cards[0]!] }], cards, 'binpack');
  };

  it.each<{ name: string; present: TextMap[]; wantPoints: number }>([
    { name: 'an idle card', present: [], wantPoints: 0 },
    { name: 'online pods', present: [online, online], wantPoints: -40 },
    { name: 'offline pods', present: [offline, offline], wantPoints: -200 },
    { name: 'both', present: [offline, offline, online, online], wantPoints: -44 },
  ])('$name: $wantPoints', ({ present, wantPoints }) => {
    expect(rate(present)).toBeCloseTo(1 + wantPoints / 2000);
  });
});

describe('the rating of a node for cards that a pod has alone', () => {
  const aware = { [topologyAware]: 'true' };
  const rate = (given: readonly number[], idle: readonly (readonly [number, number])[]) => {
    const busy = picture('busy', { zone: 1, slots: 1 });
    const cards = [...pictures(idle), busy];
    const chosen = given.map((number) => cards.find(({ device }) => device.id === `GPU-${number}`)!);
    return rating!.rate(
      [{ wanted: wantedBy({ count: given.length }, aware), cards: chosen }],
      cards,
      'spread',
    )!;
  };
  const zone1 = [
    [1, 1],
    [2, 1],
    [3, 1],
    [4, 1],
  ] as const;
  const zone2 = [
    [5, 2],
    [6, 2],
    [7, 2],
    [8, 2],
  ] as const;

  it.each<{ name: string; given: number[]; idle: (readonly [number, number])[]; wantPoints: number }>([
    { name: 'one card that breaks no link', given: [4], idle: [zone1[3]], wantPoints: 0 },
    { name: 'one card that breaks three', given: [4], idle: [...zone1], wantPoints: -30 },
    { name: 'two linked ones that break four', given: [3, 4], idle: [...zone1], wantPoints: 60 },
    { name: 'two without a link', given: [4, 5], idle: [zone1[3], zone2[0]], wantPoints: 0 },
    { name: 'a whole zone', given: [1, 2, 3, 4], idle: [...zone1, zone2[0]], wantPoints: 600 },
    {
      name: 'parts of two zones',
      given: [3, 4, 5, 6],
      idle: [...zone1.slice(1), ...zone2.slice(0, 2)],
      wantPoints: 180,
    },
    {
      name: 'two whole zones',
      given: [1, 2, 3, 4, 5, 6, 7, 8],
      idle: [...zone1, ...zone2],
      wantPoints: 1200,
    },
  ])('$name: $wantPoints', ({ given, idle, wantPoints }) => {
    const count = given.length;
    // The reference's points, from the least that a node can have to the most, on a scale from 0 to 1.
    const least = -10 * count * 64;
    const most = (100 * count * (count - 1)) / 2;
    expect(rate(given, idle)).toBeCloseTo((wantPoints - least) / (most - least));
  });

  const scoreOn = (
    world: VendorWorld,
    node: string,
    annotations: TextMap,
    amounts: SgpuAmounts = { count: 2 },
  ) => {
    const planned = world.plan(sgpuPod(amounts, annotations), node);
    if (!planned.ok) throw new Error('refused');
    return planned.score;
  };
  const nodes = [
    sgpuNode(cardsOfZones(1, 1, 0, 0), { name: 'linked' }),
    sgpuNode(cardsOfZones(1, 2, 3, 4), { name: 'loose' }),
  ];
  const asWished = (sgpuTopologyAware: boolean, annotations: TextMap) => {
    const vendors = vendorsOf(metaxFamily, { sgpuTopologyAware });
    const world = new VendorWorld({ vendors, nodes });
    return scoreOn(world, 'linked', annotations) - scoreOn(world, 'loose', annotations);
  };

  it.each([
    { name: 'the configuration wants it', config: true, annotations: {}, want: true },
    { name: 'the pod does not', config: true, annotations: { [topologyAware]: 'false' }, want: false },
    { name: 'nobody does', config: false, annotations: {}, want: false },
    { name: 'the pod does', config: false, annotations: aware, want: true },
    {
      name: 'what the pod wants cannot be read',
      config: true,
      annotations: { [topologyAware]: 'yes' },
      want: true,
    },
  ])('counts as is wished: $name', ({ config, annotations, want }) => {
    expect(asWished(config, annotations) > 1).toBe(want);
    expect(asWished(config, annotations) === 0).toBe(!want);
  });

  it('is the same under both policies, and outweighs them', () => {
    for (const nodePolicy of ['binpack', 'spread'] as const) {
      const world = new VendorWorld({ vendors: [sgpuVendor!], nodes, nodePolicy });
      const other = nodePolicy === 'binpack' ? 'loose' : 'linked';
      world.bind(sgpuPod({ memory: 1, cores: 90 }, { 'metax-tech.com/use-gpuuuid': 'GPU-4' }), other);
      expect(scoreOn(world, 'linked', aware)).toBeGreaterThan(scoreOn(world, 'loose', aware));
    }
  });

  it('leaves pods with parts of cards to the policy', () => {
    const cards = [picture('GPU-1', { zone: 1 })];
    expect(rating!.rate([{ wanted: wantedBy(part, aware), cards }], cards, 'binpack')).toBeUndefined();
    const world = new VendorWorld({ vendors: [sgpuVendor!], nodes });
    world.bind(sgpuPod(part, {}, 'a'), 'loose');
    expect(scoreOn(world, 'loose', aware, part)).toBeGreaterThan(scoreOn(world, 'linked', aware, part));
  });
});

describe('the ladder', () => {
  it('is asked of cards in use alone', () => {
    const idle = picture('GPU-1', { present: [online], slots: 0 });
    expect(accept!(idle, wantedBy(part))).toBeUndefined();
  });
});
