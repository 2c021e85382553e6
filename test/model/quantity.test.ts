import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  ceilingOf,
  countOf,
  integerOf,
  mebibytesOf,
  milliOf,
  parseQuantity,
} from '../../src/model/quantity.ts';

/** The integer behind a text; `fraction` for a readable value that is none, `unreadable` for anything else. */
function read(text: string): number | 'fraction' | 'unreadable' {
  const quantity = parseQuantity(text);
  return quantity === undefined ? 'unreadable' : (integerOf(quantity) ?? 'fraction');
}

describe('parseQuantity reads by value', () => {
  const cases: { text: string; want: number; why: string }[] = [
    { text: '3000', want: 3000, why: 'as a user writes it' },
    { text: '3k', want: 3000, why: 'as the API server rewrites 3000' },
    { text: '30k', want: 30000, why: 'as the API server rewrites 30000' },
    { text: '2M', want: 2_000_000, why: 'as the API server rewrites 2000000' },
    { text: '1e3', want: 1000, why: 'a lower-case exponent' },
    { text: '1E3', want: 1000, why: 'an upper-case exponent is no exa' },
    { text: '1E+3', want: 1000, why: 'a signed exponent' },
    { text: '20e-1', want: 2, why: 'a negative exponent that leaves a whole' },
    { text: '0.001E', want: 1e15, why: 'an upper-case E alone is exa' },
    { text: '16Gi', want: 2 ** 34, why: 'a binary suffix' },
    { text: '0.5Ki', want: 512, why: 'a fraction of a binary suffix' },
    { text: '2000m', want: 2, why: 'milli that make a whole' },
    { text: '5000000u', want: 5, why: 'micro' },
    { text: '7000000000n', want: 7, why: 'nano' },
    { text: '1.5k', want: 1500, why: 'a fraction that the suffix makes whole' },
    { text: '16.0Gi', want: 2 ** 34, why: 'a fraction of zero' },
    { text: '5.', want: 5, why: 'a point without digits behind it' },
    { text: '+5', want: 5, why: 'an explicit plus' },
    { text: '-5', want: -5, why: 'a negative number, which callers refuse' },
    { text: '-0', want: 0, why: 'a negative zero' },
    { text: '000', want: 0, why: 'many zeros' },
    { text: `${'0'.repeat(63)}7`, want: 7, why: '64 characters, the longest text' },
    { text: '9007199254740991', want: Number.MAX_SAFE_INTEGER, why: 'the largest exact integer' },
    { text: '0e64', want: 0, why: 'the largest exponent' },
  ];
  it.each(cases)('$text is $want: $why', ({ text, want }) => {
    // `+ 0` because -0 and 0 are one amount.
    expect((read(text) as number) + 0).toBe(want);
  });
});

describe('parseQuantity tells a fraction from a whole', () => {
  it.each(['1500m', '0.5', '.5', '1u', '1e-1', '-0.5', '1.0001k', '0.3Ki', '1e-64'])(
    '%s is no integer',
    (text) => {
      expect(read(text)).toBe('fraction');
    },
  );

  it.each(['9007199254740992', '1e16', '10E', '1e64', '8Pi', '-1e16'])(
    '%s is beyond what a number holds exactly, so it is no integer here',
    (text) => {
      expect(read(text)).toBe('fraction');
    },
  );
});

describe('parseQuantity refuses what Kubernetes would refuse', () => {
  const cases = [
    { text: '', why: 'nothing, which Number() reads as 0' },
    { text: ' ', why: 'a blank, which Number() reads as 0' },
    { text: '.', why: 'a point alone' },
    { text: '-', why: 'a sign alone' },
    { text: '+.', why: 'a sign and a point' },
    { text: 'k', why: 'a suffix alone' },
    { text: 'Gi', why: 'a binary suffix alone' },
    { text: 'e3', why: 'an exponent alone' },
    { text: '1e', why: 'an exponent without digits' },
    { text: '1e+', why: 'an exponent with a sign alone' },
    { text: '1e1.5', why: 'a fraction in the exponent' },
    { text: '--5', why: 'two signs' },
    { text: '1.2.3', why: 'two points' },
    { text: '1,000', why: 'a thousands separator' },
    { text: '1_000', why: 'an underscore' },
    { text: ' 1', why: 'a leading blank' },
    { text: '1 ', why: 'a trailing blank' },
    { text: '1\n', why: 'a trailing line break, which a careless $ lets pass' },
    { text: '16 Gi', why: 'a blank before the suffix' },
    { text: '16gi', why: 'a suffix in lower case' },
    { text: '16GB', why: 'a suffix of bytes' },
    { text: '1K', why: 'an upper-case K, which is no decimal suffix' },
    { text: '1ki', why: 'a lower-case k, which is no binary suffix' },
    { text: '1e3k', why: 'an exponent and a suffix' },
    { text: '0x10', why: 'hexadecimal, which Number() takes' },
    { text: 'Infinity', why: 'a word that Number() takes' },
    { text: 'NaN', why: 'a word' },
    { text: '１', why: 'a digit of another alphabet' },
    { text: '1e65', why: 'an exponent beyond 64' },
    { text: '1e-65', why: 'an exponent below -64' },
    { text: '1e999', why: 'an exponent that would cost memory' },
    { text: '1e99999999999', why: 'an exponent of many digits' },
    { text: '7'.repeat(65), why: '65 characters' },
    { text: `0.${'0'.repeat(63)}`, why: '65 characters of zero' },
  ];
  it.each(cases)('$text: $why', ({ text }) => {
    expect(read(text)).toBe('unreadable');
  });
});

describe('the family of the suffix', () => {
  it.each([
    { text: '16Gi', want: true },
    { text: '1Ki', want: true },
    { text: '16G', want: false },
    { text: '16', want: false },
    { text: '1e3', want: false },
    { text: '1E', want: false },
  ])('$text is binary: $want', ({ text, want }) => {
    expect(parseQuantity(text)?.binary).toBe(want);
  });
});

describe('parse ∘ format is the identity', () => {
  /** Every suffix as a power: value = digits / 10^places × base^power. */
  const suffixes: readonly (readonly [string, bigint, number])[] = [
    ...['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'].map(
      (word, step) => [word, 10n, 3 * step - 9] as const,
    ),
    ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((word, step) => [word, 1024n, step + 1] as const),
    ...[-64, -7, 0, 7, 64].flatMap((power) => [
      [`e${power}`, 10n, power] as const,
      [`E${power >= 0 ? '+' : ''}${power}`, 10n, power] as const,
    ]),
  ];

  it('for random digits, places of the point, signs and suffixes', () => {
    const suffix = fc.constantFrom(...suffixes);
    const sign = fc.constantFrom(...(['', '+', '-'] as const));
    const digits = fc.bigInt({ min: 0n, max: 10n ** 30n });
    fc.assert(
      fc.property(
        sign,
        digits,
        fc.nat({ max: 20 }),
        suffix,
        (written, value, places, [word, base, power]) => {
          const padded = value.toString().padStart(places + 1, '0');
          const whole = padded.slice(0, padded.length - places);
          const text = `${written}${whole}${places === 0 ? '' : `.${padded.slice(-places)}`}${word}`;
          const quantity = parseQuantity(text);
          // Exact, by cross-multiplication: the expected value is value × base^power / 10^places.
          const wantTop = (written === '-' ? -value : value) * (power > 0 ? base ** BigInt(power) : 1n);
          const wantBottom = 10n ** BigInt(places) * (power < 0 ? base ** BigInt(-power) : 1n);
          expect(quantity).toBeDefined();
          expect(quantity!.denominator > 0n).toBe(true);
          expect(quantity!.numerator * wantBottom).toBe(wantTop * quantity!.denominator);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('and any text at all is read or refused, never thrown at', () => {
    const alphabet = fc.constantFrom(...Array.from('0123456789.+-eEkKMGTPinum _'));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: alphabet, maxLength: 70 })), (text) => {
        const quantity = parseQuantity(text);
        expect(quantity === undefined || quantity.denominator > 0n).toBe(true);
        expect(countOf(text)).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(milliOf(text)) && Number.isFinite(mebibytesOf(text))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('ceilingOf rounds up, as Kubernetes does', () => {
  it.each([
    { text: '0.1', perUnit: 1n, want: 1 },
    { text: '1', perUnit: 1n, want: 1 },
    { text: '1.0001', perUnit: 1000n, want: 1001 },
    { text: '0', perUnit: 1000n, want: 0 },
    { text: '1n', perUnit: 1000n, want: 1 },
  ])('$text in units of 1/$perUnit is $want', ({ text, perUnit, want }) => {
    expect(ceilingOf(parseQuantity(text)!, perUnit)).toBe(want);
  });
});

describe('the readers of host amounts', () => {
  it.each([
    { text: undefined, want: 0 },
    { text: 'many', want: 0 },
    { text: '1500m', want: 1500 },
    { text: '2', want: 2000 },
    { text: '0.1', want: 100 },
    { text: '100u', want: 1 },
  ])('milliOf($text) is $want', ({ text, want }) => {
    expect(milliOf(text)).toBe(want);
  });

  it.each([
    { text: undefined, want: 0 },
    { text: '', want: 0 },
    { text: '1Gi', want: 1024 },
    { text: '1Mi', want: 1 },
    { text: '1', want: 1 },
    { text: '1048577', want: 2 },
    { text: '1G', want: 954 },
    { text: '128974848', want: 123 },
  ])('mebibytesOf($text) is $want', ({ text, want }) => {
    expect(mebibytesOf(text)).toBe(want);
  });

  it.each([
    { text: undefined, want: 0 },
    { text: '', want: 0 },
    { text: '8', want: 8 },
    { text: '08', want: 8 },
    { text: '2k', want: 2000 },
    { text: '1e3', want: 1000 },
    { text: '2000m', want: 2 },
    { text: '1500m', want: 0 },
    { text: '-3', want: 0 },
    { text: 'eight', want: 0 },
    { text: '999999999999999', want: 999_999_999_999_999 },
    { text: '9007199254740993', want: 0 },
  ])('countOf($text) is $want', ({ text, want }) => {
    expect(countOf(text)).toBe(want);
  });
});
