import { describe, expect, it } from '@jest/globals';
import { LabelKeeper } from '../../src/kubernetes/label-keeper.ts';
import { podObject } from '../state/support/device-states.ts';
import type { PodFields } from '../support/kubernetes-objects.ts';
import { BindRig, pathOf } from './support/bind-rig.ts';
import { testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();
const label = { 'hami.io/vgpu-node': 'n1' };
const patchPod = 'PATCH /pods/pod-1';

async function keeping(fields: PodFields = {}) {
  const rig = new BindRig(await startCluster());
  const { cluster } = rig;
  const pod = rig.addPod({ nodeName: 'n1', labels: { app: 'train' }, ...fields });
  const keeper = new LabelKeeper(cluster.client, ['hami.io/vgpu-mig-allocations']);
  keeper.expect(pod.uid, label);
  const see = (seen = rig.stored(pod)) => cluster.drive(keeper.see(seen));
  return { rig, cluster, pod, keeper, see };
}

describe('the label of device monitors', () => {
  it('is patched on a bound pod that lacks it, once, and on that very pod', async () => {
    const { rig, cluster, pod, see } = await keeping();
    await see();
    await see(pod);
    expect(cluster.journal).toEqual([`PATCH ${pathOf(pod)}`]);
    expect(cluster.bodies('PATCH')).toEqual([{ metadata: { uid: pod.uid, labels: label } }]);
    expect(rig.stored(pod).labels).toEqual({ app: 'train', ...label });
  });

  it.each<{ name: string; fields: PodFields; wantPatches: number }>([
    { name: 'has it', fields: { labels: label }, wantPatches: 0 },
    { name: 'has another node’s', fields: { labels: { 'hami.io/vgpu-node': 'n9' } }, wantPatches: 1 },
  ])('is written only where it is missing: the pod $name', async ({ fields, wantPatches }) => {
    const { cluster, see } = await keeping(fields);
    await see();
    expect(cluster.calls).toHaveLength(wantPatches);
  });

  it('waits until the pod is bound', async () => {
    const { cluster, pod, see } = await keeping();
    await see(podObject({ uid: pod.uid }));
    expect(cluster.calls).toEqual([]);
    await see();
    expect(cluster.calls).toHaveLength(1);
  });

  it('waits while the device plugin makes the pod’s MIG instances, which no other write may disturb', async () => {
    const reserved = { 'hami.io/vgpu-mig-allocations': '[]', 'hami.io/bind-phase': 'allocating' };
    const { cluster, pod, see } = await keeping({ annotations: reserved });
    await see();
    expect(cluster.calls).toEqual([]);
    const made = { ...reserved, 'hami.io/bind-phase': 'success' };
    await see(podObject({ uid: pod.uid, nodeName: 'n1', annotations: made }));
    expect(cluster.calls).toHaveLength(1);
  });

  it('is nobody’s who was not bound by us, is forgotten, or needs none', async () => {
    const { rig, cluster, pod, keeper, see } = await keeping();
    const other = rig.addPod({ name: 'other', nodeName: 'n1' });
    await see(other);
    keeper.forget(pod.uid);
    await see();
    keeper.expect(pod.uid, {});
    await see();
    expect(cluster.calls).toEqual([]);
  });

  it.each([
    { name: 'an error', fault: { kind: 'answer', status: 500 } as const },
    { name: 'a busy server', fault: { kind: 'answer', status: 429 } as const },
    { name: 'a time-out', fault: { kind: 'silentBeforeCommit' } as const },
  ])('is tried again with the pod’s next change after $name', async ({ fault }) => {
    const { rig, cluster, pod, see } = await keeping();
    cluster.fail(patchPod, fault);
    await see();
    expect(rig.stored(pod).labels).toEqual({ app: 'train' });
    await see();
    await see();
    expect(cluster.calls).toHaveLength(2);
    expect(rig.stored(pod).labels).toEqual({ app: 'train', ...label });
  });

  it('is given up for when the pod is gone or another', async () => {
    const { cluster, pod, see, rig } = await keeping();
    cluster.model.remove(pathOf(pod));
    const again = rig.addPod({ uid: 'another', nodeName: 'n1' });
    await see(pod);
    await see(pod);
    expect(cluster.calls).toHaveLength(1);
    expect(rig.stored(again).labels).toEqual({});
  });

  it('is not patched twice at once for two changes in a row', async () => {
    const { cluster, pod, keeper } = await keeping();
    await cluster.drive(Promise.all([keeper.see(pod), keeper.see(pod)]));
    expect(cluster.calls).toHaveLength(1);
  });
});
