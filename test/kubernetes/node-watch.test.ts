import { describe, expect, it } from '@jest/globals';
import { NodeWatch } from '../../src/kubernetes/node-watch.ts';
import { lockAnnotations, sharedNodeLock } from '../../src/vendors/node-lock.ts';
import { nodeObject } from '../state/support/device-states.ts';
import { namelessKey, namelessLock } from './support/lock-families.ts';

const never = new AbortController().signal;
const locks = { 'hami.io/mutex.lock': '2026-01-01T00:00:00Z,default,pod-1' };

async function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), Promise.resolve().then(() => Promise.resolve(false))]);
}

describe('the watch of nodes', () => {
  it('keeps version, lock and fence of what it saw last, and the last lock that there was', () => {
    const watch = new NodeWatch([sharedNodeLock]);
    expect(watch.find('n1')).toBeUndefined();
    watch.see(nodeObject({ resourceVersion: '7', annotations: locks }));
    expect(watch.find('n1')).toEqual({
      resourceVersion: '7',
      locks,
      holders: {},
      fence: undefined,
      lastLocks: locks,
    });
    expect([...watch.locked()]).toEqual(['n1']);
    watch.see(nodeObject({ resourceVersion: '8', annotations: { 'tessera.io/fence': 'a/1/b/uid' } }));
    expect(watch.find('n1')).toEqual({
      resourceVersion: '8',
      locks: {},
      holders: {},
      fence: 'a/1/b/uid',
      lastLocks: locks,
    });
    expect([...watch.locked()]).toEqual([]);
    watch.forget('n1');
    expect(watch.find('n1')).toBeUndefined();
  });

  it('knows of a lock that names nobody whose it is, while it stands', () => {
    const watch = new NodeWatch([sharedNodeLock, namelessLock]);
    const taken = lockAnnotations(namelessLock, 0, { namespace: 'a', name: 'b', uid: 'c' });
    watch.see(nodeObject({ annotations: taken }));
    expect(watch.find('n1')?.holders).toEqual({ [namelessKey]: { namespace: 'a', name: 'b', uid: 'c' } });
    watch.see(nodeObject({ annotations: { ...taken, [namelessKey]: '2026-01-01T00:00:00Z' } }));
    expect(watch.find('n1')?.holders).toEqual({});
    watch.see(nodeObject());
    expect(watch.find('n1')?.holders).toEqual({});
  });

  it.each<{ name: string; happens: (watch: NodeWatch) => void; wantSettled: boolean }>([
    {
      name: 'is seen',
      happens: (watch) => {
        watch.see(nodeObject());
      },
      wantSettled: true,
    },
    {
      name: 'is gone',
      happens: (watch) => {
        watch.forget('n1');
      },
      wantSettled: true,
    },
    {
      name: 'deserves another look',
      happens: (watch) => {
        watch.wake('n1');
      },
      wantSettled: true,
    },
    {
      name: 'is another one',
      happens: (watch) => {
        watch.see(nodeObject({ name: 'n2' }));
      },
      wantSettled: false,
    },
  ])('tells all who wait for the node, or nobody, when it $name', async ({ happens, wantSettled }) => {
    const watch = new NodeWatch([sharedNodeLock]);
    const waiting = [watch.changed('n1', never), watch.changed('n1', never)];
    happens(watch);
    expect(await Promise.all(waiting.map(isSettled))).toEqual([wantSettled, wantSettled]);
  });

  it('tells of a change once', async () => {
    const watch = new NodeWatch([sharedNodeLock]);
    watch.see(nodeObject());
    const waiting = watch.changed('n1', never);
    expect(await isSettled(waiting)).toBe(false);
    watch.see(nodeObject());
    expect(await isSettled(waiting)).toBe(true);
    expect(await isSettled(watch.changed('n1', never))).toBe(false);
  });

  it('lets those go who do not want to wait any longer, and only those', async () => {
    const watch = new NodeWatch([sharedNodeLock]);
    const [one, two] = [new AbortController(), new AbortController()];
    const waiting = [watch.changed('n1', one.signal), watch.changed('n1', two.signal)];
    one.abort();
    expect(await Promise.all(waiting.map(isSettled))).toEqual([true, false]);
    expect(await isSettled(watch.changed('n1', one.signal))).toBe(true);
    watch.wake('n1');
    expect(await Promise.all(waiting.map(isSettled))).toEqual([true, true]);
  });
});
