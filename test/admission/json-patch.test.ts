import { describe, expect, it } from '@jest/globals';
import { pointer, remove, set } from '../../src/admission/json-patch.ts';
import { applyPatch } from './apply-patch.ts';

describe('pointer', () => {
  it.each([
    { name: 'joins segments', segments: ['spec', 'containers', 0, 'env'], want: '/spec/containers/0/env' },
    { name: 'escapes a slash', segments: ['limits', 'nvidia.com/gpu'], want: '/limits/nvidia.com~1gpu' },
    { name: 'escapes a tilde', segments: ['a~b'], want: '/a~0b' },
    { name: 'escapes a tilde before what a slash becomes', segments: ['~1/'], want: '/~01~1' },
    { name: 'keeps an empty segment', segments: ['', 'a'], want: '//a' },
    { name: 'names the whole document by nothing', segments: [], want: '' },
  ])('$name', ({ segments, want }) => {
    expect(pointer(...segments)).toBe(want);
  });
});

describe('set and remove', () => {
  it('set and take back a member whose name has every character that a pointer escapes', () => {
    const key = '~a/b~1~0';
    const after = applyPatch({ m: {} }, [set('value', 'm', key)]);
    expect(after).toEqual({ m: { [key]: 'value' } });
    expect(applyPatch(after, [remove('m', key)])).toEqual({ m: {} });
  });

  it('set replaces a member that is there already', () => {
    expect(applyPatch({ m: { k: 1 } }, [set(2, 'm', 'k')])).toEqual({ m: { k: 2 } });
  });
});
