/** The node's lock while a pod that was bound past us waits there for devices. */
import { describe, expect, it } from '@jest/globals';
import type { LockResult } from '../../src/kubernetes/node-locks.ts';
import { sharedNodeLock } from '../../src/vendors/node-lock.ts';
import { BindRig, nodePath, term } from './support/bind-rig.ts';
import { testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();
const me = { namespace: 'team-a', name: 'train-0', uid: 'uid-train-0', term, locks: [sharedNodeLock] };
const mine = '2026-01-01T00:00:00Z,team-a,train-0';
const stray = { namespace: 'kube-system', name: 'static' };
const patchNode = `PATCH ${nodePath}`;

async function closedRig(lock?: string): Promise<BindRig> {
  const rig = new BindRig(await startCluster());
  rig.addNode(lock === undefined ? {} : { lock });
  rig.stray = stray;
  return rig;
}

function acquire(
  rig: BindRig,
  { taker = me, signal = new AbortController().signal } = {},
): Promise<LockResult> {
  return rig.locks.acquire('n1', taker, { deadlineMs: rig.clock.nowMs() + 25_000, signal });
}

async function stateOf(rig: BindRig, acquiring: Promise<LockResult>): Promise<LockResult | 'waiting'> {
  await rig.cluster.idle();
  return Promise.race([acquiring, Promise.resolve('waiting' as const)]);
}

describe('a node closed by a stray', () => {
  it('is not locked, and not asked about, until the stray leaves and the watch is woken', async () => {
    const rig = await closedRig();
    const acquiring = acquire(rig);
    await rig.cluster.idle();
    rig.clock.advance(20_000);
    // Other words on the node open nothing.
    rig.cluster.model.change(nodePath, { metadata: { labels: { heartbeat: '1' } } });
    expect(await stateOf(rig, acquiring)).toBe('waiting');
    expect(rig.cluster.journal).toEqual([]);
    rig.stray = undefined;
    rig.watch.wake('n1');
    expect(await rig.cluster.drive(acquiring, 0)).toMatchObject({ ok: true });
    expect(rig.cluster.journal).toEqual([patchNode]);
  });

  it('is waited for until the deadline and no longer, and the refusal names the stray', async () => {
    const rig = await closedRig();
    expect(await rig.cluster.drive(acquire(rig))).toEqual({
      ok: false,
      message:
        'node n1 stayed closed by pod kube-system/static, which was bound past the scheduler and waits for devices',
    });
    expect(rig.clock.nowMs() - Date.parse('2026-01-01T00:00:00Z')).toBe(25_000);
    expect(rig.lock).toBeUndefined();
    expect(rig.clock.pending).toBe(0);
  });

  it('is given up for when the caller goes', async () => {
    const rig = await closedRig();
    const caller = new AbortController();
    const acquiring = acquire(rig, { signal: caller.signal });
    expect(await stateOf(rig, acquiring)).toBe('waiting');
    caller.abort();
    expect(await stateOf(rig, acquiring)).toMatchObject({ ok: false });
    expect(rig.cluster.journal).toEqual([]);
  });

  it('is closed to the owner of a lock that was left behind, too', async () => {
    const rig = await closedRig(mine);
    expect(await stateOf(rig, acquire(rig))).toBe('waiting');
    expect(rig.cluster.journal).toEqual([]);
  });

  it('is open to devices that are handed out without the lock', async () => {
    const rig = await closedRig();
    const acquiring = acquire(rig, { taker: { ...me, locks: [] } });
    expect(await rig.cluster.drive(acquiring, 0)).toMatchObject({ ok: true });
    expect(rig.lock).toBeUndefined();
  });

  it('closes while the owner of its lock is being looked up', async () => {
    const rig = new BindRig(await startCluster());
    rig.addNode({ lock: '2025-12-31T23:59:00Z,default,gone' });
    rig.cluster.faultOf = ({ method }) => {
      if (method === 'GET') rig.stray = stray;
      return undefined;
    };
    expect(await stateOf(rig, acquire(rig))).toBe('waiting');
    await rig.cluster.idle();
    expect(rig.cluster.bodies('PATCH')).toEqual([]);
  });
});
