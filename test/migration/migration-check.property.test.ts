/** Whatever a cluster holds, the check answers: nothing in it is believed, and nothing in it makes it fail. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lookedAtKinds, readPicture } from '../../src/migration/cluster-picture.ts';
import { checkMigration } from '../../src/migration/migration-check.ts';
import { gpuLimits, makeNodeObject } from '../support/kubernetes-objects.ts';
import { checkCluster, nowMs, settingsOf } from './check-cluster.ts';
import { configMap, hamiPod, quotaObject } from './hami-objects.ts';

/** Texts near what the annotations hold. */
const scraps = [
  'GPU-a',
  ',',
  ':',
  ';',
  'NVIDIA',
  '[',
  ']',
  '{',
  '}',
  'null',
  '"id"',
  '-1',
  '10',
  'true',
  '2026-08-21T06:20:39Z',
];
const scrap = fc.array(fc.constantFrom(...scraps), { maxLength: 12 }).map((parts) => parts.join(''));

describe('checkMigration', () => {
  it('answers for objects of any shape', () => {
    const anyObject = fc.record({ kind: fc.constantFrom(...lookedAtKinds), value: fc.jsonValue() });
    fc.assert(
      fc.property(fc.array(anyObject, { maxLength: 8 }), (objects) => {
        const picture = readPicture({ objects, missing: new Map() });
        const report = checkMigration({ picture, config: settingsOf(), deviceConfigWarnings: [], nowMs });
        const { nodes, pods, quotas } = report.looked;
        const read =
          nodes + pods + quotas + picture.webhooks.length + picture.configMaps.length + picture.leases.length;
        expect(read + picture.unreadable.length).toBe(objects.length);
      }),
    );
  });

  it('answers for values of any text', () => {
    const keys = [
      'hami.io/node-nvidia-register',
      'hami.io/node-nvidia-score',
      'hami.io/mutex.lock',
      'hami.io/device-cordon',
      'hami.io/node-handshake',
    ];
    const texts = fc.tuple(
      fc.array(scrap, { minLength: keys.length, maxLength: keys.length }),
      scrap,
      scrap,
      scrap,
    );
    fc.assert(
      fc.property(texts, ([ofNode, allocated, reservations, other]) => {
        const annotations = Object.fromEntries(keys.map((key, index) => [key, ofNode[index] ?? '']));
        const pod = hamiPod(allocated, {
          containers: [{ limits: gpuLimits({ count: 1, memoryMiB: other }) }],
          annotations: {
            'hami.io/vgpu-mig-allocations': reservations,
            'hami.io/device-scoring-weights': other,
          },
        });
        const report = checkCluster({
          objects: [
            makeNodeObject({ annotations, allocatable: { 'nvidia.com/gpu': '10' } }),
            pod,
            quotaObject('q', { 'limits.nvidia.com/gpumem': other }),
            configMap({ 'device-config.yaml': other, 'config.yaml': `KubeSchedulerConfiguration ${other}` }),
          ],
        });
        expect(report.findings.length).toBeGreaterThan(0);
      }),
    );
  });
});
