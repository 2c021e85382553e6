/** Patches: three ways to say a change, each with its own reading of lists and nulls. */
import { describe, expect, it } from '@jest/globals';
import type { Json } from './api-client.ts';
import {
  accepted,
  type Context,
  createNode,
  createPod,
  jsonPatch,
  mergePatch,
  nameOf,
  pathOf,
  podSpec,
  strategicPatch,
  textOf,
  valueOf,
  versionOf,
} from './contract-context.ts';

const toleration = { key: 'a', operator: 'Exists', effect: 'NoSchedule' };
const gate = { name: 'example.com/a' };

export function describePatches(connected: Context): void {
  const patchPod = async (pod: Json, body: unknown, contentType: string, subresource = '') =>
    connected().client.send('PATCH', `${pathOf(connected(), 'pods', nameOf(pod))}${subresource}`, {
      body,
      contentType,
    });
  const patchNode = async (node: Json, body: unknown, contentType: string, subresource = '') =>
    accepted(
      await connected().client.send('PATCH', `/api/v1/nodes/${nameOf(node)}${subresource}`, {
        body,
        contentType,
      }),
    );

  describe('patches', () => {
    it('merge: members are set, and removed by null', async () => {
      const pod = await createPod(connected(), { annotations: { kept: '1', gone: '1' } });
      const body = { metadata: { annotations: { gone: null, 'example.com/new': '2' } } };
      expect(valueOf(accepted(await patchPod(pod, body, mergePatch)), 'metadata', 'annotations')).toEqual({
        kept: '1',
        'example.com/new': '2',
      });
    });

    it('merge: the last annotation takes the map along', async () => {
      const pod = await createPod(connected(), { annotations: { only: '1' } });
      const patched = accepted(
        await patchPod(pod, { metadata: { annotations: { only: null } } }, mergePatch),
      );
      expect(valueOf(patched, 'metadata', 'annotations')).toBeUndefined();
    });

    it('merge: the version it carries is a condition', async () => {
      const pod = await createPod(connected());
      const body = (value: string) => ({
        metadata: { resourceVersion: versionOf(pod), annotations: { value } },
      });
      const first = await patchPod(pod, body('1'), mergePatch);
      const second = await patchPod(pod, body('2'), mergePatch);
      expect([first.status, second.status]).toEqual([200, 409]);
    });

    it('that change nothing leave the version as it was', async () => {
      const pod = await createPod(connected(), { annotations: { a: '1' } });
      const patched = accepted(await patchPod(pod, { metadata: { annotations: { a: '1' } } }, mergePatch));
      expect(versionOf(patched)).toBe(versionOf(pod));
    });

    it('JSON: operations apply in order, with escaped names', async () => {
      const pod = await createPod(connected(), { annotations: { kept: '1', gone: '1' } });
      const operations = [
        { op: 'test', path: '/metadata/annotations/kept', value: '1' },
        { op: 'add', path: '/metadata/annotations/example.com~1new', value: '2' },
        { op: 'remove', path: '/metadata/annotations/gone' },
        { op: 'replace', path: '/metadata/annotations/kept', value: '3' },
      ];
      const patched = accepted(await patchPod(pod, operations, jsonPatch));
      expect(valueOf(patched, 'metadata', 'annotations')).toEqual({ kept: '3', 'example.com/new': '2' });
    });

    it.each([
      {
        name: 'a test that does not hold',
        operations: [
          { op: 'add', path: '/metadata/annotations/new', value: '1' },
          { op: 'test', path: '/metadata/annotations/kept', value: 'other' },
        ],
        wantStatus: 422,
      },
      {
        name: 'a removal of what is not there',
        operations: [
          { op: 'add', path: '/metadata/annotations/new', value: '1' },
          { op: 'remove', path: '/metadata/annotations/absent' },
        ],
        wantStatus: 422,
      },
      { name: 'no list of operations', operations: { op: 'add' }, wantStatus: 400 },
    ])('JSON: $name leaves everything as it was', async ({ operations, wantStatus }) => {
      const pod = await createPod(connected(), { annotations: { kept: '1' } });
      expect(await patchPod(pod, operations, jsonPatch)).toMatchObject({ status: wantStatus });
      const after = await connected().client.send('GET', pathOf(connected(), 'pods', nameOf(pod)));
      expect(versionOf(after.body)).toBe(versionOf(pod));
    });

    it('strategic: containers merge by name', async () => {
      const pod = await createPod(connected());
      const body = { spec: { containers: [{ name: 'main', image: 'registry.example/app:2' }] } };
      const patched = accepted(await patchPod(pod, body, strategicPatch));
      expect(valueOf(patched, 'spec', 'containers')).toEqual([
        { ...(valueOf(pod, 'spec', 'containers', 0) as Json), image: 'registry.example/app:2' },
      ]);
    });

    it('strategic: conditions merge by type', async () => {
      const node = await createNode(connected());
      const body = { status: { conditions: [{ type: 'MemoryPressure', status: 'False' }] } };
      const patched = await patchNode(node, body, strategicPatch, '/status');
      const conditions = valueOf(patched, 'status', 'conditions') as readonly Json[];
      expect(conditions.map((condition) => textOf(condition, 'type')).toSorted()).toEqual([
        'MemoryPressure',
        'Ready',
      ]);
    });

    it('strategic: taints are replaced as a whole', async () => {
      const node = await createNode(connected());
      const body = { spec: { taints: [{ key: 'second', effect: 'NoSchedule' }] } };
      const patched = await patchNode(node, body, strategicPatch);
      expect(valueOf(patched, 'spec', 'taints')).toEqual([{ key: 'second', effect: 'NoSchedule' }]);
    });

    it('merge: lists are replaced as a whole', async () => {
      const node = await createNode(connected());
      const body = { status: { conditions: [{ type: 'MemoryPressure', status: 'False' }] } };
      const patched = await patchNode(node, body, mergePatch, '/status');
      expect(valueOf(patched, 'status', 'conditions')).toHaveLength(1);
    });

    it('of the object leave its status alone', async () => {
      const node = await createNode(connected());
      const body = { metadata: { annotations: { a: '1' } }, status: { capacity: { cpu: '1' } } };
      const patched = await patchNode(node, body, mergePatch);
      expect(patched).toMatchObject({
        metadata: { annotations: { a: '1' } },
        status: { capacity: { cpu: '8' } },
      });
    });

    it('of the status leave the rest alone, except labels and annotations', async () => {
      const pod = await createPod(connected());
      const body = {
        metadata: { annotations: { a: '1' } },
        spec: { nodeName: 'stolen' },
        status: { phase: 'Running' },
      };
      const patched = accepted(await patchPod(pod, body, mergePatch, '/status'));
      expect(patched).toMatchObject({
        metadata: { annotations: { a: '1' } },
        status: { phase: 'Running', qosClass: 'BestEffort' },
      });
      expect(valueOf(patched, 'spec', 'nodeName')).toBeUndefined();
    });

    it('cannot change what a pod runs with', async () => {
      const pod = await createPod(connected());
      const body = {
        spec: { containers: [{ name: 'main', env: [{ name: 'A', value: '1' }] }] },
      };
      expect(await patchPod(pod, body, strategicPatch)).toMatchObject({
        status: 422,
        body: { reason: 'Invalid', details: { causes: [{ reason: 'FieldValueForbidden', field: 'spec' }] } },
      });
    });

    it.each([
      {
        name: 'one more toleration',
        spec: { tolerations: [toleration, { key: 'b', operator: 'Exists' }] },
        want: 200,
      },
      { name: 'one toleration less', spec: { tolerations: [{ key: 'b', operator: 'Exists' }] }, want: 422 },
      { name: 'no scheduling gate', spec: { schedulingGates: null }, want: 200 },
      {
        name: 'one more scheduling gate',
        spec: { schedulingGates: [gate, { name: 'example.com/b' }] },
        want: 422,
      },
      { name: 'another scheduler', spec: { schedulerName: 'other' }, want: 422 },
    ])('may give a pod $name: $want', async ({ spec, want }) => {
      const pod = await createPod(connected(), {
        spec: podSpec({
          tolerations: [toleration],
          ...('schedulingGates' in spec ? { schedulingGates: [gate] } : {}),
        }),
      });
      // The default tolerations stay, as a client that reads and writes leaves them.
      const defaults = (valueOf(pod, 'spec', 'tolerations') as readonly Json[]).slice(1);
      const tolerations =
        'tolerations' in spec ? { tolerations: [...(spec.tolerations ?? []), ...defaults] } : {};
      const answer = await patchPod(pod, { spec: { ...spec, ...tolerations } }, mergePatch);
      expect(answer.status).toBe(want);
      if (want === 200) expect(answer.body).toMatchObject({ metadata: { generation: 2 } });
    });

    it('cannot bind a pod', async () => {
      const pod = await createPod(connected());
      expect(await patchPod(pod, { spec: { nodeName: 'node-1' } }, mergePatch)).toMatchObject({
        status: 422,
      });
    });
  });
}
