/**
 * The spelling in which the API server stores a quantity: `3000` becomes `3k`, `1024Mi` becomes `1Gi`, `1024` stays.
 * Rules: k8s.io/apimachinery `pkg/api/resource/quantity.go`, `CanonicalizeBytes`. Readers that compare spellings
 * break on the real server, so the emulator rewrites them too.
 */
import { parseQuantity, type Quantity } from '../../model/quantity.ts';

const decimalSuffixes = new Map([
  [-9, 'n'],
  [-6, 'u'],
  [-3, 'm'],
  [0, ''],
  [3, 'k'],
  [6, 'M'],
  [9, 'G'],
  [12, 'T'],
  [15, 'P'],
  [18, 'E'],
]);
const smallestExponent = -9;
const largestExponent = 18;
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** The stored spelling, or undefined when the text is no quantity. Values below 1n round up. */
export function canonicalQuantity(text: string): string | undefined {
  const quantity = parseQuantity(text.trim());
  if (quantity === undefined) return undefined;
  const { numerator, denominator, binary } = quantity;
  if (binary && numerator % denominator === 0n) {
    const value = numerator / denominator;
    if (value <= -1024n || value >= 1024n) return binaryText(value);
  }
  return decimalText(quantity, /[eE][+-]?\d+$/.test(text.trim()));
}

function binaryText(value: bigint): string {
  let mantissa = value;
  let step = 0;
  while (mantissa % 1024n === 0n && step < binarySuffixes.length - 1) {
    mantissa /= 1024n;
    step += 1;
  }
  return `${mantissa}${binarySuffixes[step] ?? ''}`;
}

/** The largest exponent of three that leaves no fraction. */
function decimalText({ numerator, denominator }: Quantity, exponentForm: boolean): string {
  const scaled = numerator * 10n ** BigInt(-smallestExponent);
  let mantissa = scaled / denominator;
  if (scaled > 0n && scaled % denominator !== 0n) mantissa += 1n;
  if (mantissa === 0n) return '0';
  let exponent = smallestExponent;
  while (mantissa % 1000n === 0n && exponent < largestExponent) {
    mantissa /= 1000n;
    exponent += 3;
  }
  if (!exponentForm) return `${mantissa}${decimalSuffixes.get(exponent) ?? ''}`;
  return exponent === 0 ? String(mantissa) : `${mantissa}e${exponent}`;
}
