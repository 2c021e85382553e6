/** What kube-scheduler gets from the extender verbs, good or bad (spec §5.1). */
import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { expectGolden } from '../support/golden.ts';
import { type Answer, ask, post } from './exchange.ts';
import {
  allNames,
  bindingOf,
  brokenPod,
  largePod,
  plainPod,
  sampleNodes,
  samplePods,
  smallPod,
} from './sample-cluster.ts';
import { makeServedApp, metricValue, type ServedAppFields } from './served-app.ts';

const makeApp = (fields: ServedAppFields = {}) =>
  makeServedApp({ nodes: sampleNodes, pods: samplePods, ...fields });

const noNodes = { Nodes: null, NodeNames: null, FailedNodes: null, FailedAndUnresolvableNodes: null };
const verbs = ['/filter', '/prioritize', '/bind'];

describe('the extender on the wire', () => {
  it('answers filter as pinned', async () => {
    const { app } = makeApp();
    const counters = makeApp({ hamiReasonCounters: true }).app;
    const unsynced = makeApp({ synced: false }).app;
    const answers: Answer[] = [
      await ask(app, 'names: all feasible nodes come back', '/filter', {
        Pod: smallPod,
        Nodes: null,
        NodeNames: allNames,
      }),
      await ask(app, 'refused nodes are unresolvable, with reason words', '/filter', {
        Pod: largePod,
        Nodes: null,
        NodeNames: ['t4', 'cpu', 'gone'],
      }),
      await ask(counters, 'with counters of cards', '/filter', {
        Pod: largePod,
        Nodes: null,
        NodeNames: ['t4', 'cpu'],
      }),
      await ask(app, 'objects come back as objects, unread fields included', '/filter', {
        Pod: largePod,
        Nodes: {
          metadata: {},
          items: [
            { metadata: { name: 't4' }, spec: { podCIDR: '10.0.0.0/24' } },
            { metadata: { name: 'a100' }, spec: { podCIDR: '10.0.1.0/24' } },
          ],
        },
        NodeNames: null,
      }),
      await ask(app, 'a pod without cards passes everywhere', '/filter', {
        Pod: plainPod,
        Nodes: null,
        NodeNames: ['cpu', 'gone'],
      }),
      await ask(app, 'a request that cannot be understood fits nowhere', '/filter', {
        Pod: brokenPod,
        Nodes: null,
        NodeNames: ['a100'],
      }),
      await ask(app, 'no pod', '/filter', { Pod: null, Nodes: null, NodeNames: ['a100'] }),
      await ask(app, 'no nodes', '/filter', { Pod: smallPod, Nodes: null, NodeNames: null }),
      await ask(unsynced, 'the state is not complete yet', '/filter', {
        Pod: smallPod,
        Nodes: null,
        NodeNames: allNames,
      }),
    ];
    expectGolden('http-filter', answers);
  });

  it.each(['knoten-ä', 'ノード', 'node-€', 'n"1', 'n\\1'])(
    'carries the name %p there and back',
    async (name) => {
      const { app } = makeApp();
      const body = { Pod: largePod, Nodes: null, NodeNames: ['a100', name] };
      const filtered = await post(app, '/filter', body);
      expect(filtered.headers['content-type']).toMatch(/^application\/json/);
      expect(filtered.body).toMatchObject({
        NodeNames: ['a100'],
        FailedAndUnresolvableNodes: { [name]: 'node unregistered' },
      });
      const ranked = await post(app, '/prioritize', body);
      expect(ranked.body).toEqual([
        { Host: 'a100', Score: 10 },
        { Host: name, Score: 0 },
      ]);
    },
  );

  it('answers prioritize as pinned', async () => {
    const { app } = makeApp();
    const unsynced = makeApp({ synced: false }).app;
    const answers: Answer[] = [
      await ask(app, 'one node at 10, the others by value', '/prioritize', {
        Pod: smallPod,
        Nodes: null,
        NodeNames: ['t4', 'a100'],
      }),
      await ask(app, 'objects', '/prioritize', {
        Pod: largePod,
        Nodes: { items: [{ metadata: { name: 'a100' } }, { metadata: { name: 't4' } }] },
        NodeNames: null,
      }),
      await ask(app, 'a pod without cards has no preference', '/prioritize', {
        Pod: plainPod,
        Nodes: null,
        NodeNames: ['a100', 'cpu'],
      }),
      await ask(app, 'no pod: nothing to rank', '/prioritize', { NodeNames: ['a100'] }),
      await ask(unsynced, 'the state is not complete yet', '/prioritize', {
        Pod: smallPod,
        Nodes: null,
        NodeNames: ['a100', 't4'],
      }),
    ];
    expectGolden('http-prioritize', answers);
  });

  it('answers bind as pinned', async () => {
    const { app } = makeApp();
    const unsynced = makeApp({ synced: false }).app;
    const answers: Answer[] = [
      await ask(app, 'bound', '/bind', bindingOf(smallPod, 'a100')),
      await ask(app, 'bound once more, to the same node', '/bind', bindingOf(smallPod, 'a100')),
      await ask(app, 'bound already, to another node', '/bind', bindingOf(smallPod, 't4')),
      await ask(app, 'does not fit', '/bind', bindingOf(largePod, 't4')),
      await ask(app, 'a node that nobody knows', '/bind', bindingOf(largePod, 'gone')),
      await ask(app, 'a pod that nobody knows', '/bind', {
        ...bindingOf(largePod, 'a100'),
        PodUID: 'another-uid',
      }),
      await ask(app, 'cannot be understood', '/bind', bindingOf(brokenPod, 'a100')),
      await ask(app, 'no node', '/bind', { ...bindingOf(largePod, ''), Node: '' }),
      await ask(unsynced, 'the state is not complete yet', '/bind', bindingOf(largePod, 'a100')),
    ];
    expectGolden('http-bind', answers);
  });
});

describe('keys in any case', () => {
  const lower = (body: object) =>
    Object.fromEntries(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value as unknown]));
  const upper = (body: object) =>
    Object.fromEntries(Object.entries(body).map(([key, value]) => [key.toUpperCase(), value as unknown]));

  it.each([
    { name: 'lower', convert: lower },
    { name: 'upper', convert: upper },
  ])('are read in $name case by every verb', async ({ convert }) => {
    const { app } = makeApp();
    const filtered = await post(app, '/filter', convert({ Pod: largePod, NodeNames: allNames }));
    expect(filtered.body).toMatchObject({ NodeNames: ['a100'], Error: '' });
    const ranked = await post(app, '/prioritize', convert({ Pod: largePod, NodeNames: ['a100'] }));
    expect(ranked.body).toEqual([{ Host: 'a100', Score: 10 }]);
    const bound = await post(app, '/bind', convert(bindingOf(largePod, 'a100')));
    expect(bound.body).toEqual({ Error: '' });
  });
});

describe('bodies that are none', () => {
  it.each(verbs)('%s without a body is status 400, as in HAMi', async (path) => {
    const { app } = makeApp();
    const response = await request(app).post(path);
    expect({ status: response.status, text: response.text }).toEqual({
      status: 400,
      text: 'Please send a request body',
    });
  });

  it.each(['/filter', '/bind'])('%s answers broken JSON with 200 and Error', async (path) => {
    const { app, metrics } = makeApp();
    const response = await post(app, path, '{"Pod": {');
    expect(response.status).toBe(200);
    expect((response.body as { Error: string }).Error).toMatch(/^the request body cannot be read: ./);
    expect(await metricValue(metrics, 'tessera_malformed_total{kind="body"}')).toBe(1);
  });

  it('prioritize, which has no Error on the wire, answers broken JSON with an empty list and counts it', async () => {
    const { app, metrics } = makeApp();
    const response = await post(app, '/prioritize', '{"Pod": {');
    expect({ status: response.status, body: response.body as unknown }).toEqual({ status: 200, body: [] });
    expect(await metricValue(metrics, 'tessera_prioritize_failed_total')).toBe(1);
  });

  it('bind answers broken JSON in the form of bind', async () => {
    const { app } = makeApp();
    const response = await post(app, '/bind', '{"Pod": {');
    expect(Object.keys(response.body as object)).toEqual(['Error']);
  });

  const exactly = (bytes: number) => {
    const body = JSON.stringify({ Pod: largePod, NodeNames: allNames });
    return body + ' '.repeat(bytes - body.length);
  };

  it('as large as the limit are read', async () => {
    const { app } = makeApp({ bodyLimitMiB: 1 });
    const response = await post(app, '/filter', exactly(1024 * 1024));
    expect(response.body).toMatchObject({ NodeNames: ['a100'], Error: '' });
  });

  it.each(verbs)(
    'one byte larger than the limit are refused by %s with 413, counted and logged',
    async (path) => {
      const { app, metrics, lines } = makeApp({ bodyLimitMiB: 1 });
      const response = await post(app, path, exactly(1024 * 1024 + 1));
      expect(response.status).toBe(413);
      expect(response.text).toContain('larger than 1 MiB (configuration key bodyLimitMiB)');
      expect(await metricValue(metrics, 'tessera_http_oversized_total')).toBe(1);
      expect(lines).toEqual([
        expect.objectContaining({
          level: 'warn',
          fields: expect.objectContaining({ route: path }) as unknown,
        }),
      ]);
    },
  );

  it('that are neither named nor JSON objects are refused in words', async () => {
    const { app } = makeApp();
    for (const text of [
      'null',
      '7',
      '"text"',
      '[]',
      '{}',
      '{"Pod":7}',
      '{"Pod":{"spec":{"containers":{}}}}',
    ]) {
      const response = await post(app, '/filter', text);
      expect({ text, status: response.status, body: response.body as unknown }).toEqual({
        text,
        status: 200,
        body: { ...noNodes, Error: expect.stringMatching(/./) as unknown },
      });
    }
  });
});

describe('what the extender counts', () => {
  it('refusals by reason code, binds by result', async () => {
    const { app, metrics } = makeApp();
    await post(app, '/filter', { Pod: largePod, NodeNames: allNames });
    await post(app, '/bind', bindingOf(largePod, 'a100'));
    await post(app, '/bind', bindingOf(smallPod, 'cpu'));
    expect({
      memory: await metricValue(metrics, 'tessera_refusals_total{reason="CardInsufficientMemory"}'),
      health: await metricValue(metrics, 'tessera_refusals_total{reason="CardNotHealth"}'),
      unregistered: await metricValue(metrics, 'tessera_refusals_total{reason="NodeUnregistered"}'),
      bound: await metricValue(metrics, 'tessera_binds_total{result="bound"}'),
      refused: await metricValue(metrics, 'tessera_binds_total{result="refused"}'),
      failed: await metricValue(metrics, 'tessera_binds_total{result="failed"}'),
      filters: await metricValue(metrics, 'tessera_filter_duration_seconds_count'),
      bindTimes: await metricValue(metrics, 'tessera_bind_duration_seconds_count'),
    }).toEqual({
      memory: 1,
      health: 1,
      unregistered: 1,
      bound: 1,
      refused: 1,
      failed: 0,
      filters: 1,
      bindTimes: 2,
    });
  });

  it('a write that fails as failed, with its message as Error', async () => {
    const { app, metrics, state } = makeApp({
      writer: { bind: () => Promise.resolve({ kind: 'rejected', message: 'conflict on pods/binding' }) },
    });
    const response = await post(app, '/bind', bindingOf(largePod, 'a100'));
    expect(response.body).toEqual({ Error: 'conflict on pods/binding' });
    expect(await metricValue(metrics, 'tessera_binds_total{result="failed"}')).toBe(1);
    expect(state.entry('uid-large')).toBeUndefined();
  });
});
