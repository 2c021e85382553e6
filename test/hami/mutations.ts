/**
 * Broken values for property tests: a good value with a few faults in it, or a text that never was one. Most faults are
 * small, so that what comes out is nearly right: that is what a half-written, cut or hand-edited annotation looks like.
 */
import fc from 'fast-check';

/** What decoders split at, what JSON is made of, and what is no number. */
const pieces = [
  ...[',', ':', ';', '[', ']', '{', '}', '"', '-', '+', '.', ' ', '\n', '\u0000', '\\', '/', '=', 'é'],
  ...['null', 'true', 'false', '[]', '{}', '[null]', '[0-0]', 'NVIDIA', 'DCU', '__proto__', 'constructor'],
];

/** In the place of an amount. */
const noAmounts = [
  '-1',
  '-',
  '',
  '1.5',
  '1e9',
  '1e999',
  '0x1f',
  '2147483648',
  '99999999999999999999',
  'NaN',
  ' 7',
];

type Fault = (value: string) => string;

/** A place as a fraction of the value's length; evenly spread, where fast-check would prefer both ends. */
const place = fc.noBias(fc.nat({ max: 9999 })).map((tenThousandths) => tenThousandths / 10_000);
const piece = fc.constantFrom(...pieces);
const length = fc.integer({ min: 1, max: 12 });

/** A fault that needs what is before and what is behind a place. */
function faultAt<T>(what: fc.Arbitrary<T>, make: (before: string, after: string, what: T) => string) {
  return fc.tuple(place, what).map(([at, chosen]): Fault => {
    return (value) => {
      const split = Math.floor(at * value.length);
      return make(value.slice(0, split), value.slice(split), chosen);
    };
  });
}

const textFault = fc.oneof(
  faultAt(piece, (before, after, inserted) => before + inserted + after),
  faultAt(length, (before, after, missing) => before + after.slice(missing)),
  faultAt(length, (before, after, repeated) => before + after.slice(0, repeated) + after),
  faultAt(fc.constant(undefined), (before) => before),
  faultAt(fc.constantFrom(...noAmounts), (before, after, no) => before + after.replace(/\d+/, () => no)),
  fc.constant<Fault>((value) => value + value),
);

/** In the place of a member of a JSON value; often none at all, since writers leave out what is zero. */
const members = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom<unknown>(null, true, false, '', 'x', '100', [], {}, [null], [[]]),
  fc.constantFrom(-1, 0, 1, 1.5, 1e12, 2 ** 31),
);

/** Somewhere in a JSON value another value or none; in a text that is no JSON, nothing. */
const jsonFault = fc.tuple(place, members).map(([at, member]): Fault => {
  return (value) => {
    let root: unknown;
    try {
      root = JSON.parse(value);
    } catch {
      return value;
    }
    const holders: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
    const walk = (holder: unknown) => {
      if (typeof holder !== 'object' || holder === null) return;
      for (const key of Object.keys(holder)) {
        holders.push({ holder: holder as Record<string, unknown>, key });
        walk((holder as Record<string, unknown>)[key]);
      }
    };
    walk(root);
    const chosen = holders[Math.floor(at * holders.length)];
    // An undefined member is left out of an object, and null in an array.
    if (chosen !== undefined) chosen.holder[chosen.key] = member;
    return JSON.stringify(root);
  };
});

/** One of the good values with one to three faults in it, or any text at all. */
export function brokenValue(...good: readonly [string, ...string[]]): fc.Arbitrary<string> {
  const faults = fc.array(fc.oneof(textFault, jsonFault), { minLength: 1, maxLength: 3 });
  const nearlyGood = fc
    .tuple(fc.constantFrom(...good), faults)
    .map(([value, chosen]) => chosen.reduce((text, fault) => fault(text), value));
  const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), piece);
  return fc.oneof({ arbitrary: nearlyGood, weight: 9 }, { arbitrary: anything, weight: 1 });
}
