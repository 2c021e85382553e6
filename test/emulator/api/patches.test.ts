import { describe, expect, it } from '@jest/globals';
import { jsonPatch } from '../../../src/emulator/api/json-patch.ts';
import { mergePatch } from '../../../src/emulator/api/merge-patch.ts';
import { applyPatch } from '../../../src/emulator/api/patch.ts';
import { ApiError } from '../../../src/emulator/api/status.ts';
import { strategicMerge } from '../../../src/emulator/api/strategic-merge.ts';

describe('mergePatch', () => {
  // Most cases are those of RFC 7396, appendix A.
  it.each([
    { name: 'replaces a member', target: { a: 'b' }, patch: { a: 'c' }, want: { a: 'c' } },
    { name: 'adds a member', target: { a: 'b' }, patch: { b: 'c' }, want: { a: 'b', b: 'c' } },
    { name: 'removes by null', target: { a: 'b', b: 'c' }, patch: { a: null }, want: { b: 'c' } },
    { name: 'replaces lists', target: { a: [1, 2] }, patch: { a: [3] }, want: { a: [3] } },
    {
      name: 'makes objects of values',
      target: { a: 'b' },
      patch: { a: { b: 'c' } },
      want: { a: { b: 'c' } },
    },
    {
      name: 'merges depths',
      target: { a: { b: 1, c: 2 } },
      patch: { a: { b: null } },
      want: { a: { c: 2 } },
    },
    { name: 'drops nulls it brings itself', target: {}, patch: { a: { b: null } }, want: { a: {} } },
    { name: 'replaces what is no object', target: [1], patch: 'x', want: 'x' },
  ])('$name', ({ target, patch, want }) => {
    const before = structuredClone(target);
    expect(mergePatch(target, patch)).toEqual(want);
    expect(target).toEqual(before);
  });

  it('takes a member called __proto__ for a member', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(Object.hasOwn(merged as object, '__proto__')).toBe(true);
    expect((merged as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('jsonPatch', () => {
  it.each([
    { name: 'adds a member', target: {}, operations: [{ op: 'add', path: '/a', value: 1 }], want: { a: 1 } },
    {
      name: 'adds where a member is',
      target: { a: 1 },
      operations: [{ op: 'add', path: '/a', value: 2 }],
      want: { a: 2 },
    },
    {
      name: 'inserts into a list',
      target: { a: [1, 3] },
      operations: [{ op: 'add', path: '/a/1', value: 2 }],
      want: { a: [1, 2, 3] },
    },
    {
      name: 'appends to a list',
      target: { a: [1] },
      operations: [{ op: 'add', path: '/a/-', value: 2 }],
      want: { a: [1, 2] },
    },
    {
      name: 'removes from a list',
      target: { a: [1, 2] },
      operations: [{ op: 'remove', path: '/a/0' }],
      want: { a: [2] },
    },
    {
      name: 'replaces within a list',
      target: { a: [{ b: 1 }] },
      operations: [{ op: 'replace', path: '/a/0/b', value: 2 }],
      want: { a: [{ b: 2 }] },
    },
    {
      name: 'unescapes ~1 and ~0',
      target: { 'x/y~z': 1 },
      operations: [{ op: 'replace', path: '/x~1y~0z', value: 2 }],
      want: { 'x/y~z': 2 },
    },
    {
      name: 'moves',
      target: { a: 1 },
      operations: [{ op: 'move', from: '/a', path: '/b' }],
      want: { b: 1 },
    },
    {
      name: 'copies',
      target: { a: [1] },
      operations: [{ op: 'copy', from: '/a', path: '/b' }],
      want: { a: [1], b: [1] },
    },
    {
      name: 'tests deeply',
      target: { a: { b: [1] } },
      operations: [{ op: 'test', path: '/a', value: { b: [1] } }],
      want: { a: { b: [1] } },
    },
    {
      name: 'replaces the whole',
      target: { a: 1 },
      operations: [{ op: 'replace', path: '', value: { b: 2 } }],
      want: { b: 2 },
    },
  ])('$name', ({ target, operations, want }) => {
    const before = structuredClone(target);
    expect(jsonPatch(target, operations)).toEqual({ ok: true, value: want });
    expect(target).toEqual(before);
  });

  it.each([
    { name: 'a removal of nothing', operations: [{ op: 'remove', path: '/x' }] },
    { name: 'a replacement of nothing', operations: [{ op: 'replace', path: '/x', value: 1 }] },
    { name: 'an addition below nothing', operations: [{ op: 'add', path: '/x/y', value: 1 }] },
    { name: 'an addition below a value', operations: [{ op: 'add', path: '/a/y', value: 1 }] },
    { name: 'a list element beyond the end', operations: [{ op: 'add', path: '/list/3', value: 1 }] },
    { name: 'a list element by name', operations: [{ op: 'remove', path: '/list/first' }] },
    { name: 'a list element by a padded number', operations: [{ op: 'remove', path: '/list/00' }] },
    { name: 'a test that fails', operations: [{ op: 'test', path: '/a', value: 2 }] },
    { name: 'a test of nothing', operations: [{ op: 'test', path: '/x', value: 2 }] },
    { name: 'a move of nothing', operations: [{ op: 'move', from: '/x', path: '/y' }] },
    { name: 'an unknown operation', operations: [{ op: 'mend', path: '/a' }] },
    { name: 'a path without a slash', operations: [{ op: 'remove', path: 'a' }] },
    { name: 'what is no operation', operations: ['remove'] },
  ])('refuses $name', ({ operations }) => {
    expect(jsonPatch({ a: 1, list: [1, 2] }, operations)).toMatchObject({ ok: false });
  });
});

describe('strategicMerge', () => {
  it.each([
    {
      name: 'merges containers by name and their env by name',
      target: {
        containers: [
          { name: 'a', image: 'x', env: [{ name: 'A', value: '1' }] },
          { name: 'b', image: 'y' },
        ],
      },
      patch: { containers: [{ name: 'a', env: [{ name: 'B', value: '2' }] }] },
      want: {
        containers: [
          {
            name: 'a',
            image: 'x',
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
          },
          { name: 'b', image: 'y' },
        ],
      },
    },
    {
      name: 'removes a list element by directive',
      target: { env: [{ name: 'A' }, { name: 'B' }] },
      patch: { env: [{ name: 'A', $patch: 'delete' }] },
      want: { env: [{ name: 'B' }] },
    },
    {
      name: 'replaces a keyed list by directive',
      target: { env: [{ name: 'A' }, { name: 'B' }] },
      patch: { env: [{ $patch: 'replace' }, { name: 'C' }] },
      want: { env: [{ name: 'C' }] },
    },
    {
      name: 'replaces an object by directive',
      target: { nodeSelector: { a: '1' } },
      patch: { nodeSelector: { $patch: 'replace', b: '2' } },
      want: { nodeSelector: { b: '2' } },
    },
    {
      name: 'empties an object by directive',
      target: { nodeSelector: { a: '1' } },
      patch: { nodeSelector: { $patch: 'delete' } },
      want: { nodeSelector: {} },
    },
    {
      name: 'orders a list as told, the rest after it',
      target: { containers: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
      patch: { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }] },
      want: { containers: [{ name: 'c' }, { name: 'a' }, { name: 'b' }] },
    },
    {
      name: 'keeps only the named fields of a union',
      target: { volumes: [{ name: 'v', emptyDir: {} }] },
      patch: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] },
      want: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] },
    },
    {
      name: 'merges finalizers as a set',
      target: { finalizers: ['a', 'b'] },
      patch: { finalizers: ['b', 'c'], '$deleteFromPrimitiveList/finalizers': ['a'] },
      want: { finalizers: ['b', 'c'] },
    },
    {
      name: 'merges conditions by type',
      target: { conditions: [{ type: 'Ready', status: 'False', reason: 'x' }] },
      patch: { conditions: [{ type: 'Ready', status: 'True', reason: null }] },
      want: { conditions: [{ type: 'Ready', status: 'True' }] },
    },
    {
      name: 'replaces tolerations and taints as a whole',
      target: { tolerations: [{ key: 'a' }], taints: [{ key: 'a' }] },
      patch: { tolerations: [{ key: 'b' }], taints: [{ key: 'b' }] },
      want: { tolerations: [{ key: 'b' }], taints: [{ key: 'b' }] },
    },
    { name: 'removes by null', target: { a: 1, b: 2 }, patch: { a: null }, want: { b: 2 } },
  ])('$name', ({ target, patch, want }) => {
    const before = structuredClone(target);
    expect(strategicMerge(target, patch)).toEqual(want);
    expect(target).toEqual(before);
  });
});

describe('applyPatch', () => {
  it.each([
    { name: 'server-side apply', type: 'application/apply-patch+yaml', body: '{}', wantCode: 415 },
    { name: 'plain JSON', type: 'application/json', body: '{}', wantCode: 415 },
    { name: 'no type', type: undefined, body: '{}', wantCode: 415 },
    { name: 'what is no JSON', type: 'application/merge-patch+json', body: '{', wantCode: 400 },
    {
      name: 'a merge patch that is no object',
      type: 'application/merge-patch+json',
      body: '[]',
      wantCode: 400,
    },
    { name: 'a JSON patch that is no list', type: 'application/json-patch+json', body: '{}', wantCode: 400 },
    {
      name: 'a JSON patch that leaves no object',
      type: 'application/json-patch+json',
      body: '[{"op":"replace","path":"","value":1}]',
      wantCode: 422,
    },
  ])('refuses $name', ({ type, body, wantCode }) => {
    const apply = () => applyPatch(type, {}, body);
    expect(apply).toThrow(ApiError);
    expect(apply).toThrow(expect.objectContaining({ code: wantCode }));
  });

  it('ignores parameters of the content type', () => {
    const type = 'Application/Merge-Patch+JSON; charset=utf-8';
    expect(applyPatch(type, { a: 1 }, '{"b":2}')).toEqual({ a: 1, b: 2 });
  });
});
