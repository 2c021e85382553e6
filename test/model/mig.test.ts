import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isCut, type MigPlacement, overlaps } from '../../src/model/mig.ts';

describe('overlaps', () => {
  const at = (start: number, size: number): MigPlacement => ({ start, size });
  it.each([
    { name: 'a placement with itself', a: at(2, 2), b: at(2, 2), want: true },
    { name: 'one that begins where the other ends', a: at(0, 2), b: at(2, 2), want: false },
    { name: 'one slice in common', a: at(0, 3), b: at(2, 2), want: true },
    { name: 'one within the other', a: at(0, 8), b: at(4, 1), want: true },
    { name: 'slices between them', a: at(0, 1), b: at(4, 4), want: false },
  ])('$name: $want', ({ a, b, want }) => {
    expect(overlaps(a, b)).toBe(want);
    expect(overlaps(b, a)).toBe(want);
  });

  it('says whether two placements have a slice in common', () => {
    const placement = fc.record({ start: fc.nat({ max: 8 }), size: fc.integer({ min: 1, max: 8 }) });
    const slices = ({ start, size }: MigPlacement) =>
      Array.from({ length: size }, (_, offset) => start + offset);
    fc.assert(
      fc.property(placement, placement, (a, b) => {
        expect(overlaps(a, b)).toBe(slices(a).some((slice) => slices(b).includes(slice)));
      }),
    );
  });
});

describe('isCut', () => {
  it.each([
    { mode: 'mig', want: true },
    { mode: 'hami-core', want: false },
    { mode: 'MIG', want: false },
    { mode: '', want: false },
  ])('mode "$mode": $want', ({ mode, want }) => {
    expect(isCut({ mode })).toBe(want);
  });
});
