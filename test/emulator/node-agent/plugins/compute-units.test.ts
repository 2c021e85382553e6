import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  formatUnits,
  freeUnits,
  parseUnits,
} from '../../../../src/emulator/node-agent/plugins/compute-units.ts';

describe('lists of compute units', () => {
  const lists = [
    { units: [0, 1, 2, 3, 8, 10, 11, 12], text: '0-3,8,10-12' },
    { units: [5], text: '5' },
    { units: [0, 1], text: '0-1' },
  ];
  it.each(lists)('$text is read and written', ({ units, text }) => {
    expect(formatUnits(units)).toBe(text);
    expect(parseUnits(text, 304)).toEqual({ ok: true, value: units });
  });

  it.each(['', '0-', '3-1', '304', '0-304', '0,,1', ' 0', '0x3'])('%j is none of a card with 304', (text) => {
    expect(parseUnits(text, 304)).toMatchObject({ ok: false });
  });

  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(303), { minLength: 1 }), (some) => {
        const units = [...some].sort((a, b) => a - b);
        expect(parseUnits(formatUnits(units), 304)).toEqual({ ok: true, value: units });
      }),
    );
  });
});

describe('free units', () => {
  it('are the first, and none when there are too few', () => {
    expect(freeUnits(new Set([0, 2]), 5, 2)).toEqual([1, 3]);
    expect(freeUnits(new Set([0, 2]), 5, 4)).toBeUndefined();
    expect(freeUnits(new Set(), 5, 0)).toBeUndefined();
  });
});
