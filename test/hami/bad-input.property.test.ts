/**
 * Whatever stands in an annotation or a quota: nothing throws, a value that is refused leaves the last good one in
 * force, one that is taken gives no more than its own text says, and the accounts of other pods, vendors and quotas are
 * as they were. Random faults, seed printed on failure.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { plan } from '../../src/placement/planner.ts';
import type { Trust } from '../../src/state/charge.ts';
import type { DeviceState } from '../../src/state/device-state.ts';
import { binpackBinpack } from '../scheduler/support/scheduler-world.ts';
import {
  allocationAnnotations,
  makeState,
  nvidiaVendors,
  pictureOf,
  podObject,
} from '../state/support/device-states.ts';
import { dcuVendor } from '../state/support/second-vendor.ts';
import { gpuLimits } from '../support/kubernetes-objects.ts';
import { makePodRequest } from '../support/requests.ts';
import { brokenValue } from './mutations.ts';
import {
  cardOf,
  expectAnswers,
  expectNeighbourCharged,
  makeCluster,
  neighbours,
  node,
  nvidiaMemory,
  register,
  reservation,
  reservationsKey,
  slice,
} from './two-vendor-cluster.ts';
import { versions } from './versions.ts';

const registerKey = 'hami.io/node-nvidia-register';
const scoreKey = 'hami.io/node-nvidia-score';
const cordonKey = 'hami.io/device-cordon';
const runs = { numRuns: 300 };

/** The sum of the memory of all cards as the text has it, by whatever notation. */
function memoryWritten(value: string): number {
  try {
    const json: unknown = JSON.parse(value);
    if (!Array.isArray(json)) return 0;
    return json.reduce<number>(
      (sum, card) => sum + Number((card as { devmem?: unknown } | null)?.devmem ?? 0),
      0,
    );
  } catch {
    return value.split(':').reduce((sum, record) => sum + Number(record.split(',')[2] ?? 0), 0);
  }
}

describe('on a node', () => {
  const registers = versions.map((version) => version.register);
  const isJson = (value: string) => value.startsWith('[');
  it.each([
    { form: 'JSON', good: [register, ...registers.filter(isJson)] },
    { form: 'CSV', good: registers.filter((value) => !isJson(value)) },
  ])(
    'a broken $form register keeps the last good one; what can be read gives no more than it says',
    ({ good }) => {
      const seen = { refused: 0, taken: 0 };
      fc.assert(
        fc.property(brokenValue(...(good as [string, ...string[]])), (value) => {
          const state = makeCluster();
          const before = pictureOf(state, 'n1');
          const problems = state.applyNode(node({ [registerKey]: value }));
          if (problems.length > 0) {
            seen.refused += 1;
            expect(pictureOf(state, 'n1')).toEqual(before);
          } else {
            seen.taken += 1;
            expect(nvidiaMemory(state)).toBeLessThanOrEqual(memoryWritten(value));
          }
          expectNeighbourCharged(state);
          expectAnswers(state);
          // The good value comes back, and with it everything that was.
          state.applyNode(node());
          expect(pictureOf(state, 'n1')).toEqual(before);
        }),
        runs,
      );
      expect(Math.min(seen.refused, seen.taken)).toBeGreaterThan(10);
    },
  );

  it('a broken register at first sight offers nothing of its vendor and all of the other', () => {
    fc.assert(
      fc.property(brokenValue(register), (value) => {
        const state = makeState({ vendors: [...nvidiaVendors, dcuVendor] });
        const problems = state.applyNode(node({ [registerKey]: value }));
        if (problems.length > 0) {
          expect(nvidiaMemory(state)).toBe(0);
          expect(state.view('n1')?.unavailable.has('NVIDIA')).toBe(true);
        }
        expect(cardOf(state, 'DCU-0')).toBeDefined();
      }),
      runs,
    );
  });

  it('broken scores change nothing but links', () => {
    const score = JSON.stringify([
      { uuid: 'GPU-a', score: { 'GPU-b': 100 } },
      { uuid: 'GPU-b', score: { 'GPU-a': 100 } },
    ]);
    fc.assert(
      fc.property(brokenValue(score), (value) => {
        const state = makeCluster();
        const before = pictureOf(state, 'n1');
        const problems = state.applyNode(node({ [scoreKey]: value }));
        const picture = state.view('n1')?.devices.map(({ device: { linkScores, ...device }, ...card }) => {
          if (problems.length > 0) expect(linkScores).toBeUndefined();
          return { ...card, device };
        });
        expect(picture).toEqual((before as { devices: unknown }).devices);
        expectAnswers(state);
        const linked = makePodRequest({ containers: [{ count: 2, memoryMiB: 100 }] });
        const view = state.view('n1');
        if (view === undefined) throw new Error('the node is gone');
        const topologyAware = { ...binpackBinpack.devicePolicy, topologyAware: true };
        expect(plan(view, linked, { ...binpackBinpack, devicePolicy: topologyAware }).ok).toBe(true);
      }),
      runs,
    );
  });

  it('a broken cordon list closes the cards that it names and no other, and hides nothing of what is used', () => {
    fc.assert(
      fc.property(brokenValue('GPU-a, GPU-b,', 'GPU-m'), (value) => {
        const state = makeCluster();
        const before = state.view('n1')?.devices.map((card) => ({ ...card, cordoned: false }));
        expect(state.applyNode(node({ [cordonKey]: value }))).toEqual([]);
        const after = state.view('n1')?.devices ?? [];
        expect(after.map((card) => ({ ...card, cordoned: false }))).toEqual(before);
        for (const { device, cordoned } of after) if (cordoned) expect(value).toContain(device.id);
        for (const [id] of Object.entries(neighbours)) {
          const listed = value.split(',').some((item) => item.trim() === id);
          expect(cardOf(state, id)?.cordoned).toBe(listed && id !== 'DCU-0');
        }
      }),
      runs,
    );
  });

  it('a handshake changes nothing, whatever it says', () => {
    const good = [
      'Reported 2026-01-01 04:30:04 +0000 UTC m=+1.77',
      'Requesting_2026-01-01 04:30:04',
      'Deleted_x',
    ];
    fc.assert(
      fc.property(brokenValue(...(good as [string, ...string[]])), (value) => {
        const state = makeCluster();
        const before = state.view('n1');
        expect(state.applyNode(node({ 'hami.io/node-handshake': value }))).toEqual([]);
        expect(state.view('n1')).toBe(before);
      }),
      { numRuns: 100 },
    );
  });
});

describe('on a pod', () => {
  const asked = gpuLimits({ count: 1, memoryMiB: 2000, corePercent: 20 });
  const podWith = (annotations: Readonly<Record<string, string>>, limits = asked) =>
    podObject({ name: 'broken', nodeName: 'n1', containers: [{ limits }], annotations });
  const trusts = fc.constantFrom<Trust>('as-written', 'at-least-request');
  const amounts = (state: DeviceState) =>
    (state.view('n1')?.devices ?? []).reduce(
      (sum, { used, withheld }) => sum + used.slots + (withheld ? 1 : 0),
      0,
    );

  it('a broken allocation charges its own pod something, and takes nothing off anybody', () => {
    const good = [
      'GPU-a,NVIDIA,2000,20:;',
      'GPU-b,NVIDIA,2000,20:;;',
      'GPU-m[1-0],NVIDIA,9984,29:;',
    ] as const;
    const seen = { refused: 0, taken: 0 };
    fc.assert(
      fc.property(brokenValue(...good), trusts, (value, trust) => {
        const state = makeCluster(trust);
        const before = pictureOf(state, 'n1');
        const free = amounts(state);
        const problems = state.applyPod(podWith(allocationAnnotations('n1', value)), 0);
        seen[problems.length > 0 ? 'refused' : 'taken'] += 1;
        expectNeighbourCharged(state);
        expectAnswers(state);
        expect(state.entry('uid-broken')).toMatchObject({ node: 'n1', state: 'bound' });
        // What is believed as it stands may name a card that is not here; anything else costs the node something.
        if (trust === 'at-least-request' || problems.length > 0) expect(amounts(state)).toBeGreaterThan(free);
        for (const { used } of state.view('n1')?.devices ?? []) {
          expect(Math.min(used.slots, used.memoryMiB, used.corePercent)).toBeGreaterThanOrEqual(0);
        }
        state.removePod('uid-broken', 0);
        expect(pictureOf(state, 'n1')).toEqual(before);
      }),
      runs,
    );
    expect(Math.min(seen.refused, seen.taken)).toBeGreaterThan(10);
  });

  it('a broken MIG reservation leaves every instance occupied, or closes the card', () => {
    const own = reservation(0, { start: 4, size: 2 });
    const made = { ...own, migUUID: 'MIG-1', gpuInstanceID: 0, computeInstanceID: 0 };
    const holder = gpuLimits({ count: 1, memoryMiB: 9000 });
    fc.assert(
      fc.property(brokenValue(JSON.stringify([own]), JSON.stringify([made])), trusts, (value, trust) => {
        const state = makeCluster(trust);
        const before = pictureOf(state, 'n1');
        const allocated = allocationAnnotations('n1', 'GPU-m,NVIDIA,9984,29:;');
        state.applyPod(podWith({ ...allocated, [reservationsKey]: value }, holder), 0);
        expectNeighbourCharged(state);
        expectAnswers(state);
        const card = cardOf(state, 'GPU-m');
        expect(card?.used).toMatchObject({ slots: 2, memoryMiB: 2 * 9984 });
        expect(card?.occupied).toContainEqual(slice.placement);
        expect(card?.unclear === true || card?.occupied.length === 2).toBe(true);
        expect(cardOf(state, 'GPU-a')?.unclear).toBe(false);
        state.removePod('uid-broken', 0);
        expect(pictureOf(state, 'n1')).toEqual(before);
      }),
      runs,
    );
  });
});

describe('in a quota', () => {
  it('a broken limit keeps the last good one, and never lifts that of another object', () => {
    const memory = 'limits.nvidia.com/gpumem';
    const quota = (name: string, value: string, namespace = 'default') => ({
      namespace,
      name,
      resourceVersion: '1',
      hard: { [memory]: value },
    });
    fc.assert(
      fc.property(brokenValue('5000', '5k', '4.5k'), (value) => {
        const state = makeCluster();
        for (const one of [quota('a', '5000'), quota('b', '6000'), quota('a', '7000', 'other')])
          state.applyQuota(one);
        const problems = state.applyQuota(quota('a', value));
        const limit = state.quotaOf('default').get('NVIDIA')?.memory;
        // 3000 of the share and 9984 of the instance.
        expect(limit?.used).toBe(12_984);
        expect(limit?.limit).toBeLessThanOrEqual(6000);
        expect(limit?.limit).toBeGreaterThanOrEqual(0);
        if (problems.some(({ problem }) => !problem.includes('counts as'))) expect(limit?.limit).toBe(5000);
        expect(state.quotaOf('other').get('NVIDIA')?.memory?.limit).toBe(7000);
        expectNeighbourCharged(state);
      }),
      runs,
    );
  });
});
