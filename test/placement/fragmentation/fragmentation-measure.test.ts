import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeFragmentationMeasure } from '../../../src/placement/fragmentation/fragmentation-measure.ts';
import { arbitraryCard } from '../../support/arbitrary-cards.ts';
import { makeView } from '../../support/views.ts';
import { makeCard, makeClass, makeNode } from './mix-classes.ts';

const [tenth, half, whole, pair, bound, without] = [
  makeClass({ percent: 10, weight: 4 }),
  makeClass({ percent: 50, cpuMilli: 4000, weight: 2 }),
  makeClass({ percent: 100, weight: 1 }),
  makeClass({ percent: 100, count: 2, weight: 1 }),
  makeClass({ percent: 10, weight: 1, types: ['rare'] }),
  makeClass({ weight: 1 }),
];
const classes = [tenth, half, whole, pair, bound, without];

describe('what is useless of a node', () => {
  const cases = [
    {
      name: 'to a class that is too large for a card is what is idle there',
      cards: [makeCard(), makeCard(60), makeCard(95)],
      cpuMilli: 8000,
      // Idle 1000, 400 and 50.
      want: [50, 450, 450, 1450, 1450, 1450],
    },
    {
      name: 'to a class whose CPU is gone is all that is idle',
      cards: [makeCard(), makeCard()],
      cpuMilli: 3999,
      want: [0, 2000, 0, 0, 2000, 2000],
    },
    {
      name: 'to a class of another type is all, and nothing is useless to a class of that type',
      cards: [makeCard(20, { type: 'RARE' })],
      cpuMilli: 64_000,
      want: [0, 0, 800, 800, 0, 800],
    },
    {
      name: 'is nothing of cards that nobody is given, and nothing on full ones',
      cards: [makeCard(0, { healthy: false }), makeCard(100)],
      cpuMilli: 64_000,
      want: [0, 0, 0, 0, 0, 0],
    },
    {
      name: 'without free CPU is all to classes that take some',
      cards: [makeCard(50)],
      cpuMilli: -1,
      want: [500, 500, 500, 500, 500, 500],
    },
  ];
  it.each(cases)('$name', ({ cards, cpuMilli, want }) => {
    const measure = makeFragmentationMeasure(classes);
    const view = makeNode(cards, cpuMilli);
    expect(measure.classes).toEqual(classes);
    expect(measure.uselessByClass(view)).toEqual(want);
    const mean = want.reduce((sum, useless, index) => sum + useless * classes[index]!.weight, 0) / 10;
    expect(measure.fragmentedMilli(view)).toBeCloseTo(mean, 9);
  });

  it('is told by family: each against its own classes and those without devices', () => {
    const dcu = makeClass({ vendor: 'DCU', percent: 50, weight: 3 });
    const measure = makeFragmentationMeasure([half, dcu, without]);
    const view = makeNode([makeCard(70), makeCard(0, { vendor: 'DCU' })]);
    expect(measure.idleMilli(view)).toBe(1300);
    expect(measure.idleMilli(view, 'NVIDIA')).toBe(300);
    expect(measure.idleMilli(view, 'MLU')).toBe(0);
    expect(measure.uselessByClass(view)).toEqual([300, 0, 1300]);
    expect(measure.fragmentedMilli(view, 'NVIDIA')).toBeCloseTo(300, 9);
    expect(measure.fragmentedMilli(view, 'DCU')).toBeCloseTo(1000 / 4, 9);
    expect(measure.fragmentedMilli(view)).toBeCloseTo(550, 9);
  });

  it('is all that is idle where nothing is expected', () => {
    const view = makeNode([makeCard(70)]);
    const measure = makeFragmentationMeasure([]);
    // Nobody asks for compute, so memory alone counts.
    expect([measure.idleMilli(view), measure.fragmentedMilli(view)]).toEqual([300, 300]);
  });

  it('does not depend on what was measured before, and is never more than what is idle', () => {
    const mixed = [
      makeClass({ percent: 3, weight: 4 }),
      makeClass({ percent: 30 }),
      makeClass({ percent: 30, vendor: 'DCU' }),
      makeClass({ percent: 100, count: 2, types: ['a100'] }),
      makeClass(),
    ];
    const used = makeFragmentationMeasure(mixed);
    fc.assert(
      fc.property(
        fc.array(arbitraryCard, { maxLength: 8 }),
        fc.integer({ min: 0, max: 3000 }),
        (devices, cpuMilli) => {
          const view = makeView({ devices, hostFree: { cpuMilli, memoryMiB: 0, pods: 0 } });
          const fresh = makeFragmentationMeasure(mixed);
          const fragmented = used.fragmentedMilli(view);
          expect(fragmented).toBe(fresh.fragmentedMilli(view));
          expect(used.uselessByClass(view)).toEqual(fresh.uselessByClass(view));
          expect(fragmented).toBeLessThanOrEqual(used.idleMilli(view) + 1e-9);
          expect(fragmented).toBeGreaterThanOrEqual(-1e-9);
        },
      ),
      { numRuns: 300 },
    );
  });
});
