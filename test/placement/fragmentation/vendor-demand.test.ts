import { describe, expect, it } from '@jest/globals';
import type { WeightedClass } from '../../../src/placement/fragmentation/request-class.ts';
import { supplyOf } from '../../../src/placement/fragmentation/supply.ts';
import { vendorDemand } from '../../../src/placement/fragmentation/vendor-demand.ts';
import { makeCard, makeClass, makeNode } from './mix-classes.ts';

const rare = { type: 'RARE' };
/** Three usual cards and a rare one, and as many of another family. */
const supply = supplyOf([
  makeNode([makeCard(), makeCard(90), makeCard(0, { healthy: false })]),
  makeNode([makeCard(0, rare)]),
]);
const mixed = [...supply, ...supplyOf([makeNode([1, 2, 3, 4].map(() => makeCard(0, { vendor: 'DCU' })))])];

const anywhere = makeClass({ percent: 100, cpuMilli: 8000, weight: 3 });
const onRare = makeClass({ percent: 50, cpuMilli: 2000, types: ['rare'] });
const without = makeClass({ cpuMilli: 1000 });

function demandOf(classes: readonly WeightedClass[], cards = supply) {
  return vendorDemand('NVIDIA', classes, cards, undefined);
}

describe('the demand for the cards of a family', () => {
  it('counts cards of every state, by kind', () => {
    expect(supply.map(({ device, cards }) => [device.type, cards])).toEqual([
      ['NVIDIA A100-SXM4-40GB', 3],
      ['RARE', 1],
    ]);
  });

  it('weighs classes by how often they come, pods without devices less, and those bound to asked-for types more', () => {
    const demand = demandOf([anywhere, onRare, without]);
    const [first, second] = demand.classes;
    expect(first).toMatchObject({ popularity: 0.6, access: 1 });
    expect(first?.weight).toBeCloseTo(3 / 4.4, 12);
    // A seventh of the demand is bound to a quarter of the cards: 1 + 4·(4/7)².
    expect(second).toMatchObject({ popularity: 0.2, access: 0.25 });
    expect(second?.weight).toBeCloseTo((1 / 4.4) * (1 + 4 * (4 / 7) ** 2), 12);
    expect(demand.weight).toBeCloseTo(3 / 4.4 + (1 / 4.4) * (1 + 4 * (4 / 7) ** 2) + 0.4 / 4.4, 12);
  });

  it('expects three quarters of the CPU that usually goes with so much of a card', () => {
    expect(demandOf([anywhere, onRare, without]).cpuPerMilli).toBeCloseTo((0.75 * 5200) / 700, 12);
    expect(demandOf([without]).cpuPerMilli).toBe(0);
  });

  it('counts what is bound to a part of the types as bound to all that include it', () => {
    const twice = makeClass({ percent: 100, types: ['rare', 'a100'] });
    const [, bound, both] = demandOf([anywhere, onRare, twice]).classes;
    expect(both?.weight).toBe(0.2);
    expect(bound?.weight).toBeGreaterThan(0.2);
  });

  it('takes what is too large for most cards as bound to the others', () => {
    const large = makeClass({ percent: 100, weight: 1 });
    const cards = supplyOf([makeNode([makeCard(), makeCard(), makeCard(0, { memoryMiB: 5000 })])]);
    const [entry] = demandOf([large], cards).classes;
    expect(entry?.access).toBeCloseTo(2 / 3, 12);
    expect(entry?.weight).toBeCloseTo(1 + 4 * 1.5 ** 2, 12);
  });

  it('believes no more than a threefold scarcity', () => {
    const few = supplyOf([makeNode([...Array.from({ length: 999 }, () => makeCard()), makeCard(0, rare)])]);
    const [entry] = demandOf([onRare], few).classes;
    expect(entry?.weight).toBe(37);
  });

  it('lets what nobody could be given weigh as it comes, and not count as demand', () => {
    const nowhere = makeClass({ percent: 100, cpuMilli: 64_000, types: ['none'] });
    const demand = demandOf([anywhere, nowhere]);
    expect(demand.classes.map(({ weight }) => weight)).toEqual([0.75, 0.25]);
    expect(demand.cpuPerMilli).toBeCloseTo((0.75 * 8000) / 1000, 12);
    expect(demand.classes[1]?.access).toBe(0.25);
  });

  it('gives a family its part of the pods without devices, and leaves the others’ classes out', () => {
    const other = makeClass({ vendor: 'DCU', percent: 100, weight: 50 });
    const demand = demandOf([anywhere, other, makeClass({ weight: 2 })], mixed);
    expect(demand.classes).toHaveLength(1);
    expect(demand.classes[0]?.popularity).toBe(0.75);
    expect(demand.weight).toBeCloseTo(1, 12);
    expect(demand.classes[0]?.weight).toBeCloseTo(3 / 3.4, 12);
  });

  it('weighs pods of several cards more where they ask for much, and as they come where they ask for little', () => {
    const pair = makeClass({ percent: 100, count: 2, weight: 1 });
    const one = (weight: number) => makeClass({ percent: 100, weight });
    // Half of the cards are asked for in pairs: the power is 2 × (0.5 − 0.1).
    const much = demandOf([pair, one(2)]).classes;
    expect(much[0]?.weight).toBeCloseTo((1 / 3) * 2 ** 0.8, 12);
    expect(much[1]?.weight).toBeCloseTo(2 / 3, 12);
    // A tenth of them.
    const little = demandOf([pair, one(18)]).classes;
    expect(little[0]?.weight).toBeCloseTo(1 / 19, 12);
  });

  it('finds no type scarce where all ask for so little that it rounds to nothing', () => {
    const tiny: WeightedClass = { ...onRare, memory: { kind: 'mib', memoryMiB: 1 }, corePercent: 0 };
    expect(demandOf([tiny])).toMatchObject({ weight: 1, classes: [{ weight: 1, access: 0.25 }] });
  });

  it('has an answer where nothing is known', () => {
    expect(demandOf([])).toEqual({
      vendor: 'NVIDIA',
      computeWeight: 0,
      classes: [],
      weight: 0,
      cpuPerMilli: 0,
    });
    expect(demandOf([anywhere], []).classes[0]).toMatchObject({ access: 1, weight: 1 });
  });
});
