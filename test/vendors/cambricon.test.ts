/** Pods that ask for slices of MLUs: what they may ask, what is written for the plugin, what is charged (vendors §3). */
import { describe, expect, it } from '@jest/globals';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import type { DeviceRequest } from '../../src/model/request.ts';
import { plan } from '../../src/placement/planner.ts';
import { policiesFrom } from '../../src/placement/policy-defaults.ts';
import { cambriconFamily, cambriconNodeLock } from '../../src/vendors/cambricon/cambricon.ts';
import { lockAnnotations, parseNodeLock } from '../../src/vendors/node-lock.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import type { PodFields } from '../support/kubernetes-objects.ts';
import { cardsOf, makeState, podObject } from '../state/support/device-states.ts';
import { defaultVendorsConfig } from './default-config.ts';
import { makeContainer } from './make-container.ts';
import { VendorWorld } from './vendor-world.ts';

const vmlu = 'cambricon.com/vmlu';
const vmemory = 'cambricon.com/mlu.smlu.vmemory';
const vcore = 'cambricon.com/mlu.smlu.vcore';
const vendors = cambriconFamily.make({ ...defaultVendorsConfig().cambricon, enabled: true });
const [mlu] = vendors;
if (mlu === undefined) throw new Error('no vendor');

const slice = (units: string | number, cores?: string | number): TextMap => ({
  [vmlu]: '1',
  [vmemory]: String(units),
  ...(cores === undefined ? {} : { [vcore]: String(cores) }),
});
const asking = (limits: TextMap): PodFields => ({ containers: [{ limits }] });

/** Two cards of 24 GiB: 96 units each. */
const twoCards = { name: 'n1', allocatable: { [vcore]: '200', [vmemory]: '192' } };
const oneCard = { name: 'n1', allocatable: { [vcore]: '100', [vmemory]: '160' } };
const card = (slot: number) => `n1-cambricon-mlu-${slot}`;

/** A pod that HAMi bound to card 0 with the one spelling that it writes. */
const boundByHami = (name: string, allocated: string, limits: TextMap, annotations: TextMap = {}) => ({
  name,
  nodeName: 'n1',
  containers: [{ limits }],
  annotations: {
    'hami.io/vgpu-node': 'n1',
    'hami.io/cambricon-mlu-devices-allocated': allocated,
    'hami.io/cambricon-mlu-devices-to-allocate': allocated,
    CAMBRICON_DSMLU_ASSIGNED: 'true',
    ...annotations,
  },
});

describe('what a container asks for (vendors §3.5)', () => {
  const base: DeviceRequest = {
    vendor: 'MLU',
    count: 1,
    memory: { kind: 'mib', memoryMiB: 2560 },
    corePercent: 10,
  };
  const whole = { kind: 'percent', percent: 100 } as const;
  const understood: {
    name: string;
    limits: TextMap;
    want?: Partial<DeviceRequest>;
    wantWarnings?: number;
  }[] = [
    { name: 'nothing', limits: { cpu: '1' } },
    { name: 'a count of 0', limits: { [vmlu]: '0' } },
    { name: 'memory in units of 256 MiB and compute in percent', limits: slice(10, 10), want: {} },
    {
      name: 'much memory and little compute',
      limits: slice(1000, 2),
      want: { memory: { kind: 'mib', memoryMiB: 256_000 }, corePercent: 2 },
    },
    {
      name: 'more than a card of compute, which is taken as one',
      limits: slice(10, 120),
      want: { corePercent: 100 },
      wantWarnings: 1,
    },
  ];
  it.each(understood)('$name', ({ limits, want, wantWarnings = 0 }) => {
    const reading = mlu.request(makeContainer({ limits }), {});
    expect(reading).toEqual({
      ok: true,
      ...(want === undefined ? {} : { request: { ...base, ...want } }),
      warnings: expect.any(Array),
    });
    expect(reading.ok && reading.warnings).toHaveLength(wantWarnings);
  });

  const refused: {
    name: string;
    limits: TextMap;
    wantProblems: readonly RegExp[];
    wantCharge?: Partial<DeviceRequest>;
  }[] = [
    {
      name: 'a size in bytes',
      limits: slice('16Gi', 10),
      wantProblems: [/vmemory .*units of 256 MiB; write 64$/],
      wantCharge: { memory: whole, corePercent: 100 },
    },
    {
      name: 'a size in bytes with a fraction',
      limits: slice('16.0Gi', 10),
      wantProblems: [/vmemory .*write 64$/],
      wantCharge: { memory: whole, corePercent: 100 },
    },
    {
      name: 'more memory than a number of the plugin holds',
      limits: slice(8_388_608, 10),
      wantProblems: [/vmemory is too large; .* and 8388607$/],
      wantCharge: { memory: whole, corePercent: 100 },
    },
    {
      name: 'negative memory',
      limits: slice(-1, 10),
      wantProblems: [/vmemory is negative/],
      wantCharge: { memory: whole, corePercent: 100 },
    },
    {
      name: 'compute that is no number',
      limits: slice(10, 'all'),
      wantProblems: [/vcore is not a number/],
      wantCharge: { memory: whole, corePercent: 100 },
    },
    {
      name: 'a count that is no number',
      limits: { ...slice(10, 10), [vmlu]: 'one' },
      wantProblems: [/vmlu is not a number/],
      wantCharge: { memory: whole, corePercent: 100 },
    },
    {
      name: 'a whole card without its memory: the plugin would be asked for compute alone',
      limits: { [vmlu]: '1', [vcore]: '100' },
      wantProblems: [/vmemory must be given .*units of 256 MiB, all that a card has/],
      wantCharge: { memory: whole, corePercent: 100 },
    },
    {
      name: 'a share of compute without memory',
      limits: { [vmlu]: '1', [vcore]: '2' },
      wantProblems: [/vmemory must be given/],
      wantCharge: { memory: whole, corePercent: 2 },
    },
    {
      name: 'no memory at all',
      limits: slice(0, 10),
      wantProblems: [/vmemory must be given and not be 0/],
      wantCharge: { memory: whole },
    },
    {
      name: 'no compute at all',
      limits: slice(10, 0),
      wantProblems: [/vcore must be given and not be 0.*write 1 to 100/],
      wantCharge: { corePercent: 0 },
    },
    {
      name: 'memory alone, where admission has not added the compute',
      limits: slice(10),
      wantProblems: [/vcore must be given/],
      wantCharge: { corePercent: 100 },
    },
    {
      name: 'nothing but a card, past admission',
      limits: { [vmlu]: '1' },
      wantProblems: [/vmemory must be given/, /vcore must be given/],
      wantCharge: { memory: whole, corePercent: 100 },
    },
    {
      name: 'two cards',
      limits: { ...slice(10, 10), [vmlu]: '2' },
      wantProblems: [/vmlu is more than 1, .*write 1$/],
      wantCharge: { count: 2 },
    },
    {
      name: 'amounts without the mark by which a card is chosen',
      limits: { [vmemory]: '10', [vcore]: '10' },
      wantProblems: [/vmlu must be 1 beside .*vmemory/],
      wantCharge: { memory: whole, corePercent: 100 },
    },
    {
      name: 'amounts beside a count of 0: kubelet asks the plugin all the same',
      limits: { ...slice(10, 10), [vmlu]: '0' },
      wantProblems: [/vmlu must be 1 beside/],
      wantCharge: { memory: whole, corePercent: 100 },
    },
  ];
  it.each(refused)('refuses $name', ({ limits, wantProblems, wantCharge }) => {
    const reading = mlu.request(makeContainer({ limits }), {});
    if (reading.ok) throw new Error('understood');
    expect(
      reading.problems.map(({ container, field, fix }) => `${container ?? ''}: ${field} ${fix}`),
    ).toEqual(wantProblems.map((pattern) => expect.stringMatching(pattern) as unknown));
    expect(reading.problems.every(({ container }) => container === 'main')).toBe(true);
    expect(reading.charge).toEqual({ ...base, ...wantCharge });
  });
});

describe('which containers of a pod may ask (vendors §3.8, §3.11)', () => {
  const world = new VendorWorld({ vendors, nodes: [twoCards] });
  const limits = slice(10, 10);
  const cases: { name: string; containers: PodFields['containers']; wantProblems: readonly RegExp[] }[] = [
    { name: 'one, wherever it stands', containers: [{}, { limits }, {}], wantProblems: [] },
    { name: 'one beside init containers', containers: [{ role: 'init' }, { limits }], wantProblems: [] },
    {
      name: 'not two: the plugin knows one profile of a pod',
      containers: [{ limits }, { limits }, {}, { limits }],
      wantProblems: [/vmlu.*beside container/, /vmlu.*beside container/],
    },
    {
      name: 'no init container: the plugin does not see it',
      containers: [{ role: 'init', limits }, {}],
      wantProblems: [/vmlu.*init container/],
    },
    {
      name: 'no sidecar, not even beside an app container',
      containers: [{ role: 'sidecar', limits }, { limits }],
      wantProblems: [/vmlu.*init container/],
    },
  ];
  it.each(cases)('$name', ({ containers = [], wantProblems }) => {
    expect(world.problems({ containers })).toEqual(
      wantProblems.map((pattern) => expect.stringMatching(pattern) as unknown),
    );
    const answer = world.admit({ containers });
    if (wantProblems.length === 0) expect(answer).toHaveProperty('spec');
    else expect(answer).toMatch(wantProblems[0] ?? '');
  });
});

describe('admission (vendors §3.4, §3.11)', () => {
  const world = new VendorWorld({ vendors, nodes: [twoCards] });
  const admitted = (limits: TextMap) => {
    const answer = world.admit(asking(limits)) as {
      readonly spec?: {
        readonly containers: readonly { readonly resources: { readonly limits: TextMap } }[];
      };
    };
    return answer.spec?.containers[0]?.resources.limits ?? answer;
  };
  const cases: { name: string; limits: TextMap; want: TextMap }[] = [
    { name: 'adds a whole card of compute where none is given', limits: slice(10), want: slice(10, 100) },
    { name: 'leaves compute as it is given', limits: slice(10, 30), want: slice(10, 30) },
    { name: 'leaves it in its spelling', limits: slice(10, '1e1'), want: slice(10, '1e1') },
    { name: 'asks kubelet for no more than is given', limits: slice(10, 120), want: slice(10, 100) },
    { name: 'adds nothing to others', limits: { cpu: '1' }, want: { cpu: '1' } },
  ];
  it.each(cases)('$name', ({ limits, want }) => {
    expect(admitted(limits)).toEqual(want);
    expect(admitted(want)).toEqual(want);
  });

  it('denies what nobody could serve, with what to write instead', () => {
    expect(world.admit(asking({ [vmlu]: '1' }))).toMatch(/vmemory: "" must be given/);
  });

  it('removes what the scheduler and the plugin write', () => {
    const annotations = Object.fromEntries(
      [
        'CAMBRICON_DSMLU_ASSIGNED',
        'CAMBRICON_DSMLU_ASSIGHED',
        'CAMBRICON_DSMLU_PROFILE',
        'CAMBRICON_DSMLU_PROFILE_INSTANCE',
        'hami.io/cambricon-mlu-devices-allocated',
        'hami.io/cambricon-mlu-devices-to-allocate',
      ].map((name) => [name, 'mine']),
    );
    for (const limits of [slice(10, 10), {}]) {
      const answer = world.admit({ ...asking(limits), annotations: { ...annotations, other: 'stays' } }) as {
        readonly metadata: { readonly annotations: TextMap };
      };
      expect(answer.metadata.annotations).toEqual({ other: 'stays' });
    }
  });
});

describe('what a Binding brings the plugin (vendors §3.8)', () => {
  const written = (annotations: TextMap) =>
    Object.fromEntries(Object.entries(annotations).filter(([name]) => /MLU|mlu/.test(name)));
  const flags = { CAMBRICON_DSMLU_ASSIGNED: 'false', CAMBRICON_DSMLU_ASSIGHED: 'false' };
  const allocated = (value: string) => ({
    'hami.io/cambricon-mlu-devices-allocated': value,
    'hami.io/cambricon-mlu-devices-to-allocate': value,
  });

  it('is the allocation, the profile and the flag in both spellings', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    expect(written(world.bind(asking(slice(10, 10))))).toEqual({
      ...flags,
      CAMBRICON_DSMLU_PROFILE: '1_10_10',
      ...allocated(`${card(1)},MLU,2560,10:;`),
    });
    expect(world.used()).toEqual({ [card(0)]: '0/0/0', [card(1)]: '1/2560/10' });
  });

  it('names the slot of the first container that has a card', () => {
    const node = { name: 'n1', allocatable: { [vcore]: '100', [vmemory]: '1000' } };
    const world = new VendorWorld({ vendors, nodes: [node] });
    expect(written(world.bind({ containers: [{}, { limits: slice(1000, 1) }] }))).toEqual({
      ...flags,
      CAMBRICON_DSMLU_PROFILE: '0_1_1000',
      ...allocated(`;${card(0)},MLU,256000,1:;`),
    });
  });

  it('tells the slot also on a node whose name looks like a card', () => {
    const name = 'x-cambricon-mlu-7';
    const world = new VendorWorld({ vendors, nodes: [{ ...oneCard, name }] });
    expect(world.bind(asking(slice(10, 10)), name)).toMatchObject({ CAMBRICON_DSMLU_PROFILE: '0_10_10' });
  });

  it('is nothing for a pod without MLUs', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    expect(written(world.bind(asking({})))).toEqual({});
  });

  it('makes a slice no larger than what is charged', () => {
    const node = { name: 'n1', allocatable: { [vcore]: '200', [vmemory]: '193' } };
    const world = new VendorWorld({ vendors, nodes: [node] });
    expect(world.bind(asking({ [vmlu]: '1', [vcore]: '100' }))).toMatchObject({
      CAMBRICON_DSMLU_PROFILE: '1_100_96',
      'hami.io/cambricon-mlu-devices-allocated': `${card(1)},MLU,24704,100:;`,
    });
  });

  it('empties the instance that a pod past admission claims: the plugin would destroy it with the pod', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    const pod = { ...asking(slice(10, 10)), annotations: { CAMBRICON_DSMLU_PROFILE_INSTANCE: '1_256_0_1' } };
    expect(world.bind(pod)).toMatchObject({ CAMBRICON_DSMLU_PROFILE_INSTANCE: '' });
  });
});

describe('where a slice fits (vendors §3.6)', () => {
  // Several cards for a container and amounts in percent of a card, which are vectors of the reference, too, are no
  // requests here; cards that tell their own illness do not exist.
  const full = (name: string, allocated: string) => boundByHami(name, allocated, slice(10, 10));
  const cases: {
    name: string;
    bound?: readonly PodFields[];
    pod: PodFields;
    want: string;
  }[] = [
    { name: 'an empty card', pod: asking(slice(10, 50)), want: 'fits' },
    { name: 'more than the card has', pod: asking(slice(161, 50)), want: '1 CardInsufficientMemory' },
    {
      name: 'more memory than is left',
      bound: [asking(slice(100, 10))],
      pod: asking(slice(61, 10)),
      want: '1 CardInsufficientMemory',
    },
    {
      name: 'more compute than is left',
      bound: [asking(slice(10, 60))],
      pod: asking(slice(10, 50)),
      want: '1 CardInsufficientCore',
    },
    {
      name: 'exactly what is left',
      bound: [asking(slice(100, 60))],
      pod: asking(slice(60, 40)),
      want: 'fits',
    },
    {
      name: 'a whole card’s compute beside somebody without any',
      bound: [full('hami', `${card(0)},MLU,0,0:;`)],
      pod: asking(slice(10, 100)),
      want: '1 ExclusiveDeviceAllocateConflict',
    },
    {
      name: 'no compute where all of it is promised',
      bound: [full('hami', `${card(0)},MLU,0,100:;`)],
      pod: asking(slice(10, 0)),
      want: '1 CardComputeUnitsExhausted',
    },
    {
      name: 'another card than is wanted',
      pod: { ...asking(slice(10, 10)), annotations: { 'cambricon.com/use-gpuuuid': card(1) } },
      want: '1 CardUuidMismatch',
    },
    {
      name: 'a card that is not wanted',
      pod: { ...asking(slice(10, 10)), annotations: { 'cambricon.com/nouse-gpuuuid': card(0) } },
      want: '1 CardUuidMismatch',
    },
    {
      name: 'a card in use, for a pod that wants one alone',
      bound: [asking(slice(10, 10))],
      pod: { ...asking(slice(10, 10)), annotations: { 'hami.io/gpu-scheduler-policy': 'mutex' } },
      want: '1 ExclusiveDeviceAllocateConflict',
    },
    {
      name: 'two cards of one',
      pod: asking({ ...slice(10, 10), [vmlu]: '2' }),
      want: 'NodeInsufficientDevice',
    },
  ];
  it.each(cases)('$name: $want', ({ bound = [], pod, want }) => {
    const world = new VendorWorld({ vendors, nodes: [oneCard] });
    for (const [index, one] of bound.entries()) {
      if (one.nodeName === undefined) world.bind({ ...one, name: `bound-${index}` });
      else expect(world.take(one)).toEqual([]);
    }
    expect(world.refusal(pod)).toBe(want);
  });

  it('is shared by a hundred at most', () => {
    const world = new VendorWorld({ vendors, nodes: [oneCard] });
    for (let pod = 0; pod < 100; pod += 1) world.bind({ ...asking(slice(1, 1)), name: `p${pod}` });
    expect(world.used()).toEqual({ [card(0)]: '100/25600/100' });
    expect(world.refusal(asking(slice(1, 1)))).toBe('1 CardTimeSlicingExhausted');
  });
});

describe('quotas, whose units are 256 MiB (vendors §3.6, §3.10)', () => {
  const policies = policiesFrom({ nodePolicy: 'binpack', devicePolicy: 'spread' }, vendors);
  const limited = (hard: TextMap) => {
    const world = new VendorWorld({
      vendors,
      nodes: [{ ...twoCards, allocatable: { [vcore]: '200', [vmemory]: '320' } }],
    });
    world.state.applyQuota({ namespace: 'default', name: 'mlu', resourceVersion: '1', hard });
    return world;
  };
  const refusedUnder = (world: VendorWorld, pod: PodFields) => {
    const view = world.state.view('n1');
    if (view === undefined) throw new Error('no node');
    const { request } = readPodRequest(podObject(pod), vendors);
    const planned = plan(view, request, { ...policies, quota: world.state.quotaOf('default') });
    if (planned.ok) return 'fits';
    const { refusal } = planned;
    return refusal.code === 'AllocatedCardsInsufficientRequest' ? refusal.refused : refusal.code;
  };

  it('keep a whole card away that is larger than they allow, though the request names no memory', () => {
    const world = limited({ [`limits.${vmemory}`]: '50' });
    expect(refusedUnder(world, asking({ [vmlu]: '1', [vcore]: '10' }))).toEqual({ ResourceQuotaNotFit: 2 });
    const roomy = limited({ [`limits.${vmemory}`]: '160' });
    expect(refusedUnder(roomy, asking({ [vmlu]: '1', [vcore]: '10' }))).toBe('fits');
  });

  it('count what other pods of the namespace hold', () => {
    const world = limited({ [`limits.${vmemory}`]: '50', [`limits.${vcore}`]: '40' });
    world.bind({ ...asking(slice(30, 30)), name: 'first' });
    expect(refusedUnder(world, asking(slice(20, 10)))).toBe('fits');
    expect(refusedUnder(world, asking(slice(21, 10)))).toEqual({ ResourceQuotaNotFit: 2 });
    expect(refusedUnder(world, asking(slice(20, 11)))).toEqual({ ResourceQuotaNotFit: 2 });
  });

  it('deny at admission, in units as they are written', () => {
    const world = limited({ [`limits.${vmemory}`]: '50' });
    expect(world.admit(asking(slice(51, 10)))).toMatch(/vmemory 51, namespace default has used 0 of 50/);
    expect(world.admit(asking(slice(50, 10)))).toHaveProperty('spec');
  });
});

describe('the lock of a node (vendors §3.8)', () => {
  it('is a time and nobody’s name, and over after two minutes', () => {
    const value = cambriconNodeLock.format(1_700_000_000_123, { namespace: 'default', name: 'p' });
    expect(value).toBe('2023-11-14T22:13:20.123Z');
    expect(parseNodeLock(value)).toEqual({ kind: 'bare', atMs: 1_700_000_000_123 });
    expect(cambriconNodeLock).toMatchObject({
      annotation: 'cambricon.com/dsmlu.lock',
      ownerAnnotation: 'tessera.io/dsmlu-lock-owner',
      expiryMs: 120_000,
    });
    expect(mlu.nodeLock).toBe(cambriconNodeLock);
  });

  it('has its pod beside it', () => {
    const owner = { namespace: 'default', name: 'p', uid: 'uid-p' };
    expect(lockAnnotations(cambriconNodeLock, 1_700_000_000_123, owner)).toEqual({
      'cambricon.com/dsmlu.lock': '2023-11-14T22:13:20.123Z',
      'tessera.io/dsmlu-lock-owner': '2023-11-14T22:13:20.123Z,default,p,uid-p',
    });
  });

  const cases: { name: string; annotations: TextMap; want: boolean; wantAwaited?: false }[] = [
    { name: 'no flag', annotations: {}, want: false, wantAwaited: false },
    {
      name: 'both as they were bound',
      annotations: { CAMBRICON_DSMLU_ASSIGNED: 'false', CAMBRICON_DSMLU_ASSIGHED: 'false' },
      want: false,
    },
    {
      name: 'the public plugin’s word',
      annotations: { CAMBRICON_DSMLU_ASSIGNED: 'false', CAMBRICON_DSMLU_ASSIGHED: 'true' },
      want: true,
    },
    {
      name: 'the word of a plugin that reads HAMi’s spelling',
      annotations: { CAMBRICON_DSMLU_ASSIGNED: 'true', CAMBRICON_DSMLU_ASSIGHED: 'false' },
      want: true,
    },
    { name: 'a pod of HAMi since v2.7.1', annotations: { CAMBRICON_DSMLU_ASSIGNED: 'true' }, want: true },
    { name: 'a pod of HAMi before', annotations: { CAMBRICON_DSMLU_ASSIGHED: 'true' }, want: true },
    {
      name: 'a phase, which this plugin neither reads nor writes',
      annotations: { 'hami.io/bind-phase': 'success' },
      want: false,
      wantAwaited: false,
    },
  ];
  it.each(cases)('$name: served is $want', ({ annotations, want, wantAwaited = true }) => {
    expect(cambriconNodeLock.isServed(annotations)).toBe(want);
    expect(cambriconNodeLock.looksFor?.(annotations)).toBe(wantAwaited);
  });
});

describe('pods that HAMi has bound', () => {
  it('are charged as written, a whole card without amounts included', () => {
    const world = new VendorWorld({ vendors, nodes: [twoCards] });
    expect(world.take(boundByHami('a', `${card(0)},MLU,24576,100:;`, { [vmlu]: '1' }))).toEqual([]);
    expect(world.take(boundByHami('b', `${card(1)},MLU,2560,10:;`, slice(10, 10)))).toEqual([]);
    expect(world.used()).toEqual({ [card(0)]: '1/24576/100', [card(1)]: '1/2560/10' });
  });

  it('are charged at least what they ask for where their annotations are not believed, and not more', () => {
    const state = makeState({ vendors, trust: 'at-least-request', nodes: [twoCards] });
    state.applyPod(podObject(boundByHami('a', `${card(0)},MLU,1,1:;`, slice(20))), 0);
    state.applyPod(podObject(boundByHami('b', `${card(1)},MLU,2560,10:;`, slice(10, 10))), 0);
    expect(cardsOf(state)).toEqual({ [card(0)]: '1/5120/100', [card(1)]: '1/2560/10' });
  });

  it('withhold a card each where nobody wrote which they have', () => {
    const state = makeState({ vendors, nodes: [twoCards] });
    state.applyPod(podObject({ nodeName: 'n1', ...asking({ [vmemory]: '10', [vcore]: '10' }) }), 0);
    expect(Object.values(cardsOf(state)).sort()).toEqual(['0/0/0', '0/0/0 withheld']);
  });
});
