import { describe, expect, it } from '@jest/globals';
import { nudgeNode } from '../../src/kubernetes/node-nudge.ts';
import { BindRig, nodePath } from './support/bind-rig.ts';
import { testClusters } from './support/test-cluster.ts';

const startCluster = testClusters();

describe('the nudge', () => {
  it('changes one annotation of the node, whatever its version, and leaves its lock', async () => {
    const rig = new BindRig(await startCluster());
    const before = rig.addNode({ lock: '2026-01-01T00:00:00Z,default,pod-1' });
    rig.clock.advance(1500);
    const result = await nudgeNode(rig.cluster.client, rig.clock, 'n1');
    expect(result.kind).toBe('ok');
    expect(rig.cluster.bodies(`PATCH ${nodePath}`)).toEqual([
      { metadata: { annotations: { 'tessera.io/released-at': '2026-01-01T00:00:01.500Z' } } },
    ]);
    const after = rig.cluster.model.find(nodePath);
    expect(after?.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion);
    expect(after?.metadata.annotations).toMatchObject({ ...before.metadata.annotations });
  });

  it('answers as the server did', async () => {
    const cluster = await startCluster();
    expect(await nudgeNode(cluster.client, cluster.clock, 'gone')).toMatchObject({
      kind: 'status',
      status: 404,
    });
  });
});
