import { describe, expect, it } from '@jest/globals';
import { PodWatch } from '../../src/kubernetes/pod-watch.ts';
import { LockProtocols } from '../../src/vendors/lock-protocols.ts';
import { sharedNodeLock } from '../../src/vendors/node-lock.ts';
import { gpuPod, nvidiaVendors } from '../state/support/device-states.ts';
import type { PodFields } from '../support/kubernetes-objects.ts';

const protocols = new LockProtocols(nvidiaVendors);
const allocating = { 'hami.io/bind-phase': 'allocating' };
const owner = { namespace: 'default', name: 'pod-1' };
const bound = (fields: PodFields = {}) =>
  gpuPod({ name: 'pod-1', nodeName: 'n1', annotations: allocating, ...fields });

describe('a bound pod', () => {
  it.each<{ name: string; pod: PodFields; want: boolean }>([
    { name: 'waits for its devices while it is being allocated', pod: {}, want: true },
    { name: 'waits no longer once it runs', pod: { phase: 'Running' }, want: false },
    { name: 'waits no longer once it is over', pod: { phase: 'Failed' }, want: false },
    {
      name: 'waits no longer once it was served',
      pod: { annotations: { 'hami.io/bind-phase': 'success' } },
      want: false,
    },
    {
      name: 'waits on when the plugin has refused it and kubelet has not: that may have been for another',
      pod: { annotations: { 'hami.io/bind-phase': 'failed' } },
      want: true,
    },
    { name: 'waits on when somebody removes the word of it', pod: { annotations: {} }, want: true },
    {
      name: 'waits no longer once a container of it runs',
      pod: { containers: [{ state: 'running' }] },
      want: false,
    },
    { name: 'waits on its own node alone', pod: { nodeName: 'n2' }, want: false },
  ])('$name', ({ pod, want }) => {
    const watch = new PodWatch({ protocols });
    watch.see(bound());
    watch.see(bound(pod));
    expect(watch.awaitsDevices('n1', sharedNodeLock, owner)).toBe(want);
  });

  it('waits no longer once it is gone, and the word of it names its node', () => {
    const watch = new PodWatch({ protocols });
    watch.see(bound());
    expect(watch.gone('uid-pod-1')).toBe('n1');
    expect(watch.awaitsDevices('n1', sharedNodeLock, owner)).toBe(false);
    expect(watch.gone('uid-pod-1')).toBeUndefined();
  });

  it('is one of its UID: a former pod of that name ends nothing of it', () => {
    const watch = new PodWatch({ protocols });
    watch.see(bound({ uid: 'old' }));
    watch.see(bound({ uid: 'new' }));
    watch.gone('old');
    expect(watch.awaitsDevices('n1', sharedNodeLock, owner)).toBe(true);
  });
});

describe('a Binding under way', () => {
  it('counts as waiting from its beginning, and what the watch says of the unbound pod changes nothing', () => {
    const watch = new PodWatch({ protocols });
    watch.expect(gpuPod({ name: 'pod-1' }), 'n1', [sharedNodeLock]);
    watch.see(gpuPod({ name: 'pod-1' }));
    expect(watch.awaitsDevices('n1', sharedNodeLock, owner)).toBe(true);
  });

  it('is what the watch says of it once the pod is bound', () => {
    const watch = new PodWatch({ protocols });
    watch.expect(gpuPod({ name: 'pod-1' }), 'n1', [sharedNodeLock]);
    watch.see(bound({ nodeName: 'n2' }));
    expect([
      watch.awaitsDevices('n1', sharedNodeLock, owner),
      watch.awaitsDevices('n2', sharedNodeLock, owner),
    ]).toEqual([false, true]);
  });
});

describe('a pod that did not wait when it was bound, or does no longer', () => {
  it.each<{ name: string; before: PodFields }>([
    { name: 'was served', before: { annotations: { 'hami.io/bind-phase': 'success' } } },
    { name: 'was bound without the protocol of the lock', before: { annotations: {} } },
    { name: 'has begun', before: { phase: 'Running' } },
  ])('never waits again, whatever somebody writes on it: it $name', ({ before }) => {
    const watch = new PodWatch({ protocols });
    watch.see(bound(before));
    watch.see(bound());
    expect(watch.awaitsDevices('n1', sharedNodeLock, owner)).toBe(false);
  });
});

describe('a pod that vanishes while it waits', () => {
  const served = { annotations: { 'hami.io/bind-phase': 'success' } };
  const next = (fields: PodFields = {}) => bound({ name: 'next', uid: 'next', ...fields });
  /** Kubelet may still ask for `pod-1`, and be given what is meant for `next`. */
  function outOfStep(): PodWatch {
    const watch = new PodWatch({ protocols });
    watch.see(bound());
    watch.gone('uid-pod-1');
    return watch;
  }

  it('makes the next one wait until it runs, for its success may have been that of the other', () => {
    const watch = outOfStep();
    watch.see(next());
    watch.see(next(served));
    expect(watch.waitingOn('n1', 'anyone', [sharedNodeLock])).toMatchObject({ uid: 'next' });
    watch.see(next({ ...served, phase: 'Running' }));
    expect(watch.waitingOn('n1', 'anyone', [sharedNodeLock])).toBeUndefined();
  });

  it('is forgotten once the next one has begun, or is over', () => {
    for (const phase of ['Running', 'Failed']) {
      const watch = outOfStep();
      watch.see(next());
      watch.see(next({ phase }));
      watch.see(bound({ name: 'after', uid: 'after' }));
      watch.see(bound({ name: 'after', uid: 'after', ...served }));
      expect(watch.waitingOn('n1', 'anyone', [sharedNodeLock])).toBeUndefined();
    }
  });

  it('changes nothing for pods that were served before', () => {
    const watch = new PodWatch({ protocols });
    watch.see(next(served));
    watch.see(bound());
    watch.gone('uid-pod-1');
    watch.see(next(served));
    expect(watch.waitingOn('n1', 'anyone', [sharedNodeLock])).toBeUndefined();
  });

  it('matters only if it was seen bound: a Binding that came to nothing was never in step', () => {
    const watch = new PodWatch({ protocols });
    watch.expect(gpuPod({ name: 'pod-1' }), 'n1', [sharedNodeLock]);
    watch.gone('uid-pod-1');
    watch.see(next());
    watch.see(next(served));
    expect(watch.waitingOn('n1', 'anyone', [sharedNodeLock])).toBeUndefined();
  });
});
