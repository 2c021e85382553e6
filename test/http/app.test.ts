/** What every listener has in common: probes, metrics, explanations, unknown routes and unexpected errors. */
import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { expectGolden } from '../support/golden.ts';
import { post } from './exchange.ts';
import { allNames, bindingOf, largePod, sampleNodes, samplePods, smallPod } from './sample-cluster.ts';
import { makeServedApp } from './served-app.ts';

const broken = new Error('secret detail of the inside');

describe('probes', () => {
  it('healthz answers ok, whatever the state', async () => {
    const response = await request(makeServedApp({ synced: false }).app).get('/healthz');
    expect({ status: response.status, text: response.text }).toEqual({ status: 200, text: 'ok' });
  });

  it('readyz answers 503 with the cause until there is none', async () => {
    let cause: string | undefined = 'the device state is not complete yet';
    const { app } = makeServedApp({ notReadyBecause: () => cause });
    const before = await request(app).get('/readyz');
    expect({ status: before.status, text: before.text }).toEqual({ status: 503, text: cause });
    cause = undefined;
    const after = await request(app).get('/readyz');
    expect({ status: after.status, text: after.text }).toEqual({ status: 200, text: 'ok' });
  });
});

describe('metrics', () => {
  it('are served in the text format of Prometheus', async () => {
    const { app } = makeServedApp({ nodes: sampleNodes, pods: samplePods });
    await post(app, '/filter', { Pod: smallPod, NodeNames: allNames });
    const response = await request(app).get('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(response.text).toMatch(/^tessera_filter_duration_seconds_count 1$/m);
  });
});

describe('explanations', () => {
  it('tell of waiting and bound pods what is pinned', async () => {
    const { app } = makeServedApp({ nodes: sampleNodes, pods: samplePods });
    await post(app, '/bind', bindingOf(smallPod, 't4'));
    const get = async (path: string) => {
      const response = await request(app).get(path);
      return { path, status: response.status, body: response.body as unknown };
    };
    expectGolden('http-explain', [
      await get('/explain/default/small'),
      await get('/explain/default/large'),
      await get('/explain/default/broken'),
      await get('/explain/default/nobody'),
    ]);
  });

  it('of the whole state name nodes, allocations and waiting pods', async () => {
    const { app } = makeServedApp({ nodes: sampleNodes, pods: samplePods });
    await post(app, '/bind', bindingOf(smallPod, 't4'));
    const response = await request(app).get('/debug/state');
    expect(response.status).toBe(200);
    const used = { slots: 1, memoryMiB: 8000, corePercent: 30 };
    expect(response.body).toMatchObject({
      synced: true,
      nodes: [
        { name: 'a100', countFree: { 'nvidia.com/gpu': 20 } },
        { name: 'cpu', devices: [] },
        {
          name: 't4',
          countFree: { 'nvidia.com/gpu': 19 },
          devices: [{ device: { id: 'GPU-t0' }, used }, {}],
        },
      ],
      entries: [{ namespace: 'default', name: 'small', node: 't4', state: 'bound' }],
      pending: [{ name: 'broken' }, { name: 'large' }],
    });
  });

  it("are not given for a path that cannot be decoded, and that is the caller's fault", async () => {
    const { app, lines } = makeServedApp();
    const response = await request(app).get('/explain/%zz/x');
    expect(response.status).toBe(400);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('requests that nobody serves', () => {
  it.each([
    { method: 'get', path: '/' },
    { method: 'get', path: '/filter' },
    { method: 'post', path: '/healthz' },
    { method: 'post', path: '/unreserve' },
    { method: 'get', path: '/explain/default' },
  ] as const)('$method $path is 404 and names itself', async ({ method, path }) => {
    const response = await request(makeServedApp().app)[method](path);
    expect(response.status).toBe(404);
    expect(response.body).toEqual({ error: `nothing is served at ${method.toUpperCase()} ${path}` });
  });

  it('do not tell what serves them', async () => {
    const { headers } = await request(makeServedApp().app).get('/healthz');
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('etag');
  });
});

describe('an error that nobody expected', () => {
  it.each([
    { verb: 'filter', path: '/filter', body: { Pod: largePod, NodeNames: allNames } },
    { verb: 'prioritize', path: '/prioritize', body: { Pod: largePod, NodeNames: allNames } },
    { verb: 'bind', path: '/bind', body: bindingOf(largePod, 'a100') },
  ])('in $verb is status 500 without details, and logged once with them', async ({ verb, path, body }) => {
    const { app, lines } = makeServedApp({
      wrapScheduler: (scheduler) => ({
        ...scheduler,
        [verb]: () => {
          throw broken;
        },
      }),
    });
    const response = await post(app, path, body);
    expect(response.status).toBe(500);
    expect(response.text).not.toContain('secret');
    expect(lines).toEqual([
      { level: 'error', message: 'request failed', fields: { err: broken, route: path } },
    ]);
  });

  it('on the metrics page is status 500, for a page of old numbers would lie', async () => {
    const { app, metrics } = makeServedApp();
    metrics.onRender(() => {
      throw broken;
    });
    const response = await request(app).get('/metrics');
    expect(response.status).toBe(500);
    expect(JSON.parse(response.text)).toEqual({ error: 'internal error; the log has the details' });
  });
});
