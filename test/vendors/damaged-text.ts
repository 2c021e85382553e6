/**
 * Texts that are nearly right: a valid one with pieces cut out, doubled or overwritten. They reach the parser's inner
 * branches, which arbitrary text almost never does.
 */
import fc from 'fast-check';

/** Pieces that mean something in the formats under test. */
const fragments = [
  ...[',', ':', ';', '-', '.', '"', '[', ']', '{', '}', ' ', '\u0000', 'null', 'true', '-1', '0x1f', '1e3'],
  ...['2147483648', '99999999999999999999', 'NVIDIA', '"id":', '"devmem":', '"GPU-a"'],
];

const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.nat({ max: 6 }),
  insert: fc.oneof(fc.constantFrom('', ...fragments), fc.string({ unit: 'binary', maxLength: 3 })),
});

export function damagedText(valid: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...valid), fc.array(damage, { minLength: 1, maxLength: 4 }))
    .map(([text, damages]) =>
      damages.reduce((whole, { at, cut, insert }) => {
        const start = Math.floor(at * whole.length);
        return whole.slice(0, start) + insert + whole.slice(start + cut);
      }, text),
    );
}
