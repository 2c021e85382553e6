/** The webhook on the wire: versions, forms, faults. What admission decides is tested in `test/admission`. */
import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { gpuLimits } from '../support/kubernetes-objects.ts';
import { expectGolden } from '../support/golden.ts';
import { makeRawContainer, makeRawPod } from '../admission/admission-fixture.ts';
import { ask, post } from './exchange.ts';
import { sampleNodes } from './sample-cluster.ts';
import { makeServedApp, metricValue } from './served-app.ts';

const v1 = 'admission.k8s.io/v1';
const v1beta1 = 'admission.k8s.io/v1beta1';

function makeReviewBody(object: unknown, version = v1) {
  return {
    kind: 'AdmissionReview',
    apiVersion: version,
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      name: 'pod-1',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'someone' },
      object,
      oldObject: null,
      dryRun: false,
      options: null,
    },
  };
}

const podOf = (limits: Readonly<Record<string, string>>, spec: object = {}) =>
  makeRawPod({ containers: [makeRawContainer(limits)], spec });

interface Reply {
  readonly apiVersion: string;
  readonly response: { readonly uid: string; readonly allowed: boolean; readonly patch?: string };
}

describe('the webhook on the wire', () => {
  it.each([
    { version: v1, golden: 'http-webhook-v1' },
    { version: v1beta1, golden: 'http-webhook-v1beta1' },
  ])('answers reviews of $version as pinned', async ({ version, golden }) => {
    const { app } = makeServedApp({ nodes: sampleNodes });
    const review = (name: string, object: unknown) =>
      ask(app, name, '/webhook', makeReviewBody(object, version));
    const answers = [
      await review('patched', podOf(gpuLimits({ count: 1 }), { schedulerName: 'default-scheduler' })),
      await review('nothing to do', podOf(gpuLimits({ count: 1, memoryMiB: 3000 }))),
      await review('no cards', podOf({ cpu: '1' })),
      await review('another scheduler', podOf(gpuLimits({ count: 1 }), { schedulerName: 'volcano' })),
      await review('warned', podOf(gpuLimits({ count: 1, memoryMiB: 90_000 }))),
      await review('denied', podOf(gpuLimits({ count: 1, memoryMiB: '16Gi' }))),
      await review('not a pod', { spec: { containers: 'all' } }),
    ];
    expectGolden(golden, answers);
    const patch = (answers[0]?.body as Reply).response.patch ?? '';
    expect(JSON.parse(Buffer.from(patch, 'base64').toString())).toEqual([
      { op: 'add', path: '/spec/containers/0/resources/limits/nvidia.com~1gpucores', value: '100' },
      { op: 'add', path: '/spec/schedulerName', value: 'tessera-scheduler' },
    ]);
  });

  it.each([
    { name: 'an update', change: { operation: 'UPDATE' } },
    { name: 'a deletion', change: { operation: 'DELETE', object: null } },
    {
      name: 'another resource',
      change: { resource: { group: 'apps', version: 'v1', resource: 'deployments' } },
    },
  ])('allows $name without a patch', async ({ change }) => {
    const { app } = makeServedApp({ nodes: sampleNodes });
    const body = makeReviewBody(podOf(gpuLimits({ count: 1 })));
    const reply = await post(app, '/webhook', { ...body, request: { ...body.request, ...change } });
    expect(reply.body).toEqual({
      apiVersion: v1,
      kind: 'AdmissionReview',
      response: { uid: body.request.uid, allowed: true, status: { code: 200 } },
    });
  });

  it('does the same whatever content type the caller names', async () => {
    const { app } = makeServedApp();
    const body = JSON.stringify(makeReviewBody(podOf({})));
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded', '']) {
      const reply = await request(app)
        .post('/webhook')
        .serialize(String)
        .set('Content-Type', type)
        .send(body);
      expect((reply.body as Reply).response.allowed).toBe(true);
    }
  });
});

describe('bodies that are no review', () => {
  it.each([
    { name: 'no JSON', body: '{' },
    { name: 'null', body: 'null' },
    { name: 'another version', body: makeReviewBody({}, 'admission.k8s.io/v2') },
    { name: 'another kind', body: { ...makeReviewBody({}), kind: 'ConversionReview' } },
    { name: 'no request', body: { kind: 'AdmissionReview', apiVersion: v1 } },
    { name: 'no uid', body: { kind: 'AdmissionReview', apiVersion: v1, request: { object: {} } } },
  ])('$name is status 400, and counted', async ({ body }) => {
    const { app, metrics } = makeServedApp();
    const response = await post(app, '/webhook', body);
    expect(response.status).toBe(400);
    expect((response.body as { error: string }).error).toMatch(/./);
    expect(await metricValue(metrics, 'tessera_admissions_total{result="failed"}')).toBe(1);
    expect(await metricValue(metrics, 'tessera_malformed_total{kind="body"}')).toBe(1);
  });

  it('an empty one is status 400', async () => {
    const response = await request(makeServedApp().app).post('/webhook');
    expect(response.status).toBe(400);
    expect(response.body).toEqual({ error: 'Please send a request body' });
  });

  it('one byte over the limit is status 413', async () => {
    const { app, metrics } = makeServedApp({ bodyLimitMiB: 1 });
    const body = JSON.stringify(makeReviewBody(podOf({})));
    const fill = (bytes: number) => body + ' '.repeat(bytes - body.length);
    expect((await post(app, '/webhook', fill(1024 * 1024))).status).toBe(200);
    expect((await post(app, '/webhook', fill(1024 * 1024 + 1))).status).toBe(413);
    expect(await metricValue(metrics, 'tessera_http_oversized_total')).toBe(1);
  });
});

describe('what the webhook counts and logs', () => {
  it('each outcome by its name, and a denial with its reason', async () => {
    const { app, metrics, lines } = makeServedApp({ nodes: sampleNodes });
    const review = (limits: Readonly<Record<string, string>>) =>
      post(app, '/webhook', makeReviewBody(podOf(limits)));
    await review({});
    await review(gpuLimits({ count: 1 }));
    await review(gpuLimits({ count: 1, memoryMiB: 90_000 }));
    await review(gpuLimits({ count: 1, memoryMiB: '16Gi' }));
    for (const result of ['allowed', 'mutated', 'warned', 'denied']) {
      expect(await metricValue(metrics, `tessera_admissions_total{result="${result}"}`)).toBe(1);
    }
    expect(lines).toEqual([
      {
        level: 'info',
        message: 'pod denied',
        fields: {
          namespace: 'default',
          uid: makeReviewBody({}).request.uid,
          reason: expect.stringContaining('16Gi') as unknown,
        },
      },
    ]);
  });
});
