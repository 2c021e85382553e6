/** Locks that nobody else would give back: of owners that ended, vanished or were never bound. */
import { describe, expect, it } from '@jest/globals';
import { LockSweep } from '../../src/kubernetes/lock-sweep.ts';
import { sharedNodeLock } from '../../src/vendors/node-lock.ts';
import type { PodFields } from '../support/kubernetes-objects.ts';
import { BindRig } from './support/bind-rig.ts';
import { testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();
const lock = '2025-12-31T23:59:00Z,default,owner';
const roundMs = 30_000;
const allocating = { 'hami.io/bind-phase': 'allocating' };

/** A node whose lock names the pod `owner`. */
async function locked({ isLeader = true } = {}) {
  const rig = new BindRig(await startCluster());
  rig.addNode({ lock });
  const { nodes, locks, pods } = rig.binding;
  const sweep = new LockSweep({ nodes, locks, clock: rig.clock, isLeader: () => isLeader });
  return {
    rig,
    sweep,
    addOwner: (fields: PodFields = {}) => {
      const pod = rig.addPod({ name: 'owner', nodeName: 'n1', annotations: allocating, ...fields });
      pods.see(pod);
      return pod;
    },
    /** Two rounds: what stands still between them is looked at. */
    afterRounds: async () => {
      sweep.start();
      for (let round = 0; round < 2; round += 1) {
        rig.clock.advance(roundMs);
        await rig.cluster.idle();
      }
      sweep.stop();
      return rig.lock;
    },
  };
}

describe('a lock is given back at once', () => {
  it.each<{ name: string; fields: PodFields }>([
    { name: 'failed, as after kubelet refused it', fields: { phase: 'Failed' } },
    { name: 'succeeded', fields: { phase: 'Succeeded' } },
  ])('when its owner $name', async ({ fields }) => {
    const { rig, sweep, addOwner } = await locked();
    sweep.see(addOwner(fields));
    await rig.cluster.idle();
    expect(rig.lock).toBeUndefined();
  });

  it('when its owner is gone', async () => {
    const { rig, sweep } = await locked();
    sweep.podGone('n1');
    await rig.cluster.idle();
    expect(rig.lock).toBeUndefined();
  });

  it('never on the word of the watch alone', async () => {
    const { rig, sweep, addOwner } = await locked();
    addOwner();
    sweep.podGone('n1');
    await rig.cluster.idle();
    expect(rig.lock).toBe(lock);
  });

  it('and not when another pod of the node is over', async () => {
    const { rig, sweep, addOwner } = await locked();
    addOwner();
    sweep.see(rig.addPod({ name: 'other', nodeName: 'n1', phase: 'Failed' }));
    await rig.cluster.idle();
    expect(rig.cluster.calls).toEqual([]);
  });
});

describe('a lock that stands still', () => {
  it.each<{ name: string; owner: PodFields | undefined; wantLock: string | undefined }>([
    { name: 'is given back when its owner does not exist', owner: undefined, wantLock: undefined },
    { name: 'is given back when its owner runs', owner: { phase: 'Running' }, wantLock: undefined },
    {
      name: 'is given back when its owner was served and the plugin forgot',
      owner: { annotations: { 'hami.io/bind-phase': 'success' } },
      wantLock: undefined,
    },
    { name: 'stays while its owner waits for devices, however long', owner: {}, wantLock: lock },
  ])('$name', async ({ owner, wantLock }) => {
    const { addOwner, afterRounds } = await locked();
    if (owner !== undefined) addOwner(owner);
    expect(await afterRounds()).toBe(wantLock);
  });

  it('is given back when its owner was never bound, who is fenced off first', async () => {
    const { rig, afterRounds } = await locked();
    const owner = rig.addPod({ name: 'owner' });
    expect(await afterRounds()).toBeUndefined();
    expect(rig.stored(owner).resourceVersion).not.toBe(owner.resourceVersion);
  });

  it('is left to its owner while his bind is under way here', async () => {
    const { rig, afterRounds } = await locked();
    const owner = rig.addPod({ name: 'owner' });
    rig.binding.pods.expect(owner, 'n1', [sharedNodeLock]);
    expect(await afterRounds()).toBe(lock);
    expect(rig.cluster.bodies('PATCH')).toEqual([]);
  });

  it('is not looked at when it is a new one each time', async () => {
    const { rig, sweep } = await locked();
    sweep.start();
    rig.clock.advance(roundMs);
    rig.setLock('2026-01-01T00:00:30Z,default,next');
    rig.clock.advance(roundMs);
    await rig.cluster.idle();
    sweep.stop();
    expect(rig.cluster.calls).toEqual([]);
  });

  it('is left to the leader', async () => {
    const { rig, afterRounds } = await locked({ isLeader: false });
    expect(await afterRounds()).toBe(lock);
    expect(rig.cluster.calls).toEqual([]);
  });
});
