import { describe, expect, it } from '@jest/globals';
import { supplyOf } from '../../../src/placement/fragmentation/supply.ts';
import { makeCard, makeNode } from './mix-classes.ts';

describe('the cards of a cluster by kind', () => {
  it('tells how many there are, and the most of the family on one node that has such a card', () => {
    const rare = { type: 'RARE' };
    const supply = supplyOf([
      makeNode([makeCard(), makeCard(90)]),
      makeNode([makeCard(), makeCard(0, rare), makeCard(0, rare), makeCard(0, { vendor: 'DCU' })]),
      makeNode([makeCard(0, rare)]),
    ]);
    expect(
      supply.map(({ device, cards, mostOnNode }) => [device.vendor, device.type, cards, mostOnNode]),
    ).toEqual([
      ['NVIDIA', 'NVIDIA A100-SXM4-40GB', 3, 3],
      ['DCU', 'NVIDIA A100-SXM4-40GB', 1, 1],
      ['NVIDIA', 'RARE', 3, 3],
    ]);
  });

  it('counts a cut card as often as it can be given', () => {
    const supply = supplyOf([makeNode([makeCard(0, { mode: 'mig', slots: 7 }), makeCard()])]);
    expect(supply.map(({ mostOnNode }) => mostOnNode)).toEqual([8, 8]);
  });
});
