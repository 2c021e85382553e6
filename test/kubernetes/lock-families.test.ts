/** Node locks of several kinds: HAMi's, which names its pod, and one of a plugin's own, which names nobody. */
import { describe, expect, it } from '@jest/globals';
import type { LockResult } from '../../src/kubernetes/node-locks.ts';
import { LockSweep } from '../../src/kubernetes/lock-sweep.ts';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { type NodeLockProtocol, sharedNodeLock } from '../../src/vendors/node-lock.ts';
import type { PodFields } from '../support/kubernetes-objects.ts';
import { BindRig, nodePath, pathOf, term } from './support/bind-rig.ts';
import {
  allocatedOf,
  lockFamilies,
  namelessKey,
  namelessLock,
  namelessOwnerKey,
} from './support/lock-families.ts';
import { testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();
const sharedKey = 'hami.io/mutex.lock';
const patchNode = `PATCH ${nodePath}`;
const getNode = `GET ${nodePath}`;
const allocating = { 'hami.io/bind-phase': 'allocating' };
const nowText = '2026-01-01T00:00:00Z';
const justNow = '2025-12-31T23:59:30Z';
const longAgo = '2025-12-31T23:57:59Z';
const other = { namespace: 'default', name: 'other' };
const getOther = `GET ${pathOf(other)}`;
const fenceOther = `PATCH ${pathOf(other)}`;

async function startRig(locks: Readonly<Record<string, string>> = {}): Promise<BindRig> {
  const rig = new BindRig(await startCluster(), { vendors: lockFamilies });
  rig.addNode({ locks });
  return rig;
}

interface Taking {
  readonly locks?: readonly NodeLockProtocol[];
  readonly name?: string;
  /** `uid-<name>` where left out. */
  readonly uid?: string;
  readonly budgetMs?: number;
}

const takerOf = ({ locks = [namelessLock], name = 'train-0', uid = `uid-${name}` }: Taking) => ({
  namespace: 'default',
  name,
  uid,
  term,
  locks,
});

function acquire(rig: BindRig, taking: Taking = {}): Promise<LockResult> {
  const { budgetMs = 25_000 } = taking;
  const deadlineMs = rig.clock.nowMs() + budgetMs;
  return rig.locks.acquire('n1', takerOf(taking), { deadlineMs, signal: new AbortController().signal });
}

async function isTaken(rig: BindRig, taking: Taking = {}): Promise<boolean> {
  return (await rig.cluster.drive(acquire(rig, taking))).ok;
}

/** A pod with the nameless lock, which was written here for it; what is known of it is up to the caller. */
async function lockedByUs(fields: PodFields = {}): Promise<{ rig: BindRig; pod: PodObject }> {
  const rig = await startRig();
  const pod = rig.addPod({ name: 'other', ...fields });
  expect(await isTaken(rig, { name: 'other' })).toBe(true);
  rig.cluster.calls.length = 0;
  rig.clock.advance(1000);
  return { rig, pod };
}

/** The server after the one that has ended: all it knows is on the cluster. */
function restarted({ cluster }: BindRig): BindRig {
  const rig = new BindRig(cluster, { vendors: lockFamilies });
  rig.tellNode(cluster.model.find(nodePath));
  return rig;
}

const waiting = { nodeName: 'n1', annotations: { ...allocating, ...allocatedOf.nameless } };

describe('the locks of a pod of several families', () => {
  const both = [sharedNodeLock, namelessLock];

  it('are taken in one write with the fence', async () => {
    const rig = await startRig();
    expect(await isTaken(rig, { locks: both })).toBe(true);
    expect(rig.cluster.journal).toEqual([patchNode]);
    expect(rig.cluster.bodies('PATCH')).toMatchObject([
      {
        metadata: {
          annotations: {
            [sharedKey]: `${nowText},default,train-0`,
            [namelessKey]: nowText,
            [namelessOwnerKey]: `${nowText},default,train-0,uid-train-0`,
            'tessera.io/fence': `${term}/uid-train-0`,
          },
        },
      },
    ]);
  });

  it.each([
    { name: 'shared', locks: { [sharedKey]: `${justNow},default,other` } },
    { name: 'nameless', locks: { [namelessKey]: justNow } },
  ])('are not taken while somebody has the $name one', async ({ locks }) => {
    const rig = await startRig(locks);
    rig.addPod({ name: 'other', ...waiting, annotations: { ...allocating, ...allocatedOf.shared } });
    expect(await isTaken(rig, { locks: both })).toBe(false);
    expect(rig.cluster.bodies('PATCH')).toEqual([]);
  });

  it('are given back in one write, and known without a read', async () => {
    const rig = await startRig();
    rig.watching = false;
    await isTaken(rig, { locks: both });
    await rig.cluster.drive(rig.locks.release('n1', takerOf({}), both));
    expect(rig.cluster.journal).toEqual([patchNode, patchNode]);
    expect([rig.lock, rig.lockAt(namelessKey)]).toEqual([undefined, undefined]);
  });

  it('are given back where they are still its own', async () => {
    const rig = await startRig();
    await isTaken(rig, { locks: both });
    rig.setLock(justNow, namelessKey);
    await rig.cluster.drive(rig.locks.release('n1', takerOf({}), both));
    expect([rig.lock, rig.lockAt(namelessKey)]).toEqual([undefined, justNow]);
  });
});

describe('a lock of another kind', () => {
  it.each([
    { name: 'shared', locks: { [namelessKey]: justNow }, taking: { locks: [sharedNodeLock] } },
    {
      name: 'nameless',
      locks: { [sharedKey]: `${justNow},default,other` },
      taking: { locks: [namelessLock] },
    },
  ])('is neither looked at nor touched by who takes the $name one', async ({ locks, taking }) => {
    const rig = await startRig(locks);
    expect(await isTaken(rig, taking)).toBe(true);
    expect(rig.cluster.journal).toEqual([patchNode]);
    for (const [annotation, value] of Object.entries(locks)) expect(rig.lockAt(annotation)).toBe(value);
  });

  it.each([
    { name: 'shared', own: [sharedNodeLock], annotations: allocatedOf.nameless },
    { name: 'nameless', own: [namelessLock], annotations: allocatedOf.shared },
  ])('keeps nobody from the $name one whose pod is never served', async ({ own, annotations }) => {
    const rig = await startRig();
    const pod = rig.addPod({ name: 'other', nodeName: 'n1', annotations: { ...allocating, ...annotations } });
    rig.binding.pods.see(pod);
    expect(await isTaken(rig, { locks: own })).toBe(true);
    expect(await isTaken(rig, { locks: [sharedNodeLock, namelessLock] })).toBe(false);
  });
});

describe('a lock that names nobody, of somebody else', () => {
  it.each([
    { name: 'is waited for when it was written just now', value: justNow, wantTaken: false },
    { name: 'is waited for when it is two minutes old', value: '2025-12-31T23:58:00Z', wantTaken: false },
    { name: 'is over after two minutes, not after five', value: longAgo, wantTaken: true },
    { name: 'is waited for in another zone', value: '2026-01-01T02:00:00+02:00', wantTaken: false },
    { name: 'is nobody’s when it is far ahead', value: '2026-01-01T00:02:01Z', wantTaken: true },
    { name: 'is nobody’s when it cannot be read', value: 'locked', wantTaken: true },
    {
      name: 'is nobody’s when it is of a form that it never has',
      value: `${justNow},default,other`,
      wantTaken: true,
    },
  ])('$name', async ({ value, wantTaken }) => {
    const rig = await startRig({ [namelessKey]: value });
    expect(await isTaken(rig, { budgetMs: 1 })).toBe(wantTaken);
    expect(rig.lockAt(namelessKey)).toBe(wantTaken ? nowText : value);
    expect(rig.cluster.journal).toEqual(wantTaken ? [patchNode] : []);
  });

  it('is taken when the plugin has removed it', async () => {
    const rig = await startRig({ [namelessKey]: justNow });
    const acquiring = acquire(rig);
    await rig.cluster.idle();
    rig.setLock(null, namelessKey);
    expect(await rig.cluster.drive(acquiring, 0)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode]);
  });

  it('is not given back by a pod of ours that had it before', async () => {
    const { rig } = await lockedByUs();
    rig.setLock(justNow, namelessKey);
    await rig.cluster.drive(rig.locks.release('n1', takerOf({ name: 'other' }), [namelessLock]));
    expect(rig.lockAt(namelessKey)).toBe(justNow);
  });

  it('makes the next commit look at all pods of the node, though it has come and gone', async () => {
    const rig = await startRig();
    rig.setLock(justNow, namelessKey);
    rig.setLock(null, namelessKey);
    expect(await rig.cluster.drive(acquire(rig))).toEqual({ ok: true, mayBeBehind: true });
    rig.locks.trust('n1', term);
    rig.setLock(null, namelessKey);
    expect(await rig.cluster.drive(acquire(rig))).toEqual({ ok: true, mayBeBehind: false });
  });
});

const servers = [
  { name: 'who wrote it', serverOf: (rig: BindRig) => rig },
  { name: 'the server after that, too', serverOf: restarted },
];

describe.each(servers)('a lock that names nobody, of a pod of ours: to $name, it', ({ serverOf }) => {
  async function lockedForOther(fields: PodFields = {}): Promise<{ rig: BindRig; pod: PodObject }> {
    const { rig, pod } = await lockedByUs(fields);
    return { rig: serverOf(rig), pod };
  }

  it('is kept for it while its Binding is under way, whatever the lock’s age', async () => {
    const { rig, pod } = await lockedForOther();
    rig.binding.pods.expect(pod, 'n1', [namelessLock]);
    rig.clock.advance(10 * 60_000);
    expect(await isTaken(rig)).toBe(false);
    expect(rig.lockAt(namelessKey)).toBe(nowText);
  });

  it.each<{ name: string; fields: PodFields }>([
    { name: 'waits for its devices', fields: waiting },
    {
      name: 'waits, though another plugin has served it',
      fields: { ...waiting, annotations: { 'hami.io/bind-phase': 'success', ...allocatedOf.nameless } },
    },
  ])('is kept for it while the API server says that it $name', async ({ fields }) => {
    const { rig } = await lockedForOther(fields);
    rig.clock.advance(10 * 60_000);
    expect(await isTaken(rig)).toBe(false);
    expect(rig.cluster.journal).toEqual([getOther]);
  });

  it.each<{ name: string; fields: PodFields }>([
    {
      name: 'was served',
      fields: { ...waiting, annotations: { ...allocatedOf.nameless, 'example.com/assigned': 'true' } },
    },
    { name: 'runs', fields: { ...waiting, phase: 'Running' } },
    { name: 'is over', fields: { ...waiting, phase: 'Failed' } },
    { name: 'is bound elsewhere', fields: { ...waiting, nodeName: 'n2' } },
  ])('is taken at once, by the word of the API server, when it $name', async ({ fields }) => {
    const { rig } = await lockedForOther(fields);
    expect(await isTaken(rig)).toBe(true);
    expect(rig.cluster.journal).toEqual([getOther, patchNode]);
  });

  it('is taken when it is gone, and so is one of its name', async () => {
    const { rig, pod } = await lockedForOther();
    rig.cluster.model.remove(pathOf(pod));
    rig.addPod({ name: 'other', uid: 'another' });
    expect(await isTaken(rig)).toBe(true);
    expect(rig.cluster.journal).toEqual([getOther, patchNode]);
  });

  it('is taken by its successor of the same name, whose Binding is under way', async () => {
    const { rig, pod } = await lockedForOther();
    rig.cluster.model.remove(pathOf(pod));
    const successor = rig.addPod({ name: 'other', uid: 'another' });
    rig.binding.pods.expect(successor, 'n1', [namelessLock]);
    expect(await isTaken(rig, { name: 'other', uid: 'another' })).toBe(true);
    expect(rig.cluster.journal).toEqual([getOther, patchNode]);
  });

  it('is taken from one that is not bound once that has a new version', async () => {
    const { rig, pod } = await lockedForOther();
    expect(await isTaken(rig)).toBe(true);
    expect(rig.cluster.journal).toEqual([getOther, fenceOther, patchNode]);
    expect(rig.stored(pod).resourceVersion).not.toBe(pod.resourceVersion);
  });

  it('is left to the plugin for a second when the watch says that it was served', async () => {
    const { rig } = await lockedForOther(waiting);
    rig.binding.pods.see(rig.stored(other));
    rig.cluster.model.change(pathOf(other), {
      metadata: { annotations: { 'example.com/assigned': 'true' } },
    });
    rig.binding.pods.see(rig.stored(other));
    const acquiring = acquire(rig);
    await rig.cluster.idle();
    expect(rig.cluster.journal).toEqual([]);
    rig.setLock(null, namelessKey);
    expect(await rig.cluster.drive(acquiring, 0)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode]);
  });

  it('is written anew by the pod itself', async () => {
    const { rig } = await lockedForOther();
    expect(await isTaken(rig, { name: 'other' })).toBe(true);
    expect(rig.cluster.journal).toEqual([patchNode]);
    expect(rig.lockAt(namelessKey)).toBe('2026-01-01T00:00:01Z');
  });
});

describe('a lock that names nobody, of a pod of ours', () => {
  it.each([
    { name: 'was carried out', fault: { kind: 'silentAfterCommit' } as const },
    { name: 'was not', fault: { kind: 'silentBeforeCommit' } as const },
  ])('is known as its own after a write without an answer that $name', async ({ fault }) => {
    const rig = await startRig();
    rig.cluster.fail(patchNode, fault);
    expect(await rig.cluster.drive(acquire(rig), 6000)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode, getNode, patchNode]);
  });

  it('is not left behind when time runs out over its write', async () => {
    const rig = await startRig();
    rig.cluster.fail(patchNode, { kind: 'silentAfterCommit' });
    expect(await isTaken(rig, { budgetMs: 3000 })).toBe(false);
    expect(rig.lockAt(namelessKey)).toBeUndefined();
  });

  it('stays known as the other’s when a swap for the next one fails', async () => {
    const { rig, pod } = await lockedByUs();
    rig.cluster.fail(patchNode, { kind: 'answer', status: 403 });
    expect(await isTaken(rig)).toBe(false);
    await rig.cluster.drive(rig.locks.release('n1', pod, [namelessLock]));
    expect(rig.lockAt(namelessKey)).toBeUndefined();
  });
});

describe('a lock that names nobody, after the server that wrote it has ended', () => {
  it('is nobody’s without what was written beside it', async () => {
    const { rig } = await lockedByUs();
    rig.setLock(null, namelessOwnerKey);
    expect(await isTaken(restarted(rig))).toBe(false);
    expect(rig.cluster.journal).toEqual([]);
  });

  it.each([
    { name: 'another text', value: 'locked' },
    { name: 'a namespace alone', value: `${nowText},default` },
    { name: 'a pod too many', value: `${nowText},default,other,uid-other,x` },
    { name: 'a pod without name', value: `${nowText},default,,uid-other` },
    { name: 'another lock', value: `${justNow},default,other,uid-other` },
  ])('is nobody’s where $name is written beside it', async ({ value }) => {
    const { rig } = await lockedByUs();
    rig.setLock(value, namelessOwnerKey);
    expect(await isTaken(restarted(rig))).toBe(false);
    expect(rig.cluster.journal).toEqual([]);
  });

  it('is somebody else’s when it is newer than what is written beside it', async () => {
    const { rig: ended } = await lockedByUs();
    ended.setLock('2026-01-01T00:00:01Z', namelessKey);
    const rig = restarted(ended);
    expect(rig.locks.ownersOn('n1')).toEqual([]);
    expect(await isTaken(rig)).toBe(false);
    expect(rig.cluster.journal).toEqual([]);
    rig.clock.advance(2 * 60_000);
    expect(await isTaken(rig)).toBe(true);
    expect(rig.cluster.journal).toEqual([patchNode]);
  });

  it('is known though another family’s pod was bound to the node since', async () => {
    const { rig } = await lockedByUs();
    expect(await isTaken(rig, { locks: [sharedNodeLock], name: 'train-1' })).toBe(true);
    rig.cluster.calls.length = 0;
    expect(await isTaken(restarted(rig))).toBe(true);
    expect(rig.cluster.journal).toEqual([getOther, fenceOther, patchNode]);
  });

  it('keeps a Binding that comes late from binding its pod under the next one’s lock', async () => {
    const { rig: ended, pod } = await lockedByUs();
    const rig = restarted(ended);
    expect(await isTaken(rig)).toBe(true);
    const late = rig.cluster.client.request({
      method: 'POST',
      path: `${pathOf(pod)}/binding`,
      body: {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: pod.name, uid: pod.uid, resourceVersion: pod.resourceVersion },
        target: { apiVersion: 'v1', kind: 'Node', name: 'n1' },
      },
      timeoutMs: 1000,
    });
    expect(await rig.cluster.drive(late)).toMatchObject({ kind: 'status', status: 409 });
    expect(rig.stored(pod).nodeName).toBeUndefined();
  });
});

describe('the sweep', () => {
  const roundMs = 30_000;

  async function swept(rig: BindRig, rounds: number): Promise<string | undefined> {
    const { nodes, locks } = rig.binding;
    const sweep = new LockSweep({ nodes, locks, clock: rig.clock, isLeader: () => true });
    sweep.start();
    for (let round = 0; round < rounds; round += 1) {
      rig.clock.advance(roundMs);
      await rig.cluster.idle();
    }
    sweep.stop();
    return rig.lockAt(namelessKey);
  }

  it('leaves somebody else’s lock for two minutes', async () => {
    const rig = await startRig({ [namelessKey]: nowText });
    expect(await swept(rig, 4)).toBe(nowText);
    expect(await swept(rig, 2)).toBeUndefined();
  });

  it('gives a lock of ours back whose pod was never bound, and fences that pod off', async () => {
    const { rig, pod } = await lockedByUs();
    expect(await swept(rig, 2)).toBeUndefined();
    expect(rig.stored(pod).resourceVersion).not.toBe(pod.resourceVersion);
  });

  it('gives back what a server has left behind that has ended, and fences that pod off', async () => {
    const { rig, pod } = await lockedByUs();
    expect(await swept(restarted(rig), 2)).toBeUndefined();
    expect(rig.stored(pod).resourceVersion).not.toBe(pod.resourceVersion);
  });

  it('gives back of two locks the one that nobody needs', async () => {
    const { rig, pod } = await lockedByUs(waiting);
    rig.binding.pods.see(pod);
    rig.setLock(`${justNow},default,gone`);
    expect(await swept(rig, 2)).toBe(nowText);
    expect(rig.lock).toBeUndefined();
  });

  it.each([
    { name: 'its own', lock: nowText, want: undefined },
    { name: 'not somebody else’s', lock: justNow, want: justNow },
  ])('gives back at once the lock of a pod that is over, $name', async ({ lock, want }) => {
    const { rig, pod } = await lockedByUs({ ...waiting, phase: 'Failed' });
    rig.setLock(lock, namelessKey);
    rig.binding.sweep.see(pod);
    await rig.cluster.idle();
    expect(rig.lockAt(namelessKey)).toBe(want);
  });
});

describe('the pods that a node’s locks are for', () => {
  it('are those that the locks name, and of nameless ones those they were written for', async () => {
    const { rig } = await lockedByUs();
    rig.setLock(`${justNow},team-a,named`);
    expect(rig.locks.ownersOn('n1')).toMatchObject([{ namespace: 'team-a', name: 'named' }, other]);
    rig.setLock(justNow, namelessKey);
    expect(rig.locks.ownersOn('n1')).toEqual([{ namespace: 'team-a', name: 'named' }]);
    expect(rig.locks.ownersOn('n2')).toEqual([]);
  });
});
