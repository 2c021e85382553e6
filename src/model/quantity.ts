/**
 * The one parser of Kubernetes quantities (`3000`, `3k`, `1e3`, `16Gi`, `1500m`), exact for every value. Grammar:
 * k8s.io/apimachinery `pkg/api/resource/quantity.go`. A quantity is read by value, because the API server rewrites
 * spellings (`3000` becomes `3k`); only the family of the suffix is kept, since binary ones are refused in places.
 */

export interface Quantity {
  /** The value is `numerator / denominator`, with a positive denominator. */
  readonly numerator: bigint;
  readonly denominator: bigint;
  /** True when written with a binary suffix (`Ki` … `Ei`). */
  readonly binary: boolean;
}

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binarySuffixes = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

const grammar = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d{1,3})|([KMGTPE]i)|([numkMGTPE]))?$/;
const longestText = 64;
const largestExponent = 64;

/** Reads a quantity, or undefined when the text is none. Never throws. */
export function parseQuantity(text: string): Quantity | undefined {
  if (text.length > longestText) return undefined;
  const match = grammar.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponentText, binarySuffix, decimalSuffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;

  const mantissa = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  let numerator = mantissa;
  let denominator = 10n ** BigInt(fraction.length);
  if (binarySuffix !== undefined) {
    numerator *= 1024n ** BigInt(binarySuffixes.indexOf(binarySuffix) + 1);
    return { numerator, denominator, binary: true };
  }
  const exponent =
    exponentText === undefined ? (decimalExponents[decimalSuffix] ?? 0) : Number(exponentText.slice(1));
  if (Math.abs(exponent) > largestExponent) return undefined;
  if (exponent >= 0) numerator *= 10n ** BigInt(exponent);
  else denominator *= 10n ** BigInt(-exponent);
  return { numerator, denominator, binary: false };
}

/** The value as an exact integer, or undefined when it has a fraction or exceeds what a number holds exactly. */
export function integerOf(quantity: Quantity): number | undefined {
  if (quantity.numerator % quantity.denominator !== 0n) return undefined;
  const value = Number(quantity.numerator / quantity.denominator);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The value in units of `1/perUnit`, rounded up, as Kubernetes rounds (`MilliValue`, `Value`). */
export function ceilingOf(quantity: Quantity, perUnit = 1n): number {
  const scaled = quantity.numerator * perUnit;
  const floor = scaled / quantity.denominator;
  return Number(scaled > 0n && scaled % quantity.denominator !== 0n ? floor + 1n : floor);
}

/** Milli-units of a quantity as written (CPU: `1500m` is 1500); 0 when unreadable. */
export function milliOf(text: string | undefined): number {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  return quantity === undefined ? 0 : ceilingOf(quantity, 1000n);
}

const bytesPerMiB = 1024n * 1024n;

/** MiB of a quantity of bytes as written (`1Gi` is 1024), rounded up; 0 when unreadable. */
export function mebibytesOf(text: string | undefined): number {
  const quantity = text === undefined ? undefined : parseQuantity(text);
  if (quantity === undefined) return 0;
  return ceilingOf({ ...quantity, denominator: quantity.denominator * bytesPerMiB });
}

/** A count as written (`8`, `2k`); 0 when absent, unreadable, fractional or negative. */
export function countOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const quantity = parseQuantity(text);
  return quantity === undefined ? 0 : Math.max(0, integerOf(quantity) ?? 0);
}
