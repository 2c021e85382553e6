import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  formatNodeLock,
  isLockedBy,
  lockAnnotations,
  lockHolderOf,
  type NodeLockProtocol,
  parseNodeLock,
  sharedNodeLock,
} from '../../src/vendors/node-lock.ts';

const atMs = Date.UTC(2026, 7, 21, 6, 20, 39);
const owner = { namespace: 'team-a', name: 'train-0' };

describe('the node lock (spec §1.6)', () => {
  it('is written in whole seconds of UTC', () => {
    expect(formatNodeLock(atMs + 999, owner)).toBe('2026-08-21T06:20:39Z,team-a,train-0');
  });

  it.each([
    { name: 'in UTC', value: '2026-08-21T06:20:39Z,team-a,train-0', want: { kind: 'owned', atMs, owner } },
    {
      name: 'in a local zone',
      value: '2026-08-21T08:20:39+02:00,team-a,train-0',
      want: { kind: 'owned', atMs, owner },
    },
    {
      name: 'with a fraction',
      value: '2026-08-21T06:20:39.5Z,team-a,train-0',
      want: { kind: 'owned', atMs: atMs + 500, owner },
    },
    { name: 'of the legacy form', value: '2026-08-21T06:20:39Z', want: { kind: 'bare', atMs } },
    { name: 'that is empty', value: '', want: { kind: 'malformed' } },
    { name: 'without pod', value: '2026-08-21T06:20:39Z,team-a', want: { kind: 'malformed' } },
    { name: 'with an empty owner', value: '2026-08-21T06:20:39Z,,', want: { kind: 'malformed' } },
    {
      name: 'with a fourth part',
      value: '2026-08-21T06:20:39Z,team-a,train-0,x',
      want: { kind: 'malformed' },
    },
    { name: 'without zone', value: '2026-08-21T06:20:39,team-a,train-0', want: { kind: 'malformed' } },
    { name: 'without time of day', value: '2026-08-21,team-a,train-0', want: { kind: 'malformed' } },
    {
      name: 'of an impossible time',
      value: '2026-13-41T06:20:39Z,team-a,train-0',
      want: { kind: 'malformed' },
    },
    { name: 'in words', value: 'yesterday,team-a,train-0', want: { kind: 'malformed' } },
  ])('is read: one $name', ({ value, want }) => {
    expect(parseNodeLock(value)).toEqual(want);
  });

  it.each([
    { name: 'its owner', value: '2026-08-21T06:20:39Z,team-a,train-0', want: true },
    { name: 'its owner, at any time', value: 'x,team-a,train-0', want: true },
    {
      name: 'a pod whose name merely ends like it',
      value: '2026-08-21T06:20:39Z,team-a,big-train-0',
      want: false,
    },
    { name: 'the pod of that name elsewhere', value: '2026-08-21T06:20:39Z,my-team-a,train-0', want: false },
    { name: 'a pod whose name goes on', value: '2026-08-21T06:20:39Z,team-a,train-01', want: false },
    { name: 'nobody', value: '2026-08-21T06:20:39Z', want: false },
  ])('belongs to $name: $want', ({ value, want }) => {
    expect(isLockedBy(value, owner)).toBe(want);
  });

  it('comes back from what was written, and belongs to who wrote it', () => {
    const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
    const seconds = fc.nat({ max: 4_102_444_800 });
    fc.assert(
      fc.property(seconds, name, name, (second, namespace, pod) => {
        const holder = { namespace, name: pod };
        const value = formatNodeLock(second * 1000, holder);
        expect(parseNodeLock(value)).toEqual({ kind: 'owned', atMs: second * 1000, owner: holder });
        expect(isLockedBy(value, holder)).toBe(true);
      }),
    );
  });

  it('never throws on what it reads', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(['owned', 'bare', 'malformed']).toContain(parseNodeLock(value).kind);
      }),
    );
  });
});

describe('a lock whose values name nobody', () => {
  const protocol: NodeLockProtocol = {
    annotation: 'example.com/lock',
    ownerAnnotation: 'tessera.io/lock-owner',
    format: (ms) => new Date(ms).toISOString(),
    isServed: () => false,
  };
  const holder = { ...owner, uid: 'uid-1' };
  const taken = lockAnnotations(protocol, atMs, holder);

  it('is written with its pod beside it, and known by that', () => {
    expect(taken).toEqual({
      'example.com/lock': '2026-08-21T06:20:39.000Z',
      'tessera.io/lock-owner': '2026-08-21T06:20:39.000Z,team-a,train-0,uid-1',
    });
    expect(lockHolderOf(protocol, taken)).toEqual(holder);
  });

  it.each([
    { name: 'one of another time', changes: { 'example.com/lock': '2026-08-21T06:20:39.001Z' } },
    { name: 'the beginning of one', changes: { 'example.com/lock': '2026-08-21T06:20:39' } },
    { name: 'one of no text', changes: { 'example.com/lock': '' } },
    { name: 'text without a pod', changes: { 'tessera.io/lock-owner': '2026-08-21T06:20:39.000Z' } },
    { name: 'half a pod', changes: { 'tessera.io/lock-owner': '2026-08-21T06:20:39.000Z,team-a,,uid-1' } },
    {
      name: 'more than a pod',
      changes: { 'tessera.io/lock-owner': '2026-08-21T06:20:39.000Z,team-a,train-0,uid-1,x' },
    },
  ])('is nobody’s where lock and owner do not belong together: $name', ({ changes }) => {
    expect(lockHolderOf(protocol, { ...taken, ...changes })).toBeUndefined();
  });

  it('is none of those that name their pods', () => {
    const shared = lockAnnotations(sharedNodeLock, atMs, holder);
    expect(shared).toEqual({ 'hami.io/mutex.lock': '2026-08-21T06:20:39Z,team-a,train-0' });
    expect(lockHolderOf(sharedNodeLock, shared)).toBeUndefined();
  });

  it('never throws on what it reads', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, (lock, written) => {
        const found = lockHolderOf(protocol, { 'example.com/lock': lock, 'tessera.io/lock-owner': written });
        expect(found === undefined || written.startsWith(`${lock},`)).toBe(true);
      }),
    );
  });
});
