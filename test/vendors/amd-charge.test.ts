/**
 * What AMD pods are charged: compute units on their cards, percent in their namespace's quotas, and the same after a
 * restart, when all that is left of a pod is its annotations.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { writeBack } from '../../src/kubernetes/allocation-write-back.ts';
import type { RestRequest } from '../../src/kubernetes/rest-client.ts';
import { Sealer } from '../../src/kubernetes/seal.ts';
import { type Plan, plan } from '../../src/placement/planner.ts';
import { policiesFrom } from '../../src/placement/policy-defaults.ts';
import type { Trust } from '../../src/state/charge.ts';
import type { DeviceState } from '../../src/state/device-state.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import { cardsOf, makeState, nodeObject, podObject } from '../state/support/device-states.ts';
import type { ContainerObjectFields, PodFields } from '../support/kubernetes-objects.ts';
import { allocated, amdLimits, amdNode, amdPod, amdVendors, amdWorld, card, mi300x } from './amd-world.ts';

const cards = [card('a'), card('b', { index: 1 })];
const quarter = { limits: amdLimits({ count: 1, memoryMiB: 20_000, percent: 25 }) };

/** What the pods of the namespace count against its quota on compute. */
function countedPercent(state: DeviceState): number | undefined {
  state.applyQuota({
    namespace: 'default',
    name: 'team',
    resourceVersion: '1',
    hard: { 'limits.amd.com/gpucores': '1000' },
  });
  return state.quotaOf('default').get('AMD')?.cores?.used;
}

describe('a bound pod that is read back', () => {
  const trusts: readonly Trust[] = ['as-written', 'at-least-request'];
  const whole = `a,${mi300x},20000,76:;`;
  const cases: {
    name: string;
    containers?: readonly ContainerObjectFields[];
    value: string;
    want: string;
    wantPercent?: number;
    /** Only where the annotation is not believed. */
    raised?: string;
  }[] = [
    { name: 'what we write', value: whole, want: '1/20000/76' },
    { name: 'another word', value: 'a,AMD,20000,76:;', want: '1/20000/76' },
    {
      name: 'places for every container',
      containers: [{}, quarter],
      value: `;${whole}`,
      want: '1/20000/76',
    },
    {
      name: 'places lost, as HAMi writes where the word is not the key',
      containers: [{}, quarter],
      value: whole,
      want: '1/20000/76',
    },
    { name: 'less than it asked for', value: `a,${mi300x},100,1:;`, want: '1/100/1', raised: '1/20000/76' },
    { name: 'more than it asked for', value: `a,${mi300x},30000,100:;`, want: '1/30000/100' },
    {
      name: 'a whole card',
      containers: [{ limits: amdLimits({ count: 1 }) }],
      value: `a,${mi300x},196288,304:;`,
      want: '1/196288/304',
      wantPercent: 100,
    },
    {
      name: 'a request that cannot be read, which counts as a whole card in quotas',
      containers: [{ limits: amdLimits({ count: 1, percent: 0 }) }],
      value: whole,
      want: '1/20000/76',
      raised: '1/196288/304',
      wantPercent: 100,
    },
  ];
  it.each(
    cases.flatMap(({ name, raised, want, ...fields }) =>
      trusts.map((trust) => ({
        name: `${name}, ${trust}`,
        trust,
        ...fields,
        want: trust === 'at-least-request' ? (raised ?? want) : want,
      })),
    ),
  )('$name: $want of card a, and percent in quotas', ({ trust, containers, value, want, wantPercent }) => {
    const state = makeState({ trust, vendors: amdVendors, nodes: [amdNode(cards)] });
    const annotations = { 'hami.io/vgpu-node': 'n1', [allocated]: value };
    const pod = podObject({ nodeName: 'n1', containers: containers ?? [quarter], annotations });
    expect(state.applyPod(pod, 0)).toEqual([]);
    expect(cardsOf(state)).toEqual({ a: want, b: '0/0/0' });
    expect(countedPercent(state)).toBe(wantPercent ?? 25);
  });

  it('is what it was when it was bound', () => {
    const world = amdWorld(cards);
    const fields: PodFields = { containers: [{}, quarter] };
    const planned = world.plan(fields);
    const annotations = world.bind(fields);
    for (const trust of trusts) {
      const restarted = makeState({ trust, vendors: amdVendors, nodes: [amdNode(cards)] });
      restarted.applyPod(podObject({ ...fields, nodeName: 'n1', annotations }), 0);
      expect(cardsOf(restarted)).toEqual(world.used());
      expect(countedPercent(restarted)).toBe(countedPercent(world.state));
      const [entry] = restarted.entries();
      expect(planned).toMatchObject({ ok: true, allocation: entry?.allocation });
    }
  });

  it('is what it was, whatever cards there are and whatever is asked, and never more than they have', () => {
    const anyCards = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 304 }), fc.integer({ min: 1, max: 9000 })), {
        minLength: 1,
        maxLength: 3,
      })
      .map((sizes) => sizes.map(([devcore, devmem], index) => card(`c${index}`, { index, devcore, devmem })));
    const anyAsk = fc.record(
      {
        count: fc.integer({ min: 1, max: 2 }),
        memoryMiB: fc.integer({ min: 1, max: 4000 }),
        percent: fc.integer({ min: 1, max: 100 }),
      },
      { requiredKeys: ['count'] },
    );
    fc.assert(
      fc.property(
        anyCards,
        fc.array(anyAsk, { maxLength: 12 }),
        fc.constantFrom(...trusts),
        (own, asks, trust) => {
          const world = amdWorld(own);
          const restarted = makeState({ trust, vendors: amdVendors, nodes: [amdNode(own)] });
          let percent = 0;
          for (const [index, ask] of asks.entries()) {
            const pod = amdPod(ask, `p${index}`);
            if (world.refusal(pod) !== 'fits') continue;
            const annotations = world.bind(pod);
            restarted.applyPod(podObject({ ...pod, nodeName: 'n1', annotations }), 0);
            percent += ask.count * (ask.percent ?? 100);
          }
          expect(cardsOf(restarted)).toEqual(world.used());
          expect(countedPercent(restarted)).toBe(percent);
          for (const { device, used } of restarted.view('n1')!.devices) {
            expect(used.corePercent <= device.corePercent && used.memoryMiB <= device.memoryMiB).toBe(true);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is charged before the cards of its node are known, and the same when they are', () => {
    const state = makeState({ trust: 'at-least-request', vendors: amdVendors });
    const annotations = { 'hami.io/vgpu-node': 'n1', [allocated]: `a,${mi300x},100,1:;` };
    state.applyPod(podObject({ nodeName: 'n1', containers: [quarter], annotations }), 0);
    state.applyNode(nodeObject(amdNode(cards)));
    expect(cardsOf(state)['a']).toBe('1/20000/76');
  });

  it('sets a card aside where nobody knows which one it has', () => {
    const state = makeState({ vendors: amdVendors, nodes: [amdNode(cards)] });
    state.applyPod(podObject({ nodeName: 'n1', containers: [quarter] }), 0);
    expect(Object.values(cardsOf(state)).filter((text) => text.endsWith('withheld'))).toHaveLength(1);
  });
});

describe('an allocation that somebody has changed', () => {
  it('is written back to the letter, and the note of the plugin stays as it is', async () => {
    const note = { 'hami.io/amd-cu-allocated': '{"a":"0-75"}' };
    const world = amdWorld(cards);
    const fields = { name: 'train', containers: [quarter] };
    const written = world.bind(fields);
    const bound = { ...written, 'hami.io/bind-phase': 'success', ...note };
    const sealer = new Sealer(Buffer.alloc(32, 7), amdVendors);
    const changed = { ...bound, [allocated]: `a,${mi300x},1,1:;` };
    const bodies: unknown[] = [];
    const client = {
      request: ({ body }: RestRequest) => {
        bodies.push(body);
        return Promise.resolve({ kind: 'ok', status: 200, body: {} } as const);
      },
    };
    const pod = podObject({ ...fields, nodeName: 'n1', annotations: changed });
    const { state } = world;
    expect(await writeBack(pod, state.entry(pod.uid)!, { client, sealer, state })).toBeUndefined();
    expect(bodies).toEqual([
      {
        metadata: {
          uid: pod.uid,
          resourceVersion: '1',
          annotations: {
            'hami.io/vgpu-node': 'n1',
            [allocated]: written[allocated],
            'tessera.io/seal': sealer.seal(pod.uid, 'n1', { [allocated]: written[allocated]! }),
          },
        },
      },
    ]);
  });
});

describe('a quota on compute counts percent, whatever the units of the cards', () => {
  function planUnder(percent: string, pod: PodFields): Plan {
    const state = makeState({ vendors: amdVendors, nodes: [amdNode(cards)] });
    const earlier = { 'hami.io/vgpu-node': 'n1', [allocated]: `a,${mi300x},20000,76:;` };
    state.applyPod(
      podObject({ name: 'earlier', nodeName: 'n1', containers: [quarter], annotations: earlier }),
      0,
    );
    state.applyQuota({
      namespace: 'default',
      name: 'team',
      resourceVersion: '1',
      hard: { 'limits.amd.com/gpucores': percent },
    });
    const policies = policiesFrom({ nodePolicy: 'binpack', devicePolicy: 'spread' }, amdVendors);
    const { request } = readPodRequest(podObject(pod), amdVendors);
    return plan(state.view('n1')!, request, { ...policies, quota: state.quotaOf('default') });
  }

  const cases = [
    { name: 'as much as is left', quota: '75', ask: { count: 1, memoryMiB: 100, percent: 50 }, want: 'fits' },
    {
      name: 'one percent too much',
      quota: '74',
      ask: { count: 1, memoryMiB: 100, percent: 50 },
      want: 'refused',
    },
    {
      name: 'two cards, each with its percent',
      quota: '125',
      ask: { count: 2, memoryMiB: 100, percent: 50 },
      want: 'fits',
    },
    {
      name: 'two cards beyond it',
      quota: '124',
      ask: { count: 2, memoryMiB: 100, percent: 50 },
      want: 'refused',
    },
    { name: 'a whole card', quota: '125', ask: { count: 1 }, want: 'fits' },
    { name: 'a whole card beyond it', quota: '124', ask: { count: 1 }, want: 'refused' },
  ];
  it.each(cases)('25 in use, $quota allowed: $name: $want', ({ quota, ask, want }) => {
    const planned = planUnder(quota, amdPod(ask));
    if (want === 'fits') expect(planned).toMatchObject({ ok: true });
    else expect(planned).toMatchObject({ refusal: { refused: { ResourceQuotaNotFit: expect.any(Number) } } });
  });

  it('is what admission tells of', () => {
    const world = amdWorld(cards);
    world.bind({ name: 'earlier', containers: [quarter] });
    world.state.applyQuota({
      namespace: 'default',
      name: 'team',
      resourceVersion: '1',
      hard: { 'limits.amd.com/gpucores': '100' },
    });
    expect(world.admit(amdPod({ count: 1, percent: 76 }))).toMatch(
      /asks for limits\.amd\.com\/gpucores 76, namespace default has used 25 of 100/,
    );
    expect(world.admit(amdPod({ count: 1, percent: 75 }))).toMatchObject({ kind: 'Pod' });
  });
});
