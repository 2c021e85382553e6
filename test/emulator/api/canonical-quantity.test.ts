import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalQuantity } from '../../../src/emulator/api/canonical-quantity.ts';
import { parseQuantity } from '../../../src/model/quantity.ts';

describe('canonicalQuantity', () => {
  // Spellings as a v1.36 API server stores them.
  it.each([
    { written: '3000', want: '3k' },
    { written: '2000000', want: '2M' },
    { written: '1024', want: '1024' },
    { written: '0', want: '0' },
    { written: '+5', want: '5' },
    { written: '-1000', want: '-1k' },
    { written: '1500m', want: '1500m' },
    { written: '8000m', want: '8' },
    { written: '0.1', want: '100m' },
    { written: '1.5k', want: '1500' },
    { written: '3E', want: '3E' },
    { written: '1e3', want: '1e3' },
    { written: '1500e3', want: '1500e3' },
    { written: '1e0', want: '1' },
    { written: '1Gi', want: '1Gi' },
    { written: '1024Mi', want: '1Gi' },
    { written: '1536Mi', want: '1536Mi' },
    { written: '0.5Gi', want: '512Mi' },
    { written: '1000Ki', want: '1000Ki' },
    { written: '0.5Ki', want: '512' },
    { written: '0.1Gi', want: '107374182400m' },
    { written: '0.1n', want: '1n' },
    { written: '3000.5', want: '3000500m' },
    { written: '', want: undefined },
    { written: 'many', want: undefined },
    { written: '16 Gi', want: undefined },
  ])('stores $written as $want', ({ written, want }) => {
    expect(canonicalQuantity(written)).toBe(want);
  });

  it('keeps the value and is its own canonical form', () => {
    const written = fc
      .tuple(
        fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }),
        fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'E6', 'e-2'),
      )
      .map(([mantissa, suffix]) => `${mantissa}${suffix}`);
    fc.assert(
      fc.property(written, (text) => {
        const canonical = canonicalQuantity(text)!;
        const before = parseQuantity(text)!;
        const after = parseQuantity(canonical)!;
        expect(after.numerator * before.denominator).toBe(before.numerator * after.denominator);
        expect(canonicalQuantity(canonical)).toBe(canonical);
      }),
    );
  });
});
