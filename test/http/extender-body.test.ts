/** Bodies with node names are read past the JSON parser, and nobody can tell. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseExtenderBody } from '../../src/http/extender-body.ts';
import { KnownNames } from '../../src/wire/known-names.ts';

const outcome = (read: () => unknown) => {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return 'refused';
  }
};
const fast = (text: string, known = new KnownNames()) =>
  outcome(() => parseExtenderBody(Buffer.from(text), known));
const slow = (text: string) => outcome(() => JSON.parse(text) as unknown);

describe('parseExtenderBody', () => {
  const texts = [
    { name: 'a body of kube-scheduler', text: '{"Pod":{"a":1},"Nodes":null,"NodeNames":["n1","n-2.x"]}\n' },
    { name: 'no names', text: '{"Pod":null,"NodeNames":[]}' },
    { name: 'names alone', text: '{"NodeNames":["n1"]}' },
    { name: 'an empty name', text: '{"NodeNames":[""]}' },
    { name: 'names that are not the last member', text: '{"NodeNames":["n1"],"Pod":{}}' },
    { name: 'spaces between names', text: '{"NodeNames":["n1", "n2"]}' },
    { name: 'something that is no text', text: '{"NodeNames":["n1",2]}' },
    { name: 'a name with an escape', text: '{"NodeNames":["n\\u0031"]}' },
    { name: 'a name that is no DNS name', text: '{"NodeNames":["nöde","a b"]}' },
    { name: 'a name longer than any', text: `{"NodeNames":["${'n'.repeat(300)}"]}` },
    { name: 'the same key twice', text: '{"NodeNames":["n1"],"NodeNames":["n2"]}' },
    { name: 'the key once more in small letters', text: '{"nodenames":["n1"],"NodeNames":["n2"]}' },
    { name: 'the list deeper in', text: '{"Pod":{"NodeNames":["n1"]}}' },
    { name: 'another key that ends alike', text: '{"\\"NodeNames":["n1"]}' },
    { name: 'the key inside a text', text: '{"Pod":"\\"NodeNames\\":[\\"n1\\"]}"}' },
    { name: 'a key that looks like a prototype', text: '{"__proto__":{"x":1},"NodeNames":["n1"]}' },
    { name: 'a brace too few', text: '{"Pod":{"NodeNames":["n1"]}' },
    { name: 'a brace too many', text: '{"NodeNames":["n1"]}}' },
    { name: 'text behind it', text: '{"NodeNames":["n1"]} x' },
    { name: 'a comma too many', text: '{"NodeNames":["n1",]}' },
    { name: 'a list without end', text: '{"NodeNames":["n1"' },
    { name: 'a name without end', text: '{"NodeNames":["n1' },
    { name: 'a member without a comma', text: '{"Pod":1"NodeNames":["n1"]}' },
    { name: 'no object', text: '["NodeNames"]' },
  ];
  it.each(texts)('reads $name as the JSON parser does', ({ text }) => {
    expect(fast(text)).toEqual(slow(text));
  });

  it('reads one body after the other, whatever their names and order, as the JSON parser does', () => {
    const names = fc.array(fc.constantFrom('a', 'b', 'ab', 'node-1', 'node-10', 'ü', 'x y', ''), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(fc.array(names, { maxLength: 6 }), (lists) => {
        const known = new KnownNames();
        for (const NodeNames of lists) {
          const text = JSON.stringify({ Pod: { spec: {} }, Nodes: null, NodeNames });
          expect(fast(text, known)).toEqual(slow(text));
        }
      }),
    );
  });

  it('reads any text as the JSON parser does', () => {
    const pieces = fc.constantFrom(
      '"NodeNames":[',
      '{',
      '}',
      ']',
      ',',
      '"n1"',
      '"',
      '\\',
      '"Pod":null',
      ' ',
      '1',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 10 }), (parts) => {
        const text = parts.join('');
        expect(fast(text)).toEqual(slow(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('finds the texts of the call before', () => {
    const known = new KnownNames();
    const list = new TextEncoder().encode('"n1","n2"]');
    expect(known.read(list, 0)?.names).toEqual(['n1', 'n2']);
    expect(known.read(list, 0)).toEqual({ names: ['n1', 'n2'], end: list.length });
    expect(known.size).toBe(2);
  });

  it('forgets names before they are too many', () => {
    const known = new KnownNames(3);
    for (let number = 0; number < 10; number += 1) {
      const list = new TextEncoder().encode(`"n${number}","m${number}"]`);
      expect(known.read(list, 0)?.names).toEqual([`n${number}`, `m${number}`]);
      expect(known.size).toBeLessThanOrEqual(3);
    }
  });
});
