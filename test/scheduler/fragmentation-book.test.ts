import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NodeView } from '../../src/model/node-view.ts';
import { makeFragmentationMeasure } from '../../src/placement/fragmentation/fragmentation-measure.ts';
import type { WeightedClass } from '../../src/placement/fragmentation/request-class.ts';
import {
  FragmentationBook,
  mostClasses,
  type VendorFragmentation,
} from '../../src/scheduler/fragmentation-book.ts';
import { arbitraryNode } from '../support/arbitrary-clusters.ts';
import { makeView } from '../support/views.ts';

function makeClass(fields: Partial<WeightedClass> = {}): WeightedClass {
  return {
    vendor: 'NVIDIA',
    count: 1,
    memory: { kind: 'mib', memoryMiB: 4096 },
    corePercent: 0,
    cpuMilli: 0,
    memoryMiB: 0,
    weight: 1,
    ...fields,
  };
}

function read(views: readonly NodeView[], classes: readonly WeightedClass[]): readonly VendorFragmentation[] {
  return new FragmentationBook({ views: () => views, classes: () => classes }).read();
}

describe('what is fragmented', () => {
  // Half the memory of n1's card and all its compute are free: 750 thousandths of a card, of which no pod can use any.
  const used = { slots: 1, memoryMiB: 4096, corePercent: 0 };
  const views = [makeView({ name: 'n1', devices: [{ used }] }), makeView({ name: 'n2', devices: [{}] })];

  it('is what is idle on cards that are too full for the pods that come', () => {
    const whole = makeClass({ memory: { kind: 'percent', percent: 100 }, corePercent: 50 });
    expect(read(views, [whole])).toEqual([
      {
        vendor: 'NVIDIA',
        idleMilli: 1750,
        fragmentedMilli: 750,
        uselessMilli: new Map([['1x100%/50%', 750]]),
      },
    ]);
  });

  it('is told by class, the most frequent first, those of equal words as one', () => {
    const half = makeClass({ corePercent: 50, weight: 3 });
    const whole = makeClass({ memory: { kind: 'percent', percent: 100 }, corePercent: 50 });
    const thirsty = { ...whole, cpuMilli: 1_000_000 };
    const [nvidia] = read(views, [whole, half, thirsty]);
    // Of those that ask for a whole card, one kind finds one on n2, and the other no CPU anywhere.
    expect([...(nvidia?.uselessMilli ?? [])]).toEqual([
      ['1x4096MiB/50%', 0],
      ['1x100%/50%', (750 + 1750) / 2],
    ]);
    expect(nvidia?.fragmentedMilli).toBeCloseTo((3 * 0 + 750 + 1750) / 5, 9);
  });

  it('is told of the most frequent classes alone', () => {
    const classes = Array.from({ length: mostClasses + 4 }, (_, index) =>
      makeClass({ memory: { kind: 'mib', memoryMiB: 100 + index }, weight: 1 + index }),
    );
    const words = [...(read(views, classes)[0]?.uselessMilli.keys() ?? [])];
    expect(words).toHaveLength(mostClasses);
    expect(words[0]).toBe(`1x${100 + mostClasses + 3}MiB`);
  });

  it('is nothing where nobody asks for the cards', () => {
    expect(read(views, [])).toEqual([]);
    expect(read(views, [makeClass({ vendor: 'DCU' })])).toEqual([]);
  });

  it('is told by family', () => {
    const both = [makeView({ name: 'n1', devices: [{ used }, { vendor: 'DCU', index: 1 }] })];
    const whole = makeClass({ memory: { kind: 'percent', percent: 100 } });
    expect(read(both, [whole, { ...whole, vendor: 'DCU' }])).toMatchObject([
      { vendor: 'DCU', idleMilli: 1000, fragmentedMilli: 0 },
      { vendor: 'NVIDIA', idleMilli: expect.any(Number), fragmentedMilli: expect.any(Number) },
    ]);
  });

  it('names types that the cluster has, also those that come later', () => {
    const nodes = [makeView({ name: 'n1', devices: [{ type: 'A10' }] })];
    const selector = { useTypes: ['a10'], avoidTypes: [], useIds: [], avoidIds: [], numaBound: false };
    const classes = [makeClass({ selector })];
    const book = new FragmentationBook({ views: () => nodes, classes: () => classes });
    expect([...(book.read()[0]?.uselessMilli.keys() ?? [])]).toEqual(['1x4096MiB of A10']);
    nodes.push(makeView({ name: 'n2', generation: 2, devices: [{ type: 'A100' }] }));
    expect([...(book.read()[0]?.uselessMilli.keys() ?? [])]).toEqual(['1x4096MiB of A10 or A100']);
  });
});

describe('a book that follows a cluster', () => {
  const arbitraryClass = fc
    .record({
      vendor: fc.constantFrom('NVIDIA', 'DCU'),
      count: fc.integer({ min: 1, max: 2 }),
      memory: fc.constantFrom(
        { kind: 'mib', memoryMiB: 2048 } as const,
        { kind: 'mib', memoryMiB: 8192 } as const,
        { kind: 'percent', percent: 50 } as const,
      ),
      corePercent: fc.constantFrom(0, 30, 100),
      cpuMilli: fc.constantFrom(0, 4000, 100_000),
      weight: fc.integer({ min: 1, max: 5 }),
    })
    .map(makeClass);
  const arbitraryStep = fc.record({
    node: fc.integer({ min: 1, max: 4 }),
    view: fc.option(arbitraryNode({ maxCards: 4 })),
    classes: fc.option(fc.array(arbitraryClass, { maxLength: 5 }), { freq: 3 }),
  });

  it('says what one says that sees it for the first time, and what the measure says of each node', () => {
    fc.assert(
      fc.property(fc.array(arbitraryStep, { minLength: 1, maxLength: 8 }), (steps) => {
        const nodes = new Map<string, NodeView>();
        let classes: readonly WeightedClass[] = [];
        const book = new FragmentationBook({ views: () => nodes.values(), classes: () => classes });
        for (const [index, step] of steps.entries()) {
          const name = `n${step.node}`;
          if (step.view === null) nodes.delete(name);
          else nodes.set(name, { ...step.view, name, generation: index + 1 });
          classes = step.classes ?? classes;
          const told = book.read();
          const views = [...nodes.values()];
          expect(byVendor(told)).toEqual(byVendor(read(views, classes)));
          const measure = makeFragmentationMeasure(classes);
          for (const { vendor, idleMilli, fragmentedMilli } of told) {
            const sum = (of: (view: NodeView) => number) =>
              views.reduce((total, view) => total + of(view), 0);
            expect(idleMilli).toBeCloseTo(
              sum((view) => measure.idleMilli(view, vendor)),
              6,
            );
            expect(fragmentedMilli).toBeCloseTo(
              sum((view) => measure.fragmentedMilli(view, vendor)),
              6,
            );
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});

/** In an order of their own, and rounded: what is summed up in another order differs in the last place. */
function byVendor(told: readonly VendorFragmentation[]): object {
  const rounded = (milli: number) => Math.round(milli * 1000) / 1000 + 0;
  return Object.fromEntries(
    told.map(({ vendor, idleMilli, fragmentedMilli, uselessMilli }) => [
      vendor,
      {
        idle: rounded(idleMilli),
        fragmented: rounded(fragmentedMilli),
        useless: [...uselessMilli].map(([words, milli]) => [words, rounded(milli)]),
      },
    ]),
  );
}
