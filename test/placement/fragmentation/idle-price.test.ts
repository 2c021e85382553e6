import { describe, expect, it } from '@jest/globals';
import type { NodeView } from '../../../src/model/node-view.ts';
import { GroupBook } from '../../../src/placement/fragmentation/group-book.ts';
import { idlePrice, makePricedGroup } from '../../../src/placement/fragmentation/idle-price.ts';
import { NodePicture } from '../../../src/placement/fragmentation/node-picture.ts';
import type { WeightedClass } from '../../../src/placement/fragmentation/request-class.ts';
import { supplyOf } from '../../../src/placement/fragmentation/supply.ts';
import { vendorDemand } from '../../../src/placement/fragmentation/vendor-demand.ts';
import type { CardFields } from '../../support/views.ts';
import { makeCard, makeClass, makeNode } from './mix-classes.ts';

function priceOf(
  view: NodeView,
  classes: readonly WeightedClass[],
  cluster: readonly NodeView[] = [view],
): number {
  const supply = supplyOf(cluster);
  const book = new GroupBook((vendor, devices) =>
    makePricedGroup(vendorDemand(vendor, classes, supply, undefined), devices, undefined),
  );
  const picture = new NodePicture((node) => book.of(node));
  picture.refresh(view);
  return idlePrice(picture.sums, view.hostFree.cpuMilli);
}

/** All pods ask for half a card and four cores, so that a card goes with six cores at least. */
const halves = [makeClass({ percent: 50, cpuMilli: 4000 })];

describe('what is lost while cards are idle', () => {
  interface Case {
    readonly name: string;
    readonly cards: readonly CardFields[];
    readonly cpuMilli: number;
    readonly classes?: readonly WeightedClass[];
    readonly want: number;
  }
  const cases: Case[] = [
    {
      name: 'nothing where everything idle is of use',
      cards: [makeCard(), makeCard()],
      cpuMilli: 20_000,
      want: 0,
    },
    {
      name: 'room that cannot be cut, and cards beyond what the CPU feeds',
      // R 1700, P 1500; fed 1000; the CPU goes with 8000/6.
      cards: [makeCard(), makeCard(30)],
      cpuMilli: 8000,
      want: 0.18 * 1700 - (0.11 * 1700 + 0.07 * 1000) + 200 + 0.4 * (1500 - 8000 / 6),
    },
    {
      name: 'all of a card that is too full for every class',
      cards: [makeCard(), makeCard(60)],
      cpuMilli: 8000,
      want: 0.18 * 1400 - 0.18 * 1000 + 400,
    },
    {
      name: 'all there is where the CPU is too short for every class',
      cards: [makeCard(), makeCard()],
      cpuMilli: 3000,
      want: 0.18 * 2000 + 0.4 * (2000 - 500),
    },
    {
      name: 'no less CPU than none',
      cards: [makeCard()],
      cpuMilli: -5000,
      want: 0.18 * 1000 + 0.4 * 1000,
    },
    {
      name: 'all there is where there are too few cards for every class',
      cards: [makeCard(), makeCard(10)],
      cpuMilli: 64_000,
      classes: [makeClass({ percent: 100, count: 2, cpuMilli: 8000 })],
      // Nothing but pairs is asked for, so they weigh 2^1.8 each.
      want: 0.18 * 2 ** 1.8 * 1900 + 900,
    },
    {
      name: 'cards without a free part cost nothing',
      cards: [makeCard(100)],
      cpuMilli: 0,
      want: 0,
    },
    {
      name: 'nor do cards of which nobody is given anything',
      cards: [
        makeCard(20, { healthy: false }),
        makeCard(20, { cordoned: true }),
        makeCard(20, { withheld: true }),
        makeCard(20, { unclear: true }),
        makeCard(20, { slots: 1 }),
        makeCard(0, { mode: 'mig' }),
      ],
      cpuMilli: 0,
      want: 0,
    },
    {
      name: 'a class without CPU needs none, even where there is none',
      cards: [makeCard()],
      cpuMilli: 0,
      classes: [makeClass({ percent: 50, cpuMilli: 0 })],
      want: 0,
    },
    {
      name: 'idle cards are of no use to pods without devices',
      cards: [makeCard()],
      cpuMilli: 64_000,
      classes: [...halves, makeClass({ weight: 2.5 })],
      want: 0.18 * 1000 * 0.5,
    },
    {
      name: 'cards of a family that nobody asks for are worth nothing',
      cards: [makeCard(0, { vendor: 'DCU' })],
      cpuMilli: 64_000,
      want: 1000,
    },
  ];
  it.each(cases)('$name', ({ cards, cpuMilli, classes = halves, want }) => {
    expect(priceOf(makeNode(cards, cpuMilli), classes)).toBeCloseTo(want, 6);
  });

  it('adds up over families, which share the CPU by what their cards go with', () => {
    const view = makeNode([makeCard(), makeCard(0, { vendor: 'DCU' })], 4000);
    const classes = [...halves, makeClass({ vendor: 'DCU', percent: 100, cpuMilli: 4000 })];
    // One card goes with 6 cores, the other with 3; of 4 free cores they get 8/3 and 4/3.
    const ofHalves = 0.07 * (1000 - 500) + 0.4 * (1000 - 8000 / 3 / 6);
    const ofWholes = 0.4 * (1000 - 4000 / 3 / 3);
    expect(priceOf(view, classes)).toBeCloseTo(ofHalves + ofWholes, 6);
  });

  it('takes a node with cards of several kinds together', () => {
    const small = { memoryMiB: 5000 };
    const view = makeNode([makeCard(), makeCard(0, small)], 64_000);
    // Half of a large card is the whole memory of a small one, and half of its compute: three quarters of it.
    expect(priceOf(view, halves)).toBeCloseTo(0, 6);
    const pair = [makeClass({ percent: 50, count: 2, cpuMilli: 16_000 })];
    // Two of half a card: of one kind alone there is one card each, so both kinds must be counted together.
    expect(priceOf(makeNode([makeCard(), makeCard(0, small)], 16_000), pair)).toBeLessThan(
      priceOf(makeNode([makeCard(), makeCard(0, small)], 15_999), pair),
    );
  });

  it('is the same whatever the order of the cards', () => {
    const used = [0, 10, 30, 70, 85, 0, 100, 55].map((percent) => makeCard(percent));
    const classes = [
      makeClass({ percent: 31, weight: 3 }),
      makeClass({ percent: 100 }),
      makeClass({ percent: 7 }),
    ];
    const forward = priceOf(makeNode(used, 9000), classes);
    expect(priceOf(makeNode([...used].reverse(), 9000), classes)).toBe(forward);
  });
});
