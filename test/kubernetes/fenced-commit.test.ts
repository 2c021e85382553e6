/** The fence beside the node lock: when a commit has to know all pods of its node first, and what it then waits for. */
import { describe, expect, it } from '@jest/globals';
import { bindingMetadata } from '../../src/scheduler/binding-metadata.ts';
import type { BindCommand, BindOutcome } from '../../src/scheduler/cluster-writer.ts';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { type NodeLockProtocol, sharedNodeLock } from '../../src/vendors/node-lock.ts';
import { nvidiaVendors } from '../state/support/device-states.ts';
import { BindRig, nodePath, pathOf, term } from './support/bind-rig.ts';
import { testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();
const share = { vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 3000, corePercent: 0 };
const patchNode = `PATCH ${nodePath}`;
const getNode = `GET ${nodePath}`;
const listPods = 'GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn1';
const fenceOf = (rig: BindRig) =>
  rig.cluster.model.find(nodePath)?.metadata.annotations?.['tessera.io/fence'];

/** What the metadata of each bind was asked with. */
class Binds {
  readonly rig: BindRig;
  readonly asked: boolean[] = [];
  /** False where the pod has no place on the node any more. */
  fits = true;

  constructor(rig: BindRig) {
    this.rig = rig;
  }

  command(
    pod: PodObject,
    {
      ofTerm = term,
      locks = [sharedNodeLock],
      budgetMs = 25_000,
    }: { ofTerm?: string; locks?: readonly NodeLockProtocol[]; budgetMs?: number } = {},
  ): BindCommand {
    const nowMs = this.rig.clock.nowMs();
    const { containers } = pod;
    const metadata = (othersCame: boolean) => {
      this.asked.push(othersCame);
      if (!this.fits) return undefined;
      return bindingMetadata({
        pod: { annotations: {}, containers },
        allocation: [[share]],
        node: 'n1',
        nowMs,
        vendors: nvidiaVendors,
        layoutOf: () => 'all',
      });
    };
    return { pod, node: 'n1', deadlineMs: nowMs + budgetMs, devices: { term: ofTerm, locks, metadata } };
  }

  begin(pod: PodObject, options: Parameters<Binds['command']>[1] = {}): Promise<BindOutcome> {
    return this.rig.writer.bind(this.command(pod, options), new AbortController().signal);
  }

  run(pod: PodObject, options: Parameters<Binds['command']>[1] = {}): Promise<BindOutcome> {
    return this.rig.cluster.drive(this.begin(pod, options));
  }
}

async function started() {
  const rig = new BindRig(await startCluster());
  rig.addNode();
  const pod = rig.addPod();
  return { rig, pod, binds: new Binds(rig), bindPod: `POST ${pathOf(pod)}/binding` };
}

describe('a commit', () => {
  it('leaves its term and its pod on the node', async () => {
    const { rig, pod, binds } = await started();
    expect(await binds.run(pod)).toEqual({ kind: 'bound' });
    expect(fenceOf(rig)).toBe(`${term}/uid-pod-1`);
  });

  it('needs no list while all commits on the node are of its own term', async () => {
    const { rig, pod, binds, bindPod } = await started();
    expect(await binds.run(pod)).toEqual({ kind: 'bound' });
    rig.serve(pod);
    const next = rig.addPod({ name: 'pod-2' });
    expect(await binds.run(next)).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([patchNode, bindPod, patchNode, `POST ${pathOf(next)}/binding`]);
    expect(binds.asked).toEqual([false, false]);
  });

  it.each([
    {
      name: 'is the first on the node in its term',
      happens: () => undefined,
      ofTerm: 'server-1/2/b2',
    },
    {
      name: 'finds the fence of another term',
      happens: (rig: BindRig) => {
        rig.cluster.model.change(nodePath, {
          metadata: { annotations: { 'tessera.io/fence': 'server-1/2/b2/uid-x' } },
        });
      },
    },
    {
      name: 'finds a fence that nobody wrote',
      happens: (rig: BindRig) => {
        rig.cluster.model.change(nodePath, { metadata: { annotations: { 'tessera.io/fence': 'x' } } });
      },
    },
    {
      name: 'comes after the lock of somebody who leaves no fence',
      happens: (rig: BindRig) => {
        rig.setLock('2025-12-31T23:59:00Z,default,other');
        rig.setLock(null);
      },
    },
  ])('lists the pods of the node under the lock when it $name', async ({ happens, ofTerm }) => {
    const { rig, pod, binds, bindPod } = await started();
    happens(rig);
    rig.cluster.calls.length = 0;
    expect(await binds.run(pod, ofTerm === undefined ? {} : { ofTerm })).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([patchNode, listPods, bindPod]);
    expect(binds.asked).toEqual([true]);
    rig.serve(pod);
    const next = rig.addPod({ name: 'pod-2' });
    expect(await binds.run(next, ofTerm === undefined ? {} : { ofTerm })).toEqual({ kind: 'bound' });
    expect(binds.asked).toEqual([true, false]);
  });

  it('lists them after a conflict, which may have been another commit', async () => {
    const { rig, pod, binds, bindPod } = await started();
    rig.watching = false;
    rig.cluster.model.change(nodePath, { metadata: { labels: { heartbeat: '1' } } });
    expect(await binds.run(pod)).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([patchNode, getNode, patchNode, listPods, bindPod]);
    expect(binds.asked).toEqual([true]);
  });

  it('doubts as long as the list has not come, though the fence on the node is its own by then', async () => {
    const { rig, pod, binds, bindPod } = await started();
    rig.cluster.fail(listPods, { kind: 'answer', status: 500 });
    expect(await binds.run(pod, { ofTerm: 'server-1/2/b2' })).toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('the pods of node n1'),
    });
    expect(rig.lock).toBeUndefined();
    rig.cluster.calls.length = 0;
    expect(await binds.run(pod, { ofTerm: 'server-1/2/b2' })).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([patchNode, listPods, bindPod]);
  });
});

describe('pods that the watch has not brought yet', () => {
  async function behind() {
    const parts = await started();
    const theirs = parts.rig.addPod({ name: 'theirs', nodeName: 'n1' });
    let isKnown = false;
    parts.rig.isCharged = (uid) => uid !== theirs.uid || isKnown;
    return {
      ...parts,
      arrive: () => {
        isKnown = true;
        parts.rig.binding.pods.see(theirs);
      },
    };
  }

  it('are waited for before the plan is made', async () => {
    const { rig, pod, binds, arrive, bindPod } = await behind();
    const outcome = binds.begin(pod, { ofTerm: 'server-1/2/b2' });
    await rig.cluster.idle();
    expect([rig.cluster.journal, binds.asked]).toEqual([[patchNode, listPods], []]);
    arrive();
    expect(await rig.cluster.drive(outcome)).toEqual({ kind: 'bound' });
    expect(binds.asked).toEqual([true]);
    expect(rig.cluster.journal).toEqual([patchNode, listPods, bindPod]);
  });

  it('end the bind when they do not come in time, and its lock is given back', async () => {
    const { rig, pod, binds } = await behind();
    expect(await binds.run(pod, { ofTerm: 'server-1/2/b2', budgetMs: 3000 })).toEqual({
      kind: 'rejected',
      message: 'pods of node n1 have not come by the watch, e.g. theirs',
    });
    expect([rig.lock, rig.stored(pod).nodeName, binds.asked]).toEqual([undefined, undefined, []]);
  });

  it.each(['Succeeded', 'Failed'])('are not waited for once they are %s', async (phase) => {
    const { rig, pod, binds } = await started();
    rig.addPod({ name: 'over', nodeName: 'n1', phase });
    rig.isCharged = () => false;
    expect(await binds.run(pod, { ofTerm: 'server-1/2/b2' })).toEqual({ kind: 'bound' });
  });
});

describe('a pod that has no place on the node any more', () => {
  it('is not bound, and its lock is given back', async () => {
    const { rig, pod, binds } = await started();
    binds.fits = false;
    expect(await binds.run(pod)).toMatchObject({ kind: 'rejected' });
    expect(rig.cluster.journal).toEqual([patchNode, patchNode]);
    expect([rig.lock, rig.stored(pod).nodeName]).toEqual([undefined, undefined]);
  });
});

describe('devices whose plugin knows no lock', () => {
  it('are bound under the fence alone, whoever holds the lock', async () => {
    const { rig, pod, binds, bindPod } = await started();
    const lock = '2025-12-31T23:59:00Z,default,other';
    rig.setLock(lock);
    rig.addPod({ name: 'other', nodeName: 'n1', annotations: { 'hami.io/bind-phase': 'allocating' } });
    rig.locks.trust('n1', term);
    rig.cluster.calls.length = 0;
    expect(await binds.run(pod, { locks: [] })).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([patchNode, bindPod]);
    expect([rig.lock, fenceOf(rig)]).toEqual([lock, `${term}/uid-pod-1`]);
  });

  it('leave no lock to be given back when the bind fails', async () => {
    const { rig, pod, binds, bindPod } = await started();
    rig.cluster.fail(bindPod, { kind: 'answer', status: 403 });
    expect(await binds.run(pod, { locks: [] })).toMatchObject({ kind: 'rejected' });
    expect(rig.cluster.journal).toEqual([patchNode, bindPod]);
  });

  it('meet the commits of others as conflicts all the same', async () => {
    const { rig, pod, binds } = await started();
    rig.watching = false;
    rig.cluster.model.change(nodePath, {
      metadata: { annotations: { 'tessera.io/fence': 'server-1/2/b2/uid-x' } },
    });
    expect(await binds.run(pod, { locks: [] })).toEqual({ kind: 'bound' });
    expect(binds.asked).toEqual([true]);
  });
});

describe('a pod that somebody else bound to the node meanwhile', () => {
  it('makes the next commit list the pods, because its cards are not in the ledger yet', async () => {
    const { rig, pod, binds, bindPod } = await started();
    rig.cluster.model.change(pathOf(pod), { spec: { nodeName: 'n1' } });
    expect(await binds.run(pod)).toMatchObject({ kind: 'rejected' });
    rig.serve(pod);
    const next = rig.addPod({ name: 'pod-2' });
    expect(await binds.run(next)).toEqual({ kind: 'bound' });
    expect(rig.cluster.journal).toEqual([
      patchNode,
      bindPod,
      `GET ${pathOf(pod)}`,
      patchNode,
      listPods,
      `POST ${pathOf(next)}/binding`,
    ]);
  });
});
