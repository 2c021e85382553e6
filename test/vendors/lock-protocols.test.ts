import { describe, expect, it } from '@jest/globals';
import { distinctLocks, LockProtocols } from '../../src/vendors/lock-protocols.ts';
import { sharedNodeLock } from '../../src/vendors/node-lock.ts';
import { allocatedOf, lockFamilies, namelessKey, namelessLock } from '../kubernetes/support/lock-families.ts';

const shared = 'hami.io/mutex.lock';
const marked = { 'hami.io/bind-phase': 'allocating' };
/** A second family of the shared lock. */
const secondShared = { allocated: 'example.com/second-allocated', toAllocate: 'example.com/second' };
const nextToShared = { [secondShared.allocated]: 'z-0,second,3000,0:;' };
const keysOf = (locks: readonly { readonly annotation: string }[]) =>
  locks.map(({ annotation }) => annotation);

describe('the lock protocols of an installation', () => {
  it.each([
    {
      name: 'each once, the shared one first',
      vendors: [...lockFamilies].reverse(),
      want: [shared, namelessKey],
    },
    {
      name: 'the shared one even where nobody uses it',
      vendors: lockFamilies.slice(1),
      want: [shared, namelessKey],
    },
    { name: 'the shared one where there is no family at all', vendors: [], want: [shared] },
  ])('are $name', ({ vendors, want }) => {
    expect(keysOf(new LockProtocols(vendors).all)).toEqual(want);
  });

  it('of some families are theirs alone', () => {
    expect(keysOf(distinctLocks(lockFamilies.slice(1)))).toEqual([namelessKey]);
    expect(distinctLocks([{ nodeLock: namelessLock }, { nodeLock: { ...namelessLock } }, {}])).toEqual([
      namelessLock,
    ]);
    expect(distinctLocks([])).toEqual([]);
  });
});

describe('the locks by which a bound pod is served', () => {
  const { shared: ofShared, nameless, lockless } = allocatedOf;
  it.each([
    { name: 'that of its family', annotations: { ...marked, ...ofShared }, want: [shared] },
    { name: 'a lock of another kind', annotations: { ...marked, ...nameless }, want: [namelessKey] },
    {
      name: 'those of all its families',
      annotations: { ...marked, ...nameless, ...ofShared },
      want: [shared, namelessKey],
    },
    { name: 'none for a family without a lock', annotations: { ...marked, ...lockless }, want: [] },
    {
      name: 'not those of families of which it has nothing',
      annotations: { ...marked, ...nameless, 'hami.io/vgpu-devices-allocated': ';;' },
      want: [namelessKey],
    },
    {
      name: 'the shared one where its family is not known and it is marked',
      annotations: marked,
      want: [shared],
    },
    { name: 'none for a pod without any mark', annotations: {}, want: [] },
    { name: 'not the shared one where its plugin does not look for it', annotations: ofShared, want: [] },
    { name: 'a lock whose plugin needs no such mark', annotations: nameless, want: [namelessKey] },
    {
      name: 'those that it is served by already, too',
      annotations: { 'hami.io/bind-phase': 'success', ...ofShared },
      want: [shared],
    },
  ])('are $name', ({ annotations, want }) => {
    expect(keysOf(new LockProtocols(lockFamilies).of(annotations))).toEqual(want);
  });

  it.each([
    { name: 'waits until it is served', annotations: { ...marked, ...ofShared }, want: true },
    {
      name: 'waits no longer then',
      annotations: { 'hami.io/bind-phase': 'success', ...ofShared },
      want: false,
    },
    {
      name: 'waits whatever the first of several plugins of that lock says',
      annotations: { 'hami.io/bind-phase': 'success', ...ofShared, ...nextToShared },
      want: true,
    },
    {
      name: 'does not wait under a lock that is not its',
      annotations: { ...marked, ...nameless },
      want: false,
    },
  ])('tell that it $name', ({ annotations, want }) => {
    const families = [...lockFamilies, { nodeLock: sharedNodeLock, annotations: secondShared }];
    expect(new LockProtocols(families).isAwaited(annotations, sharedNodeLock)).toBe(want);
  });

  it('has the very protocols of the installation', () => {
    const protocols = new LockProtocols(lockFamilies);
    expect(protocols.of({ ...marked, ...ofShared })[0]).toBe(sharedNodeLock);
  });
});
