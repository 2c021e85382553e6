/** Refusals: the HTTP status, and the Status object with the reason and the details by which clients decide. */
import { describe, expect, it } from '@jest/globals';
import type { Answer, Json, SendOptions } from './api-client.ts';
import {
  type Context,
  type ContractContext,
  createPod,
  leasePath,
  mergePatch,
  nameOf,
  pathOf,
  podBody,
  versionOf,
} from './contract-context.ts';

interface Case {
  readonly name: string;
  readonly method: string;
  /** Works on the pod that every case gets. */
  readonly path: (context: ContractContext, pod: Json) => string;
  readonly options?: (pod: Json) => SendOptions;
  readonly want: { readonly code: number; readonly reason: string; readonly details?: unknown };
}

const onPods = (context: ContractContext) => pathOf(context, 'pods');
const onPod = (context: ContractContext, pod: Json) => pathOf(context, 'pods', nameOf(pod));

function withMetadata(pod: Json, changes: Json): Json {
  return { ...pod, metadata: { ...(pod['metadata'] as Json), ...changes } };
}

/** Details with at least one cause at this field; how often a cause is repeated is the server's affair. */
function causedBy(field: string): unknown {
  return { causes: expect.arrayContaining([expect.objectContaining({ field })]) };
}

const cases: readonly Case[] = [
  {
    name: 'a pod that is not there',
    method: 'GET',
    path: (context) => pathOf(context, 'pods', 'absent'),
    want: { code: 404, reason: 'NotFound', details: { name: 'absent', kind: 'pods' } },
  },
  {
    name: 'an object of a named group that is not there',
    method: 'GET',
    path: (context) => leasePath(context, 'absent'),
    want: {
      code: 404,
      reason: 'NotFound',
      details: { name: 'absent', group: 'coordination.k8s.io', kind: 'leases' },
    },
  },
  {
    name: 'an update of what is not there',
    method: 'PUT',
    path: (context) => pathOf(context, 'pods', 'absent'),
    options: () => ({ body: podBody({ name: 'absent' }) }),
    want: { code: 404, reason: 'NotFound' },
  },
  {
    name: 'a namespace that is not there',
    method: 'POST',
    path: () => '/api/v1/namespaces/absent/pods',
    options: () => ({ body: podBody({}) }),
    want: { code: 404, reason: 'NotFound', details: { name: 'absent', kind: 'namespaces' } },
  },
  {
    name: 'a resource that is not served',
    method: 'GET',
    path: () => '/api/v1/unheardof',
    want: { code: 404, reason: 'NotFound' },
  },
  {
    name: 'a name that is taken',
    method: 'POST',
    path: onPods,
    options: (pod) => ({ body: podBody({ name: nameOf(pod) }) }),
    want: { code: 409, reason: 'AlreadyExists' },
  },
  {
    name: 'an update of an older version',
    method: 'PUT',
    path: onPod,
    options: (pod) => ({ body: withMetadata(pod, { resourceVersion: '1' }) }),
    want: { code: 409, reason: 'Conflict' },
  },
  {
    name: 'a patch that carries an older version',
    method: 'PATCH',
    path: onPod,
    options: () => ({
      body: { metadata: { resourceVersion: '1', labels: { a: 'b' } } },
      contentType: mergePatch,
    }),
    want: { code: 409, reason: 'Conflict' },
  },
  {
    name: 'an update of another incarnation',
    method: 'PUT',
    path: onPod,
    options: (pod) => ({ body: withMetadata(pod, { uid: '00000000-0000-4000-8000-000000000000' }) }),
    want: { code: 409, reason: 'Conflict' },
  },
  {
    name: 'a patch of another incarnation',
    method: 'PATCH',
    path: onPod,
    options: () => ({ body: { metadata: { uid: 'other' } }, contentType: mergePatch }),
    want: { code: 422, reason: 'Invalid' },
  },
  {
    name: 'a deletion of another incarnation',
    method: 'DELETE',
    path: onPod,
    options: () => ({ body: { preconditions: { uid: 'other' } } }),
    want: { code: 409, reason: 'Conflict' },
  },
  {
    name: 'another name in the body than in the path',
    method: 'PUT',
    path: onPod,
    options: (pod) => ({ body: withMetadata(pod, { name: 'other' }) }),
    want: { code: 400, reason: 'BadRequest' },
  },
  {
    name: 'another namespace in the body than in the path',
    method: 'POST',
    path: onPods,
    options: (pod) => ({
      body: withMetadata(podBody({ name: `${nameOf(pod)}-x` }), { namespace: 'other' }),
    }),
    want: { code: 400, reason: 'BadRequest' },
  },
  {
    name: 'a method that the resource does not know',
    method: 'PUT',
    path: onPods,
    options: () => ({ body: {} }),
    want: { code: 405, reason: 'MethodNotAllowed' },
  },
  {
    name: 'a body that is no JSON',
    method: 'POST',
    path: onPods,
    options: () => ({ body: '{' }),
    want: { code: 400, reason: 'BadRequest' },
  },
  {
    name: 'a body of another kind',
    method: 'POST',
    path: onPods,
    options: () => ({ body: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'x' } } }),
    want: { code: 400, reason: 'BadRequest' },
  },
  {
    name: 'a body of another type',
    method: 'POST',
    path: onPods,
    options: () => ({ body: 'text', contentType: 'text/plain' }),
    want: { code: 415, reason: 'UnsupportedMediaType' },
  },
  {
    name: 'a patch without its type',
    method: 'PATCH',
    path: onPod,
    options: () => ({ body: {}, contentType: 'application/json' }),
    want: { code: 415, reason: 'UnsupportedMediaType' },
  },
  {
    name: 'a quantity that is none',
    method: 'POST',
    path: onPods,
    options: () => ({ body: podBody({ limits: { 'example.com/thing': 'many' } }) }),
    want: { code: 400, reason: 'BadRequest' },
  },
  {
    name: 'half of an extended resource',
    method: 'POST',
    path: onPods,
    options: () => ({ body: podBody({ name: 'half', limits: { 'example.com/thing': '0.5' } }) }),
    want: {
      code: 422,
      reason: 'Invalid',
      details: {
        name: 'half',
        kind: 'Pod',
        causes: [
          {
            reason: 'FieldValueInvalid',
            field: 'spec.containers[0].resources.limits[example.com/thing]',
            message: 'Invalid value: "500m": must be an integer',
          },
          { reason: 'FieldValueInvalid', field: 'spec.containers[0].resources.requests[example.com/thing]' },
        ],
      },
    },
  },
  {
    name: 'a pod without containers',
    method: 'POST',
    path: onPods,
    options: () => ({ body: podBody({ name: 'empty', spec: { containers: [] } }) }),
    want: {
      code: 422,
      reason: 'Invalid',
      details: {
        name: 'empty',
        kind: 'Pod',
        causes: [{ reason: 'FieldValueRequired', field: 'spec.containers', message: 'Required value' }],
      },
    },
  },
  {
    name: 'a label value of 64 characters',
    method: 'PATCH',
    path: onPod,
    options: () => ({ body: { metadata: { labels: { a: 'x'.repeat(64) } } }, contentType: mergePatch }),
    want: { code: 422, reason: 'Invalid', details: causedBy('metadata.labels') },
  },
  {
    name: 'annotations of more than 256 KiB',
    method: 'PATCH',
    path: onPod,
    options: () => ({
      body: { metadata: { annotations: { a: 'x'.repeat(256 * 1024) } } },
      contentType: mergePatch,
    }),
    want: { code: 422, reason: 'Invalid', details: causedBy('metadata.annotations') },
  },
  {
    name: 'an event in another namespace than its object',
    method: 'POST',
    path: (context) => pathOf(context, 'events'),
    options: () => ({
      body: {
        metadata: { generateName: 'event-' },
        involvedObject: { kind: 'Pod', name: 'a', namespace: 'other' },
        reason: 'Any',
        message: 'any',
        type: 'Normal',
      },
    }),
    want: { code: 422, reason: 'Invalid', details: causedBy('involvedObject.namespace') },
  },
  {
    name: 'a label selector that cannot be read',
    method: 'GET',
    path: (context) => `${onPods(context)}?labelSelector=a%20in%20b`,
    want: { code: 400, reason: 'BadRequest' },
  },
  {
    name: 'a field that cannot be selected',
    method: 'GET',
    path: (context) => `${onPods(context)}?fieldSelector=spec.other%3Da`,
    want: { code: 400, reason: 'BadRequest' },
  },
  {
    name: 'a continue token that is none',
    method: 'GET',
    path: (context) => `${onPods(context)}?limit=1&continue=none`,
    want: { code: 400, reason: 'BadRequest' },
  },
  {
    name: 'a version that is no number',
    method: 'GET',
    path: (context) => `${onPods(context)}?resourceVersion=abc`,
    want: { code: 400, reason: 'BadRequest' },
  },
  {
    name: 'an exact version that is not named',
    method: 'GET',
    path: (context) => `${onPods(context)}?resourceVersionMatch=Exact`,
    want: { code: 422, reason: 'Invalid' },
  },
  {
    name: 'initial events without the version rule they need',
    method: 'GET',
    path: (context) => `${onPods(context)}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true`,
    want: { code: 422, reason: 'Invalid' },
  },
  {
    name: 'only forms that are not served',
    method: 'GET',
    path: onPods,
    options: () => ({ accept: 'text/html' }),
    want: { code: 406, reason: 'NotAcceptable' },
  },
];

export function describeRefusals(connected: Context): void {
  describe('refusals', () => {
    it.each(cases)('$name', async ({ method, path, options, want }) => {
      const context = connected();
      const pod = await createPod(context);
      const answer: Answer = await context.client.send(method, path(context, pod), options?.(pod));
      expect(answer).toMatchObject({
        status: want.code,
        body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...want },
      });
      expect(answer.headers['content-type']).toMatch(/^application\/json/);
    });

    it('a refused write changes nothing', async () => {
      const context = connected();
      const pod = await createPod(context);
      const path = onPod(context, pod);
      const body = { metadata: { labels: { good: 'yes', bad: 'not allowed' } } };
      await context.client.send('PATCH', path, { body, contentType: mergePatch });
      expect(versionOf((await context.client.send('GET', path)).body)).toBe(versionOf(pod));
    });
  });
}
