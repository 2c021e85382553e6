/** Whether a text is well-formed XML, as far as generated pictures use it: tags in pairs, attributes quoted, words escaped. */
import { expect } from '@jest/globals';

const token =
  /<(?<close>\/)?(?<name>[a-zA-Z][\w-]*)(?<attributes>(?: [a-zA-Z][\w:-]*="[^"<&]*(?:&(?:amp|lt|gt|quot|#39);[^"<&]*)*")*)(?<empty>\/)?>|(?<words>(?:[^<>&]|&(?:amp|lt|gt|quot|#39);)+)/uy;

export function expectWellFormed(text: string): void {
  const open: string[] = [];
  token.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    const found = token.exec(text);
    if (found === null)
      throw new Error(`not well-formed at ${at}: ${JSON.stringify(text.slice(at, at + 80))}`);
    at = token.lastIndex;
    const { close, name = '', attributes = '', empty, words = '' } = found.groups ?? {};
    const names = [...attributes.matchAll(/ ([a-zA-Z][\w:-]*)="/g)].map(([, attribute]) => attribute);
    if (new Set(names).size < names.length) throw new Error(`an attribute twice in ${found[0]}`);
    if (/[^\t\n\r\x20-\ufffd\u{10000}-\u{10ffff}]/u.test(words + attributes))
      throw new Error(`a character that XML has no place for in ${JSON.stringify(found[0])}`);
    if (close !== undefined) expect(open.pop()).toBe(name);
    else if (name !== '' && empty === undefined) open.push(name);
  }
  expect(open).toEqual([]);
}
