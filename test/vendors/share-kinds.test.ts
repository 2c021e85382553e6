/** The annotation with the kinds of a pod's shares. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Share } from '../../src/model/allocation.ts';
import { decodeKinds, encodeKinds } from '../../src/vendors/share-kinds.ts';

const share = fc
  .record({
    vendor: fc.constantFrom('Ascend910B3', 'Metax-SGPU', '__proto__'),
    kind: fc.option(fc.string({ maxLength: 4 }), { nil: undefined }),
  })
  .map(({ vendor, kind }): Share => ({
    vendor,
    deviceId: 'x',
    memoryMiB: 1,
    corePercent: 0,
    ...(kind === undefined ? {} : { kind }),
  }));
const allocation = fc.array(fc.array(share, { maxLength: 4 }), { maxLength: 3 });

describe('the kinds of an allocation', () => {
  it('are read as they were written, for every share of the families that have some', () => {
    fc.assert(
      fc.property(allocation, (allocated) => {
        const value = encodeKinds(allocated);
        const shares = allocated.flat();
        expect(value === undefined).toBe(shares.every(({ kind }) => kind === undefined));
        const decoded = decodeKinds(value ?? '{}');
        if (!decoded.ok) throw new Error(decoded.problem);
        for (const { vendor } of shares) {
          const own = allocated.map((one) => one.filter((share) => share.vendor === vendor));
          const wanted = own.map((one) => one.map(({ kind }) => kind ?? null));
          const hasKinds = own.flat().some(({ kind }) => kind !== undefined);
          expect(decoded.value.get(vendor)).toEqual(hasKinds ? wanted : undefined);
        }
      }),
    );
  });

  it.each([
    { name: 'no JSON', value: '{' },
    { name: 'no object', value: '[]' },
    { name: 'nothing', value: 'null' },
    { name: 'a word in place of the containers', value: '{"DCU":"soft"}' },
    { name: 'a word in place of the shares', value: '{"DCU":["soft"]}' },
    { name: 'a number for a word', value: '{"DCU":[[1]]}' },
  ])('are refused whole: $name', ({ value }) => {
    expect(decodeKinds(value).ok).toBe(false);
  });
});
