import { describe, expect, it } from '@jest/globals';
import { labelRole } from '../../src/kubernetes/role-label.ts';
import { BindRig, pathOf } from './support/bind-rig.ts';
import { testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();

describe('the label of the scheduler in charge', () => {
  it.each(['leader', 'follower'] as const)('says %s in HAMi’s words and keeps other labels', async (role) => {
    const rig = new BindRig(await startCluster());
    const pod = rig.addPod({ namespace: 'tessera-system', name: 'tessera-0', labels: { app: 'tessera' } });
    const result = await labelRole(rig.cluster.client, pod, role);
    expect(result.kind).toBe('ok');
    expect(rig.cluster.journal).toEqual([`PATCH ${pathOf(pod)}`]);
    expect(rig.stored(pod).labels).toEqual({ app: 'tessera', 'hami.io/scheduler-role': role });
  });

  it('answers as the server did', async () => {
    const cluster = await startCluster();
    const result = await labelRole(cluster.client, { namespace: 'a', name: 'gone' }, 'leader');
    expect(result).toMatchObject({ kind: 'status', status: 404 });
  });
});
