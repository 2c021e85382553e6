import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Allocation } from '../../../src/model/allocation.ts';
import type { NodeView } from '../../../src/model/node-view.ts';
import type { PodRequest } from '../../../src/model/request.ts';
import {
  makeFragmentationScoring,
  ratingOf,
  stepsOf,
} from '../../../src/placement/fragmentation/fragmentation-scoring.ts';
import { supplyOf } from '../../../src/placement/fragmentation/supply.ts';
import { plan } from '../../../src/placement/planner.ts';
import type { Scoring } from '../../../src/placement/scoring.ts';
import { SimulatedCluster } from '../../../src/simulator/simulated-cluster.ts';
import { parseDevicePolicy } from '../../../src/vendors/policy-annotations.ts';
import { arbitraryCard } from '../../support/arbitrary-cards.ts';
import { makePodRequest, type PodRequestFields } from '../../support/requests.ts';
import { makeView } from '../../support/views.ts';
import { makeCard, makeClass, makeNode } from './mix-classes.ts';

const devicePolicy = parseDevicePolicy('binpack');

function planBy(scoring: Scoring, view: NodeView, request: PodRequest) {
  return plan(view, request, { nodePolicy: 'fragmentation', devicePolicy, scoring });
}

function share(percent: number, cpuMilli = 1000, count = 1): PodRequest {
  return makePodRequest({
    containers: [{ count, memoryMiB: percent * 100, corePercent: percent }],
    host: { cpuMilli, memoryMiB: 0, pods: 1 },
  });
}

const idsOf = (allocation: Allocation) => allocation.flat().map(({ deviceId }) => deviceId);

describe('which card is taken', () => {
  /** Most pods ask for 70 %, some for 30. */
  const mix = [
    makeClass({ percent: 70, weight: 3 }),
    makeClass({ percent: 30, weight: 3 }),
    makeClass({ percent: 100 }),
  ];
  const cases = [
    {
      name: 'the one whose rest it fills, not the one that is fullest',
      cards: [makeCard(0), makeCard(70), makeCard(68)],
      pod: share(30),
      want: ['gpu-1'],
    },
    { name: 'of equal ones the first', cards: [makeCard(70), makeCard(70)], pod: share(30), want: ['gpu-0'] },
    {
      name: 'the fullest where nothing else tells them apart',
      cards: [makeCard(71), makeCard(72), makeCard(71)],
      pod: share(1),
      want: ['gpu-1'],
    },
    {
      name: 'for several the best beside those that are taken already',
      cards: [makeCard(0), makeCard(40), makeCard(70), makeCard(0)],
      pod: share(30, 1000, 2),
      want: ['gpu-2', 'gpu-1'],
    },
    {
      name: 'whole cards in the order of the node',
      cards: [makeCard(10), makeCard(), makeCard(), makeCard()],
      pod: share(100, 1000, 2),
      want: ['gpu-1', 'gpu-2'],
    },
  ];
  it.each(cases)('$name', ({ cards, pod, want }) => {
    const view = makeNode(cards);
    const planned = planBy(makeFragmentationScoring(mix, supplyOf([view])), view, pod);
    expect(planned.ok && idsOf(planned.allocation)).toEqual(want);
  });
});

describe('which node is better', () => {
  const mix = [
    makeClass({ percent: 50, cpuMilli: 4000, weight: 2 }),
    makeClass({ percent: 100, cpuMilli: 8000 }),
  ];
  const scoreOn = (view: NodeView, pod: PodRequest, cluster = [view]) => {
    const planned = planBy(makeFragmentationScoring(mix, supplyOf(cluster)), view, pod);
    return planned.ok ? planned.score : undefined;
  };

  it('one with half a card free for a half, before one that is idle, before one where it leaves what nobody asks for', () => {
    const filled = scoreOn(makeNode([makeCard(50)]), share(50, 4000));
    const opened = scoreOn(makeNode([makeCard(0)]), share(50, 4000));
    const spoiled = scoreOn(makeNode([makeCard(0)]), share(60, 4000));
    expect(filled).toBeGreaterThan(opened!);
    expect(opened).toBeGreaterThan(spoiled!);
  });

  it('for a pod without devices, one whose CPU no idle card waits for', () => {
    const pod = makePodRequest({
      containers: [{ devices: [] }],
      host: { cpuMilli: 4000, memoryMiB: 0, pods: 1 },
    });
    const busy = scoreOn(makeNode([makeCard(100)], 8000), pod);
    const plenty = scoreOn(makeNode([makeCard(0)], 64_000), pod);
    const scarce = scoreOn(makeNode([makeCard(0)], 8000), pod);
    expect(busy).toBe(50);
    expect(plenty).toBe(50);
    expect(scarce).toBeLessThan(50);
  });

  it('one of a usual type, where others ask for the rare one', () => {
    const rare = makeNode([makeCard(0, { type: 'RARE' })]);
    const usual = makeNode([makeCard(), makeCard(), makeCard()]);
    const classes = [...mix, makeClass({ percent: 50, cpuMilli: 4000, types: ['rare'] })];
    const scoring = makeFragmentationScoring(classes, supplyOf([rare, usual]));
    const [onRare, onUsual] = [rare, usual].map((view) => planBy(scoring, view, share(50, 4000)));
    expect(onUsual?.ok && onUsual.score).toBeGreaterThan(onRare?.ok ? onRare.score : 100);
  });

  it('the same where some ask for more cards than any node has, as where they ask for all of a node', () => {
    const cluster = [makeNode([makeCard(), makeCard(50), makeCard()]), makeNode([makeCard(30)])];
    const scoresWith = (count: number) => {
      const classes = [...mix, makeClass({ percent: 100, count, cpuMilli: 16_000 })];
      const scoring = makeFragmentationScoring(classes, supplyOf(cluster));
      return cluster
        .map((view) => planBy(scoring, view, share(50, 4000)))
        .map((planned) => planned.ok && planned.score);
    };
    expect(scoresWith(1024)).toEqual(scoresWith(3));
    expect(scoresWith(3)).not.toEqual(scoresWith(2));
  });

  it('has an answer for kinds of cards that were not there when it was made', () => {
    const scoring = makeFragmentationScoring(mix, []);
    const planned = planBy(scoring, makeNode([makeCard()]), share(50));
    expect(planned.ok && planned.score > 0 && planned.score < 100).toBe(true);
  });
});

describe('the scale', () => {
  it('counts whole steps of three thousandths of a card, rounded down', () => {
    expect([0, 2.9, 3, 3 - 1e-9, 299.9999999, -0.5, -3].map(stepsOf)).toEqual([0, 0, 1, 1, 100, -1, -1]);
  });

  it('rises with every step and stays within 0 and 100', () => {
    let before = 0;
    for (let steps = -100_000; steps <= 100_000; steps += 1) {
      const rating = ratingOf(steps);
      if (rating <= before) throw new Error(`${steps} steps are rated ${rating}, fewer ${before}`);
      before = rating;
    }
    expect(before).toBeLessThan(100);
    expect([-500, 0, 500].map(ratingOf)).toEqual([25, 50, 75]);
  });
});

describe('the same question gets the same answer', () => {
  const mix = [
    makeClass({ percent: 10, weight: 5, cpuMilli: 500 }),
    makeClass({ percent: 33, weight: 3, cpuMilli: 4000 }),
    makeClass({ percent: 81, weight: 6, cpuMilli: 9000 }),
    makeClass({ percent: 100, count: 2, weight: 2, cpuMilli: 8000 }),
    makeClass({ percent: 50, vendor: 'DCU', cpuMilli: 1000 }),
    makeClass({ percent: 50, types: ['a10'], cpuMilli: 3000 }),
    makeClass({ weight: 3, cpuMilli: 2000 }),
  ];
  const arbitraryPod: fc.Arbitrary<PodRequestFields> = fc.record({
    containers: fc.array(
      fc.record({
        role: fc.constantFrom('app' as const, 'app' as const, 'init' as const),
        count: fc.constantFrom(1, 1, 1, 2),
        memoryMiB: fc.constantFrom(0, 128, 1000, 3300, 8100, 10_000),
        corePercent: fc.constantFrom(0, 10, 33, 81, 100),
        vendor: fc.constantFrom('NVIDIA', 'NVIDIA', 'DCU'),
      }),
      { minLength: 1, maxLength: 2 },
    ),
    host: fc.record({ cpuMilli: fc.nat({ max: 12_000 }), memoryMiB: fc.constant(0), pods: fc.constant(1) }),
  });

  it('whatever was asked before, while pods come and go', () => {
    let placed = 0;
    const nodes = fc.array(fc.array(arbitraryCard, { maxLength: 6 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(nodes, fc.array(arbitraryPod, { maxLength: 12 }), (cards, pods) => {
        const views = cards.map((devices) => makeView({ devices, countFree: {} }));
        const supply = supplyOf(views);
        const cluster = new SimulatedCluster(views);
        const used = makeFragmentationScoring(mix, supply);
        for (const [at, fields] of pods.entries()) {
          const request = makePodRequest({ ...fields, podUid: `${at}` });
          let best:
            { readonly node: number; readonly score: number; readonly allocation: Allocation } | undefined;
          for (const [node, view] of cluster.views.entries()) {
            const planned = planBy(used, view, request);
            expect(planned).toEqual(planBy(makeFragmentationScoring(mix, supply), view, request));
            if (planned.ok && (best === undefined || planned.score > best.score)) best = { node, ...planned };
          }
          if (best === undefined) continue;
          placed += 1;
          cluster.place({ request, node: best.node, allocation: best.allocation });
          if (at % 4 === 3) cluster.release(`${at - 2}`);
        }
      }),
      { numRuns: 60 },
    );
    expect(placed).toBeGreaterThan(60);
  });

  it('of pictures of nodes as they might be, and of another cluster with the same slots', () => {
    const supply = supplyOf([makeNode([makeCard()])]);
    const scoring = makeFragmentationScoring(mix, supply);
    const score = (view: NodeView) => {
      const planned = planBy(scoring, view, share(33));
      return planned.ok ? planned.score : undefined;
    };
    const [filled, idle] = [[makeCard(67)], [makeCard(0)]];
    const [onFilled, onIdle] = [score(makeNode(filled)), score(makeNode(idle))];
    expect(onFilled).toBeGreaterThan(onIdle!);
    expect([score(makeNode(filled, 64_000, 3)), score(makeNode(idle, 64_000, 3))]).toEqual([
      onFilled,
      onIdle,
    ]);
    expect([score(makeNode(idle)), score(makeNode(filled, 64_000, 3))]).toEqual([onIdle, onFilled]);
  });
});
