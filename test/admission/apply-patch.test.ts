import { describe, expect, it } from '@jest/globals';
import { applyPatch } from './apply-patch.ts';

describe('applyPatch', () => {
  const cases = [
    {
      name: 'adds a member',
      operation: { op: 'add', path: '/a/c', value: 2 },
      want: { a: { b: 1, c: 2 }, l: [1, 2] },
    },
    {
      name: 'replaces by add',
      operation: { op: 'add', path: '/a/b', value: 2 },
      want: { a: { b: 2 }, l: [1, 2] },
    },
    {
      name: 'removes a member',
      operation: { op: 'remove', path: '/a/b' },
      want: { a: {}, l: [1, 2] },
    },
    {
      name: 'appends to an array',
      operation: { op: 'add', path: '/l/-', value: 3 },
      want: { a: { b: 1 }, l: [1, 2, 3] },
    },
    {
      name: 'inserts into an array',
      operation: { op: 'add', path: '/l/0', value: 0 },
      want: { a: { b: 1 }, l: [0, 1, 2] },
    },
    {
      name: 'replaces an element',
      operation: { op: 'replace', path: '/l/1', value: 9 },
      want: { a: { b: 1 }, l: [1, 9] },
    },
    {
      name: 'reads escaped slashes and tildes',
      operation: { op: 'add', path: '/a/x~1y~01', value: 1 },
      want: { a: { b: 1, 'x/y~1': 1 }, l: [1, 2] },
    },
  ];

  it.each(cases)('$name', ({ operation, want }) => {
    const before = { a: { b: 1 }, l: [1, 2] };
    expect(applyPatch<unknown>(before, [operation])).toEqual(want);
    expect(before).toEqual({ a: { b: 1 }, l: [1, 2] });
  });

  it.each([
    { op: 'add', path: '/missing/c', value: 1 },
    { op: 'remove', path: '/a/missing' },
    { op: 'replace', path: '/a/missing', value: 1 },
    { op: 'replace', path: '/l/2', value: 1 },
    { op: 'add', path: '/l/3', value: 1 },
    { op: 'remove', path: '/l/-' },
    { op: 'add', path: 'a/b', value: 1 },
    { op: 'move', path: '/a/b' },
  ])('refuses $op at $path, where there is nothing to apply it to', (operation) => {
    expect(() => applyPatch<unknown>({ a: { b: 1 }, l: [1, 2] }, [operation])).toThrow();
  });
});
