/** The ways of pods that Tessera's writer and ledger stand on: Binding, deletion with its grace, eviction. */
import { describe, expect, it } from '@jest/globals';
import type { Json } from './api-client.ts';
import {
  accepted,
  bind,
  bindingBody,
  type Context,
  createPod,
  mergePatch,
  nameOf,
  pathOf,
  podSpec,
  textOf,
  valueOf,
  versionOf,
} from './contract-context.ts';

export function describePods(connected: Context): void {
  const podPath = (pod: Json) => pathOf(connected(), 'pods', nameOf(pod));
  const read = async (pod: Json) => connected().client.send('GET', podPath(pod));
  const remove = async (pod: Json, body: Json = {}) =>
    connected().client.send('DELETE', podPath(pod), { body });
  const createBound = async () => {
    const pod = await createPod(connected());
    accepted(await bind(connected(), pod));
    return (await read(pod)).body;
  };

  describe('Bindings', () => {
    it('set the node and merge annotations and labels, in one write', async () => {
      const pod = await createPod(connected(), {
        annotations: { kept: '1', changed: '1' },
        labels: { app: 'x' },
      });
      const query = new URLSearchParams({
        watch: 'true',
        fieldSelector: `metadata.name=${nameOf(pod)}`,
        resourceVersion: versionOf(pod),
      });
      const watch = await connected().client.watch(`${pathOf(connected(), 'pods')}?${query.toString()}`);
      const answer = await bind(connected(), pod, {
        uid: textOf(pod, 'metadata', 'uid'),
        resourceVersion: versionOf(pod),
        annotations: { changed: '2', 'hami.io/vgpu-node': 'node-1' },
        labels: { 'hami.io/vgpu-node': 'node-1' },
      });
      expect(answer).toMatchObject({ status: 201, body: { kind: 'Status', status: 'Success', code: 201 } });
      const event = await watch.next();
      expect(event).toMatchObject({
        type: 'MODIFIED',
        object: {
          metadata: {
            annotations: { kept: '1', changed: '2', 'hami.io/vgpu-node': 'node-1' },
            labels: { app: 'x', 'hami.io/vgpu-node': 'node-1' },
          },
          spec: { nodeName: 'node-1' },
          status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] },
        },
      });
      expect((await read(pod)).body).toEqual(event?.object);
    });

    it('may be posted to the older path', async () => {
      const pod = await createPod(connected());
      const body = bindingBody(pod);
      accepted(await connected().client.send('POST', pathOf(connected(), 'bindings'), { body }));
      expect(valueOf((await read(pod)).body, 'spec', 'nodeName')).toBe('node-1');
    });

    it.each([
      { name: 'another UID', metadata: () => ({ uid: '00000000-0000-4000-8000-000000000000' }) },
      { name: 'an older version', metadata: () => ({ resourceVersion: '1' }) },
    ])('are refused with 409 for $name, and change nothing', async ({ metadata }) => {
      const pod = await createPod(connected());
      const answer = await bind(connected(), pod, { ...metadata(), annotations: { lost: '1' } });
      expect(answer).toMatchObject({ status: 409, body: { reason: 'Conflict', code: 409 } });
      expect(versionOf((await read(pod)).body)).toBe(versionOf(pod));
    });

    it('are refused with 409 for a version that a status update has passed', async () => {
      const pod = await createPod(connected());
      const body = { status: { message: 'seen' } };
      accepted(
        await connected().client.send('PATCH', `${podPath(pod)}/status`, { body, contentType: mergePatch }),
      );
      expect(await bind(connected(), pod, { resourceVersion: versionOf(pod) })).toMatchObject({
        status: 409,
      });
    });

    it('are refused with 409 for a pod that is bound, even to the same node', async () => {
      const pod = await createBound();
      expect(await bind(connected(), pod)).toMatchObject({
        status: 409,
        body: { reason: 'Conflict', details: { name: nameOf(pod), kind: 'pods/binding' } },
      });
    });

    it('are refused with 409 for a pod with scheduling gates', async () => {
      const pod = await createPod(connected(), {
        spec: podSpec({ schedulingGates: [{ name: 'example.com/wait' }] }),
      });
      expect(await bind(connected(), pod)).toMatchObject({ status: 409 });
    });

    it('are refused with 404 for a pod that is gone', async () => {
      const pod = await createPod(connected());
      await remove(pod);
      expect(await bind(connected(), pod)).toMatchObject({ status: 404, body: { reason: 'NotFound' } });
    });

    it('are refused with 400 for another name than in the path', async () => {
      const pod = await createPod(connected());
      const body = bindingBody(pod, { name: 'other' });
      expect(await connected().client.send('POST', `${podPath(pod)}/binding`, { body })).toMatchObject({
        status: 400,
      });
    });
  });

  describe('deletion', () => {
    it('takes a pod that is not bound at once', async () => {
      const pod = await createPod(connected());
      expect(await remove(pod)).toMatchObject({ status: 200, body: { kind: 'Pod' } });
      expect(await read(pod)).toMatchObject({ status: 404 });
    });

    it('leaves a bound pod for its grace period, until it is deleted with none', async () => {
      const pod = await createBound();
      expect(await remove(pod)).toMatchObject({
        status: 200,
        body: { metadata: { deletionGracePeriodSeconds: 30, deletionTimestamp: expect.any(String) } },
      });
      const deleting = (await read(pod)).body;
      expect(deleting).toMatchObject({ metadata: { deletionGracePeriodSeconds: 30 } });
      expect(await bind(connected(), pod)).toMatchObject({ status: 409 });
      // Asking again changes nothing.
      await remove(pod);
      expect((await read(pod)).body).toEqual(deleting);
      expect(await remove(pod, { gracePeriodSeconds: 0 })).toMatchObject({ status: 200 });
      expect(await read(pod)).toMatchObject({ status: 404 });
    });

    it('takes a bound pod that has ended at once', async () => {
      const pod = await createBound();
      const body = { status: { phase: 'Succeeded' } };
      accepted(
        await connected().client.send('PATCH', `${podPath(pod)}/status`, { body, contentType: mergePatch }),
      );
      await remove(pod);
      expect(await read(pod)).toMatchObject({ status: 404 });
    });

    it('can be made shorter, not longer', async () => {
      const pod = await createBound();
      await remove(pod, { gracePeriodSeconds: 20 });
      await remove(pod, { gracePeriodSeconds: 25 });
      expect(valueOf((await read(pod)).body, 'metadata', 'deletionGracePeriodSeconds')).toBe(20);
      await remove(pod, { gracePeriodSeconds: 5 });
      expect(valueOf((await read(pod)).body, 'metadata', 'deletionGracePeriodSeconds')).toBe(5);
    });

    it('of a version that has passed is refused', async () => {
      const pod = await createPod(connected());
      const body = { preconditions: { resourceVersion: '1' } };
      expect(await remove(pod, body)).toMatchObject({ status: 409, body: { reason: 'Conflict' } });
    });

    it('does not stop the status from being written', async () => {
      const pod = await createBound();
      await remove(pod);
      const body = { status: { phase: 'Running' } };
      const patched = accepted(
        await connected().client.send('PATCH', `${podPath(pod)}/status`, { body, contentType: mergePatch }),
      );
      expect(patched).toMatchObject({
        metadata: { deletionGracePeriodSeconds: 30 },
        status: { phase: 'Running' },
      });
    });
  });

  describe('eviction', () => {
    it('marks the pod and deletes it with its grace', async () => {
      const pod = await createBound();
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: nameOf(pod) } };
      expect(await connected().client.send('POST', `${podPath(pod)}/eviction`, { body })).toMatchObject({
        status: 201,
        body: { kind: 'Status', status: 'Success' },
      });
      expect((await read(pod)).body).toMatchObject({
        metadata: { deletionGracePeriodSeconds: 30 },
        status: {
          conditions: expect.arrayContaining([
            expect.objectContaining({
              type: 'DisruptionTarget',
              status: 'True',
              reason: 'EvictionByEvictionAPI',
            }),
          ]),
        },
      });
    });

    it('of a pod that is not there is refused', async () => {
      const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'absent' } };
      const path = `${pathOf(connected(), 'pods', 'absent')}/eviction`;
      expect(await connected().client.send('POST', path, { body })).toMatchObject({ status: 404 });
    });
  });
}
