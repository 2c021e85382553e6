import { describe, expect, it } from '@jest/globals';
import type { LockResult } from '../../src/kubernetes/node-locks.ts';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { sharedNodeLock } from '../../src/vendors/node-lock.ts';
import type { PodFields } from '../support/kubernetes-objects.ts';
import { BindRig, nodePath, pathOf, term } from './support/bind-rig.ts';
import { testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();
const startRig = async () => new BindRig(await startCluster());

const me = { namespace: 'team-a', name: 'train-0', uid: 'uid-train-0', term, locks: [sharedNodeLock] };
const mine = '2026-01-01T00:00:00Z,team-a,train-0';
const other = { namespace: 'default', name: 'other' };
const theirs = '2025-12-31T23:59:00Z,default,other';
const getNode = `GET ${nodePath}`;
const patchNode = `PATCH ${nodePath}`;
const getOther = `GET ${pathOf(other)}`;
const fenceOther = `PATCH ${pathOf(other)}`;
const allocating = { 'hami.io/bind-phase': 'allocating' };

function acquire(
  rig: BindRig,
  { budgetMs = 25_000, signal = new AbortController().signal } = {},
): Promise<LockResult> {
  return rig.locks.acquire('n1', me, { deadlineMs: rig.clock.nowMs() + budgetMs, signal });
}

/** The other pod, bound here and waiting for the device plugin. */
function addOwner(rig: BindRig, fields: PodFields = {}): PodObject {
  return rig.addPod({ name: 'other', nodeName: 'n1', annotations: allocating, ...fields });
}

/** A node with a lock of the other pod, which the watch shows. */
async function lockedRig(lock = theirs): Promise<BindRig> {
  const rig = await startRig();
  rig.addNode({ lock });
  return rig;
}

async function stateOf(rig: BindRig, acquiring: Promise<LockResult>): Promise<LockResult | 'waiting'> {
  await rig.cluster.idle();
  return Promise.race([acquiring, Promise.resolve('waiting' as const)]);
}

describe('taking a free lock', () => {
  it('is one compare-and-swap on the version that the watch has shown, and no read', async () => {
    const rig = await startRig();
    const { metadata } = rig.addNode();
    expect(await rig.cluster.drive(acquire(rig))).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode]);
    expect(rig.cluster.bodies('PATCH')).toEqual([
      {
        metadata: {
          resourceVersion: metadata.resourceVersion,
          annotations: { 'hami.io/mutex.lock': mine, 'tessera.io/fence': `${term}/uid-train-0` },
        },
      },
    ]);
    expect(rig.cluster.calls[0]?.contentType).toBe('application/merge-patch+json');
    expect(rig.lock).toBe(mine);
  });

  it('reads the node once where the watch is behind', async () => {
    const rig = await startRig();
    rig.addNode();
    rig.watching = false;
    rig.cluster.model.change(nodePath, { metadata: { labels: { heartbeat: '1' } } });
    expect(await rig.cluster.drive(acquire(rig))).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode, getNode, patchNode]);
    expect(rig.lock).toBe(mine);
  });

  it('reads a node that the watch has not shown yet', async () => {
    const rig = await startRig();
    rig.watching = false;
    rig.addNode();
    expect(await rig.cluster.drive(acquire(rig))).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([getNode, patchNode]);
  });

  it.each([
    { name: 'that the watch never showed', known: false, wantMessage: 'node n1 cannot be read' },
    { name: 'that went away unseen', known: true, wantMessage: 'locking node n1: HTTP 404 NotFound' },
  ])('fails at once for a node $name', async ({ known, wantMessage }) => {
    const rig = await startRig();
    if (known) rig.addNode();
    rig.watching = false;
    rig.cluster.model.remove(nodePath);
    expect(await rig.cluster.drive(acquire(rig), 1000)).toEqual({
      ok: false,
      message: expect.stringContaining(wantMessage),
    });
  });

  it('fails at once where it is not allowed', async () => {
    const rig = await startRig();
    rig.addNode();
    rig.cluster.fail(patchNode, { kind: 'answer', status: 403 });
    expect(await rig.cluster.drive(acquire(rig), 1000)).toMatchObject({ ok: false });
    expect(rig.cluster.journal).toEqual([patchNode]);
  });
});

describe('a swap that went wrong', () => {
  it.each([
    { name: 'a time-out after the write', fault: { kind: 'silentAfterCommit' } as const },
    { name: 'a time-out before the write', fault: { kind: 'silentBeforeCommit' } as const },
    { name: 'a connection that breaks after the write', fault: { kind: 'dropAfterCommit' } as const },
    { name: 'a connection that breaks before the write', fault: { kind: 'dropBeforeCommit' } as const },
    { name: 'an answer that hides the write', fault: { kind: 'answerAfterCommit', status: 504 } as const },
    { name: 'an error', fault: { kind: 'answer', status: 500 } as const },
  ])('is settled by reading the node: $name', async ({ fault }) => {
    const rig = await startRig();
    rig.addNode();
    rig.cluster.fail(patchNode, fault);
    expect(await rig.cluster.drive(acquire(rig), 6000)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode, getNode, patchNode]);
    expect(rig.lock).toMatch(/,team-a,train-0$/);
  });

  it('waits as long as the server asks', async () => {
    const rig = await startRig();
    rig.addNode();
    const startMs = rig.clock.nowMs();
    rig.cluster.fail(patchNode, { kind: 'answer', status: 429, retryAfterSeconds: 3 });
    expect(await rig.cluster.drive(acquire(rig))).toMatchObject({ ok: true });
    expect(rig.clock.nowMs() - startMs).toBe(3000);
  });

  it('does not run hot where neither swap nor read succeeds', async () => {
    const rig = await startRig();
    rig.addNode();
    rig.cluster.fail(patchNode, { kind: 'answer', status: 409 }, Infinity);
    rig.cluster.fail(getNode, { kind: 'answer', status: 500 }, Infinity);
    expect(await rig.cluster.drive(acquire(rig, { budgetMs: 2000 }))).toMatchObject({ ok: false });
    expect(rig.cluster.journal.length).toBeLessThan(25);
  });

  it('leaves no lock behind when time runs out over it', async () => {
    const rig = await startRig();
    rig.addNode();
    rig.cluster.fail(patchNode, { kind: 'silentAfterCommit' });
    expect(await rig.cluster.drive(acquire(rig, { budgetMs: 3000 }))).toMatchObject({
      ok: false,
      message: expect.stringContaining('no answer within 4000 ms'),
    });
    expect(rig.lock).toBeUndefined();
  });
});

describe('a lock of a live owner', () => {
  it('Q31: is waited for without a single request until the watch shows its release, then taken', async () => {
    const rig = await lockedRig();
    addOwner(rig);
    const acquiring = acquire(rig);
    await rig.cluster.idle();
    rig.clock.advance(20_000);
    expect(await stateOf(rig, acquiring)).toBe('waiting');
    expect(rig.cluster.journal).toEqual([getOther]);
    rig.setLock(null);
    expect(await rig.cluster.drive(acquiring, 0)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([getOther, patchNode]);
    expect(rig.lock).toBe('2026-01-01T00:00:20Z,team-a,train-0');
  });

  it('is never taken, whatever its age, and the refusal names it', async () => {
    const old = '2001-01-01T00:00:00Z,default,other';
    const rig = await lockedRig(old);
    addOwner(rig);
    expect(await rig.cluster.drive(acquire(rig))).toEqual({
      ok: false,
      message: `node n1 stayed locked by "${old}": node lock contention`,
    });
    expect(rig.lock).toBe(old);
    expect(rig.clock.pending).toBe(0);
  });

  it('is taken when somebody says that its owner has changed', async () => {
    const rig = await lockedRig();
    const owner = addOwner(rig);
    const acquiring = acquire(rig);
    await rig.cluster.idle();
    rig.cluster.model.change(pathOf(owner), { status: { phase: 'Failed' } });
    expect(await stateOf(rig, acquiring)).toBe('waiting');
    rig.watch.wake('n1');
    expect(await rig.cluster.drive(acquiring, 0)).toMatchObject({ ok: true });
  });

  it('is given up for when the caller goes', async () => {
    const rig = await lockedRig();
    addOwner(rig);
    const caller = new AbortController();
    const acquiring = acquire(rig, { signal: caller.signal });
    expect(await stateOf(rig, acquiring)).toBe('waiting');
    caller.abort();
    expect(await stateOf(rig, acquiring)).toMatchObject({ ok: false });
    expect(rig.lock).toBe(theirs);
    expect(rig.clock.pending).toBe(0);
  });

  it('is not even looked at for a caller that has gone already', async () => {
    const rig = await lockedRig();
    expect(await acquire(rig, { signal: AbortSignal.abort() })).toMatchObject({ ok: false });
    expect(rig.cluster.journal).toEqual([]);
  });

  it('stays when its owner cannot be looked up, which is tried again soon', async () => {
    const rig = await lockedRig();
    addOwner(rig, { phase: 'Failed' });
    rig.cluster.fail(getOther, { kind: 'answer', status: 500 }, 2);
    expect(await rig.cluster.drive(acquire(rig), 1000)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([getOther, getOther, getOther, patchNode]);
  });
});

describe('a lock that nobody will release', () => {
  it.each<{ name: string; owner: PodFields | undefined }>([
    { name: 'its owner is gone', owner: undefined },
    { name: 'its owner has succeeded', owner: { phase: 'Succeeded' } },
    { name: 'its owner has failed', owner: { phase: 'Failed' } },
    { name: 'its owner runs, so it has its devices', owner: { phase: 'Running' } },
    { name: 'its owner is bound to another node', owner: { nodeName: 'n2' } },
    { name: 'its owner was served', owner: { annotations: { 'hami.io/bind-phase': 'success' } } },
    { name: 'its owner has come back without devices', owner: { annotations: {} } },
  ])('is taken over by compare-and-swap: $name', async ({ owner }) => {
    const rig = await lockedRig();
    if (owner !== undefined) addOwner(rig, owner);
    expect(await rig.cluster.drive(acquire(rig), 0)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([getOther, patchNode]);
    expect(rig.lock).toBe(mine);
  });

  it('is not taken over while the plugin has refused its owner and kubelet has not: that may have been for another', async () => {
    const rig = await lockedRig();
    addOwner(rig, { annotations: { 'hami.io/bind-phase': 'failed' } });
    expect(await rig.cluster.drive(acquire(rig, { budgetMs: 3000 }))).toMatchObject({ ok: false });
    expect(rig.lock).toBe(theirs);
  });

  it('is not taken over when it changed hands since it was looked at', async () => {
    const rig = await lockedRig();
    rig.addPod({ name: 'third', nodeName: 'n1', annotations: allocating });
    rig.watching = false;
    const third = '2026-01-01T00:00:00Z,default,third';
    rig.setLock(third);
    expect(await rig.cluster.drive(acquire(rig))).toMatchObject({
      ok: false,
      message: expect.stringContaining('third'),
    });
    expect(rig.lock).toBe(third);
  });

  it.each([
    { name: 'free text', value: 'locked by hand' },
    { name: 'two parts', value: '2026-01-01T00:00:00Z,default' },
    { name: 'four parts', value: '2026-01-01T00:00:00Z,default,other,x' },
    { name: 'no time', value: 'yesterday,default,other' },
    { name: 'nothing', value: '' },
  ])('Q14: is repaired when it cannot be read: $name', async ({ value }) => {
    const rig = await lockedRig(value);
    expect(await rig.cluster.drive(acquire(rig), 0)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode]);
    expect(rig.lock).toBe(mine);
  });

  it.each([
    { name: 'five minutes ago', value: '2025-12-31T23:55:00Z', wantTaken: false },
    { name: 'more than five minutes ago', value: '2025-12-31T23:54:59Z', wantTaken: true },
    { name: 'in another time zone, just now', value: '2026-01-01T02:00:00+02:00', wantTaken: false },
    { name: 'by a clock that is years ahead', value: '2099-01-01T00:00:00Z', wantTaken: true },
  ])('names no owner and was written $name', async ({ value, wantTaken }) => {
    const rig = await lockedRig(value);
    const taken = await rig.cluster.drive(acquire(rig, { budgetMs: 1 }));
    expect(taken.ok).toBe(wantTaken);
    expect(rig.lock).toBe(wantTaken ? mine : value);
  });

  it.each([
    { name: 'before that', value: '2025-12-31T23:59:29Z', wantTaken: true },
    { name: 'since', value: '2025-12-31T23:59:30Z', wantTaken: false },
  ])(
    'names no owner, with 30 s given for such locks, and was written $name (Q15)',
    async ({ value, wantTaken }) => {
      const rig = new BindRig(await startCluster(), { ownerlessExpiryMs: 30_000 });
      rig.addNode({ lock: value });
      expect((await rig.cluster.drive(acquire(rig, { budgetMs: 1 }))).ok).toBe(wantTaken);
    },
  );
});

describe('a lock of an owner that is not bound', () => {
  it('is taken once the owner has a new version, so that a Binding still under way must fail', async () => {
    const rig = await lockedRig();
    const owner = rig.addPod({ name: 'other', annotations: { kept: 'yes' } });
    expect(await rig.cluster.drive(acquire(rig), 0)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([getOther, fenceOther, patchNode]);
    const fenced = rig.stored(owner);
    expect(fenced.resourceVersion).not.toBe(owner.resourceVersion);
    expect(fenced.annotations).toEqual({ kept: 'yes', 'tessera.io/bind-fence': '2026-01-01T00:00:00.000Z' });
    const late = rig.cluster.model.handle({
      method: 'POST',
      path: `${pathOf(owner)}/binding`,
      contentType: 'application/json',
      body: {
        metadata: { name: 'other', uid: owner.uid, resourceVersion: owner.resourceVersion },
        target: { kind: 'Node', name: 'n1' },
      },
    });
    expect(late.status).toBe(409);
    expect(rig.lock).toBe(mine);
  });

  it('is left alone when the Binding comes first', async () => {
    const rig = await lockedRig();
    const owner = rig.addPod({ name: 'other' });
    const arrived = Promise.withResolvers<undefined>();
    rig.cluster.fail(fenceOther, { kind: 'held', until: arrived.promise });
    const acquiring = acquire(rig);
    await rig.cluster.arrived(2);
    rig.cluster.model.put(pathOf(owner), {
      ...rig.cluster.model.find(pathOf(owner)),
      metadata: { name: 'other', namespace: 'default', uid: owner.uid, annotations: allocating },
      spec: { nodeName: 'n1' },
    });
    arrived.resolve(undefined);
    expect(await rig.cluster.drive(acquiring)).toMatchObject({ ok: false });
    expect(rig.lock).toBe(theirs);
  });

  it('is not taken while the owner cannot be given a new version', async () => {
    const rig = await lockedRig();
    rig.addPod({ name: 'other' });
    rig.cluster.fail(fenceOther, { kind: 'answer', status: 403 }, Infinity);
    expect(await rig.cluster.drive(acquire(rig, { budgetMs: 2000 }))).toMatchObject({ ok: false });
    expect(rig.lock).toBe(theirs);
  });

  it('is not taken on a change that changed nothing', async () => {
    const rig = await lockedRig();
    rig.addPod({ name: 'other', annotations: { 'tessera.io/bind-fence': '2026-01-01T00:00:00.000Z' } });
    expect(await rig.cluster.drive(acquire(rig))).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([getOther, fenceOther, getOther, fenceOther, patchNode]);
  });
});

describe('a lock of the pod’s own', () => {
  it('is written anew', async () => {
    const rig = await lockedRig('2025-12-31T23:00:00Z,team-a,train-0');
    expect(await rig.cluster.drive(acquire(rig), 0)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode]);
    expect(rig.lock).toBe(mine);
  });

  it('is taken again when the watch shows it and it has long been released', async () => {
    const rig = await lockedRig(mine);
    rig.watching = false;
    rig.setLock(null);
    expect(await rig.cluster.drive(acquire(rig), 0)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode, getNode, patchNode]);
    expect(rig.lock).toBe(mine);
  });

  it('is not believed when another pod has it by now', async () => {
    const rig = await lockedRig(mine);
    addOwner(rig);
    rig.watching = false;
    rig.setLock(theirs);
    expect(await rig.cluster.drive(acquire(rig))).toMatchObject({ ok: false });
    expect(rig.lock).toBe(theirs);
  });

  it('is not one whose owner’s name merely ends alike', async () => {
    const rig = await lockedRig('2026-01-01T00:00:00Z,big-team-a,train-0');
    rig.addPod({ namespace: 'big-team-a', name: 'train-0', nodeName: 'n1', annotations: allocating });
    expect(await rig.cluster.drive(acquire(rig))).toMatchObject({ ok: false });
  });
});

describe('releasing a lock', () => {
  const release = (rig: BindRig) => rig.cluster.drive(rig.locks.release('n1', me, me.locks), 60_000);

  it('is one compare-and-swap when the watch shows the lock as the pod’s own', async () => {
    const rig = await lockedRig(mine);
    const version = rig.cluster.model.find(nodePath)?.metadata.resourceVersion;
    await release(rig);
    expect(rig.cluster.journal).toEqual([patchNode]);
    expect(rig.cluster.bodies('PATCH')).toEqual([
      { metadata: { resourceVersion: version, annotations: { 'hami.io/mutex.lock': null } } },
    ]);
    expect(rig.lock).toBeUndefined();
  });

  it('reads the node where the watch is behind the pod’s own swap', async () => {
    const rig = await startRig();
    const before = rig.addNode();
    await rig.cluster.drive(acquire(rig));
    rig.tellNode(before);
    await release(rig);
    expect(rig.cluster.journal).toEqual([patchNode, getNode, patchNode]);
    expect(rig.lock).toBeUndefined();
  });

  it('leaves the lock of another pod', async () => {
    const rig = await lockedRig(theirs);
    await release(rig);
    expect(rig.cluster.bodies('PATCH')).toEqual([]);
    expect(rig.lock).toBe(theirs);
  });

  it('leaves the lock of another pod that took it unseen', async () => {
    const rig = await lockedRig(mine);
    rig.watching = false;
    rig.setLock(theirs);
    await release(rig);
    expect(rig.cluster.journal).toEqual([patchNode, getNode]);
    expect(rig.lock).toBe(theirs);
  });

  it('ends with the node', async () => {
    const rig = await lockedRig(mine);
    rig.watching = false;
    rig.cluster.model.remove(nodePath);
    await release(rig);
    expect(rig.cluster.journal).toEqual([patchNode]);
    await release(rig);
    rig.watch.forget('n1');
    await release(rig);
    expect(rig.cluster.journal).toEqual([patchNode, patchNode, getNode]);
  });

  it.each([
    { name: 'a time-out before the write', fault: { kind: 'silentBeforeCommit' } as const },
    { name: 'a time-out after the write', fault: { kind: 'silentAfterCommit' } as const },
    { name: 'an error', fault: { kind: 'answer', status: 500 } as const },
    { name: 'a conflict', fault: { kind: 'answer', status: 409 } as const },
  ])('is tried again after $name, and after a read that fails as well', async ({ fault }) => {
    const rig = await lockedRig(mine);
    rig.cluster.fail(patchNode, fault);
    rig.cluster.fail(getNode, { kind: 'answer', status: 500 });
    await release(rig);
    expect(rig.lock).toBeUndefined();
  });

  it('gives up after a few failures', async () => {
    const rig = await lockedRig(mine);
    rig.cluster.fail(patchNode, { kind: 'answer', status: 500 }, Infinity);
    await release(rig);
    expect(rig.cluster.bodies('PATCH')).toHaveLength(5);
    expect(rig.lock).toBe(mine);
  });
});

describe('a pod that waits for its devices though the lock does not name it', () => {
  /** A node without a lock, and a pod that the watch says to wait there. */
  async function waitedFor() {
    const rig = await startRig();
    rig.addNode();
    const pod = addOwner(rig);
    rig.binding.pods.see(pod);
    return { rig, pod };
  }

  it('keeps the node closed until it is served', async () => {
    const { rig, pod } = await waitedFor();
    const acquiring = acquire(rig);
    expect(await stateOf(rig, acquiring)).toBe('waiting');
    rig.binding.pods.see({ ...pod, annotations: { 'hami.io/bind-phase': 'success' } });
    expect(await rig.cluster.drive(acquiring)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode]);
  });

  it('is read when the watch has been silent for five seconds', async () => {
    const { rig } = await waitedFor();
    rig.cluster.model.remove(pathOf(other));
    const startMs = rig.clock.nowMs();
    expect(await rig.cluster.drive(acquire(rig))).toMatchObject({ ok: true });
    expect(rig.clock.nowMs() - startMs).toBe(5000);
    expect(rig.cluster.journal).toEqual([getOther, patchNode]);
  });

  it('ends the wait of others with a sentence that names it', async () => {
    const { rig } = await waitedFor();
    expect(await rig.cluster.drive(acquire(rig, { budgetMs: 12_000 }))).toEqual({
      ok: false,
      message:
        'node n1 stayed closed by pod default/other, which waits for its devices: node lock contention',
    });
    expect(rig.cluster.journal).toEqual([getOther, getOther]);
  });

  it('does not matter to devices whose plugin knows no lock', async () => {
    const { rig } = await waitedFor();
    const taker = { ...me, locks: [] };
    const limits = { deadlineMs: rig.clock.nowMs() + 1000, signal: new AbortController().signal };
    expect(await rig.cluster.drive(rig.locks.acquire('n1', taker, limits))).toMatchObject({ ok: true });
  });
});

describe('the lock of a pod that was just served', () => {
  /** A node with the lock of a pod that the watch says to be served, which the plugin has not given back. */
  async function served() {
    const rig = await startRig();
    rig.addNode({ lock: theirs });
    const pod = addOwner(rig);
    rig.binding.pods.see(pod);
    rig.cluster.model.change(pathOf(other), {
      metadata: { annotations: { 'hami.io/bind-phase': 'success' } },
    });
    rig.binding.pods.see(rig.stored(other));
    return rig;
  }

  it('is left to the plugin to give back, and taken then without a conflict', async () => {
    const rig = await served();
    const acquiring = acquire(rig);
    expect(await stateOf(rig, acquiring)).toBe('waiting');
    rig.binding.nodes.wake('n1');
    expect(await stateOf(rig, acquiring)).toBe('waiting');
    rig.setLock(null);
    expect(await rig.cluster.drive(acquiring)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode]);
  });

  it('is taken over after a second when the plugin forgot it', async () => {
    const rig = await served();
    const startMs = rig.clock.nowMs();
    expect(await rig.cluster.drive(acquire(rig))).toMatchObject({ ok: true });
    expect(rig.clock.nowMs() - startMs).toBe(1000);
    expect(rig.cluster.journal).toEqual([getOther, patchNode]);
  });
});
