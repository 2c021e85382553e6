/** Pods that wait for their devices under other locks than HAMi's, under several, or under none. */
import { describe, expect, it } from '@jest/globals';
import { PodWatch } from '../../src/kubernetes/pod-watch.ts';
import type { TextMap } from '../../src/model/cluster-objects.ts';
import { LockProtocols } from '../../src/vendors/lock-protocols.ts';
import { sharedNodeLock } from '../../src/vendors/node-lock.ts';
import { podObject } from '../state/support/device-states.ts';
import type { PodFields } from '../support/kubernetes-objects.ts';
import { allocatedOf, lockFamilies, namelessLock } from './support/lock-families.ts';

const allocating = { 'hami.io/bind-phase': 'allocating' };
const success = { 'hami.io/bind-phase': 'success' };
const assigned = { 'example.com/assigned': 'true' };
const { shared, nameless, lockless } = allocatedOf;
const bound = (annotations: TextMap, fields: PodFields = {}) =>
  podObject({ nodeName: 'n1', ...fields, annotations });

/** For which locks a pod closes `n1` to others. */
function closed(watch: PodWatch, exceptUid = 'anyone'): readonly string[] {
  return [sharedNodeLock, namelessLock].flatMap((lock) =>
    watch.waitingOn('n1', exceptUid, [lock]) === undefined ? [] : [lock.annotation],
  );
}
const byShared = 'hami.io/mutex.lock';
const byNameless = 'example.com/plugin.lock';

function watchOf(...pods: readonly ReturnType<typeof bound>[]): PodWatch {
  const watch = new PodWatch({ protocols: new LockProtocols(lockFamilies) });
  for (const pod of pods) watch.see(pod);
  return watch;
}

describe('a bound pod closes its node', () => {
  it.each<{ name: string; seen: readonly ReturnType<typeof bound>[]; want: readonly string[] }>([
    { name: 'to its own family alone', seen: [bound({ ...allocating, ...nameless })], want: [byNameless] },
    {
      name: 'to all of its families',
      seen: [bound({ ...allocating, ...shared, ...nameless })],
      want: [byShared, byNameless],
    },
    {
      name: 'to nobody when its family takes no lock',
      seen: [bound({ ...allocating, ...lockless })],
      want: [],
    },
    {
      name: 'by its families with a lock beside one without',
      seen: [bound({ ...allocating, ...lockless, ...nameless })],
      want: [byNameless],
    },
    {
      name: 'until its plugin says so, not until another does',
      seen: [bound({ ...allocating, ...nameless }), bound({ ...success, ...nameless })],
      want: [byNameless],
    },
    {
      name: 'no longer once it was served',
      seen: [bound({ ...allocating, ...nameless }), bound({ ...allocating, ...nameless, ...assigned })],
      want: [],
    },
    {
      name: 'to those of its families whose plugin is not done yet',
      seen: [
        bound({ ...allocating, ...shared, ...nameless }),
        bound({ ...allocating, ...shared, ...nameless, ...assigned }),
      ],
      want: [byShared],
    },
    {
      name: 'no longer once it has begun, served or not',
      seen: [bound({ ...allocating, ...shared, ...nameless }), bound(nameless, { phase: 'Running' })],
      want: [],
    },
    {
      name: 'though somebody removes the words of it',
      seen: [bound({ ...allocating, ...shared, ...nameless }), bound({})],
      want: [byShared, byNameless],
    },
    {
      name: 'never again to a family whose plugin was done once',
      seen: [
        bound({ ...allocating, ...shared, ...nameless }),
        bound({ ...allocating, ...shared, ...nameless, ...assigned }),
        bound({ ...allocating, ...shared, ...nameless }),
      ],
      want: [byShared],
    },
    {
      name: 'never when it was served before it was seen',
      seen: [bound({ ...nameless, ...assigned }), bound(nameless)],
      want: [],
    },
  ])('$name', ({ seen, want }) => {
    expect(closed(watchOf(...seen))).toEqual(want);
  });

  it('never to itself', () => {
    expect(closed(watchOf(bound({ ...allocating, ...nameless })), 'uid-pod-1')).toEqual([]);
  });
});

describe('a Binding under way', () => {
  it.each([
    {
      name: 'closes the node under its locks',
      locks: [sharedNodeLock, namelessLock],
      want: [byShared, byNameless],
    },
    { name: 'closes it for its own family alone', locks: [namelessLock], want: [byNameless] },
    { name: 'without a lock closes nothing', locks: [], want: [] },
  ])('$name', ({ locks, want }) => {
    const watch = watchOf();
    watch.expect(podObject(), 'n1', locks);
    expect(closed(watch)).toEqual(want);
    expect(watch.gone('uid-pod-1')).toBe(want.length === 0 ? undefined : 'n1');
  });
});

describe('a pod that vanishes while it waits', () => {
  const next = (annotations: TextMap, fields: PodFields = {}) =>
    bound(annotations, { name: 'next', ...fields });

  it('makes the next one of its family wait until it runs, and none of another', () => {
    const watch = watchOf(bound({ ...allocating, ...nameless }));
    watch.gone('uid-pod-1');
    watch.see(next({ ...allocating, ...shared, ...nameless }));
    watch.see(next({ ...success, ...shared, ...nameless, ...assigned }));
    expect(closed(watch)).toEqual([byNameless]);
    watch.see(next({ ...success, ...shared, ...nameless, ...assigned }, { phase: 'Running' }));
    watch.see(bound({ ...allocating, ...nameless }, { name: 'after' }));
    watch.see(bound({ ...allocating, ...nameless, ...assigned }, { name: 'after' }));
    expect(closed(watch)).toEqual([]);
  });

  it('is still waited out when a pod of another family begins', () => {
    const watch = watchOf(bound({ ...allocating, ...nameless }));
    watch.gone('uid-pod-1');
    watch.see(bound({ ...allocating, ...shared }, { name: 'other' }));
    watch.see(bound({ ...allocating, ...shared }, { name: 'other', phase: 'Running' }));
    watch.see(next({ ...allocating, ...nameless }));
    watch.see(next({ ...allocating, ...nameless, ...assigned }));
    expect(closed(watch)).toEqual([byNameless]);
  });
});

describe('who was served last', () => {
  it('is known by lock', () => {
    const watch = watchOf(
      bound({ ...allocating, ...shared, ...nameless }, { name: 'both' }),
      bound({ ...allocating, ...shared, ...nameless, ...assigned }, { name: 'both' }),
    );
    expect(watch.lastServed('n1', namelessLock)).toMatchObject({ name: 'both' });
    expect(watch.lastServed('n1', sharedNodeLock)).toBeUndefined();
    watch.see(bound({ ...success, ...shared, ...nameless, ...assigned }, { name: 'both' }));
    watch.see(bound({ ...allocating, ...nameless }, { name: 'second' }));
    watch.see(bound({ ...allocating, ...nameless, ...assigned }, { name: 'second' }));
    expect(watch.lastServed('n1', sharedNodeLock)).toMatchObject({ name: 'both' });
    expect(watch.lastServed('n1', namelessLock)).toMatchObject({ name: 'second' });
    expect(watch.lastServed('n2', namelessLock)).toBeUndefined();
  });
});
