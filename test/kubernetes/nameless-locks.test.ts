import { describe, expect, it } from '@jest/globals';
import { NamelessLocks } from '../../src/kubernetes/nameless-locks.ts';
import { namelessLock } from './support/lock-families.ts';

const holder = (uid: string) => ({ namespace: 'default', name: uid, uid });
const keepMs = 1000;

/** Locks of node `n1`, written by text, owner and time. */
function written(...writes: readonly (readonly [string, string, number])[]): NamelessLocks {
  const locks = new NamelessLocks();
  for (const [value, uid, atMs] of writes) {
    locks.begins('n1', namelessLock, { value, owner: holder(uid), atMs }, keepMs);
  }
  return locks;
}
const ownerOf = (locks: NamelessLocks, value: string, node = 'n1') =>
  locks.ownerOf(node, namelessLock, value)?.uid;
const write = (value: string, uid: string) => ({ value, owner: holder(uid) });

describe('a lock that names nobody', () => {
  it('is somebody else’s unless it was written here, on this node', () => {
    const locks = written(['t1', 'a', 0]);
    expect([ownerOf(locks, 't1'), ownerOf(locks, 't2'), ownerOf(locks, 't1', 'n2')]).toEqual([
      'a',
      undefined,
      undefined,
    ]);
  });

  it('may be any of those whose writes were not answered', () => {
    const locks = written(['t1', 'a', 0], ['t2', 'b', 10]);
    expect([ownerOf(locks, 't1'), ownerOf(locks, 't2')]).toEqual(['a', 'b']);
  });

  it('is the one whose write succeeded, and none from before it', () => {
    const locks = written(['t1', 'a', 0], ['t2', 'b', 10]);
    locks.stands('n1', namelessLock, write('t2', 'b'));
    expect([ownerOf(locks, 't1'), ownerOf(locks, 't2')]).toEqual([undefined, 'b']);
  });

  it('is never one whose write failed for sure', () => {
    const locks = written(['t1', 'a', 0], ['t2', 'b', 10]);
    locks.failed('n1', namelessLock, write('t2', 'b'));
    expect([ownerOf(locks, 't1'), ownerOf(locks, 't2')]).toEqual(['a', undefined]);
  });

  it('is the later pod’s where two were written in one second', () => {
    const locks = written(['t1', 'a', 0], ['t1', 'b', 10]);
    expect(ownerOf(locks, 't1')).toBe('b');
    locks.failed('n1', namelessLock, write('t1', 'b'));
    expect(ownerOf(locks, 't1')).toBe('a');
  });

  it('is forgotten with the first write after it was over', () => {
    const locks = written(['t1', 'a', 0], ['t2', 'b', keepMs], ['t3', 'c', keepMs + 1]);
    expect(['t1', 't2', 't3'].map((value) => ownerOf(locks, value))).toEqual([undefined, 'b', 'c']);
  });

  it('that is told of without having been written changes nothing', () => {
    const locks = written(['t1', 'a', 0]);
    locks.stands('n1', namelessLock, write('x', 'a'));
    locks.failed('n1', namelessLock, write('t1', 'b'));
    expect(ownerOf(locks, 't1')).toBe('a');
  });
});
