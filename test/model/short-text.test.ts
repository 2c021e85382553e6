import { describe, expect, it } from '@jest/globals';
import { shortText } from '../../src/model/short-text.ts';

const cases = [
  { name: 'leaves a text that fits', text: 'abcde', want: 'abcde' },
  { name: 'cuts a longer one where the ellipsis still fits', text: 'abcdef', want: 'abcd…' },
  { name: 'tears no character apart', text: 'abc\u{1F600}def', want: 'abc…' },
  { name: 'takes an empty text', text: '', want: '' },
];

describe('shortText', () => {
  it.each(cases)('$name', ({ text, want }) => {
    expect(shortText(text, 5)).toBe(want);
  });
});
