/**
 * Quirks of the reference about which devices a node offers (spec §13.1): Q2, Q3, Q21, Q26, Q32. Each test fails on
 * what the reference does, which a comment in it states. Q4 is among the tests of the device state.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { startFeeds } from '../../src/kubernetes/feeds.ts';
import { parseNode } from '../../src/wire/kubernetes.ts';
import { post } from '../http/exchange.ts';
import { allNames, sampleNodes, smallPod } from '../http/sample-cluster.ts';
import { makeServedApp } from '../http/served-app.ts';
import { EmbeddedApi } from '../kubernetes/support/embedded-api.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { byName, makeWorld, verdictOf } from '../scheduler/support/scheduler-world.ts';
import { makeState, nodeObject } from '../state/support/device-states.ts';
import { makeNodeObject, registerValue } from '../support/kubernetes-objects.ts';
import { makeDevice } from '../support/views.ts';

const register = 'hami.io/node-nvidia-register';
const handshake = 'hami.io/node-handshake';

describe('a node whose device plugin has died', () => {
  it('Q2: offers nothing for as long as kubelet offers none of its cards, whatever the handshake says', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    const pod = world.pod();
    const handshakes = [
      {},
      { [handshake]: 'Requesting_2026-01-01 00:00:00' },
      {},
      { [handshake]: 'Deleted_2026-01-01 00:01:00' },
      { [handshake]: 'Reported 2026-01-01 00:01:15 +0000 UTC m=+1.0' },
    ];
    const verdicts = handshakes.map((annotations) => {
      world.node({ devices: [{}], annotations, allocatable: { 'nvidia.com/gpu': '0' } });
      world.clock.advance(15_000);
      return verdictOf(world.scheduler.filter(byName(pod, 'n1')));
    });
    // The reference removes the handshake, takes its absence for life and offers the cards for the next 60 seconds.
    expect(verdicts).toEqual(handshakes.map(() => ({ feasible: [], refused: { n1: 'node unregistered' } })));
  });
});

describe('nodes without cards', () => {
  let api: EmbeddedApi;
  beforeEach(async () => {
    api = await EmbeddedApi.start();
  });
  afterEach(() => api.close());

  it('Q3: cost no request and are not written to', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `cpu-${index}`);
    for (const name of names) await api.send('POST', '/api/v1/nodes', { metadata: { name } });
    const before = await api.read('/api/v1/nodes');
    const state = makeState();
    const { client, clock } = api;
    const log = makeLogger({ level: 'silent' });
    const feeds = startFeeds({ client, state, clock, random: () => 0, log });
    await feeds.synced;
    expect([...state.nodeNames()]).toHaveLength(names.length);
    // The reference gets and patches each of them, and again 60 seconds later.
    api.time.advance(120_000);
    expect(await api.read('/api/v1/nodes')).toMatchObject({ items: (before as { items: unknown }).items });
    await feeds.stop();
    expect([...api.requests.entries].sort()).toEqual([
      'GET /api/v1/nodes',
      'GET /api/v1/pods',
      'GET /api/v1/resourcequotas',
    ]);
  });
});

describe('a server that does not know the cluster yet', () => {
  it('Q21: answers filter with an error at once and says that it is not ready', async () => {
    const { app } = makeServedApp({
      nodes: sampleNodes,
      synced: false,
      notReadyBecause: () => 'the device state is not complete yet',
    });
    // The reference lets filter hang until its caller gives up, and is always ready.
    const response = await post(app, '/filter', { Pod: smallPod, NodeNames: allNames });
    expect({ status: response.status, body: response.body as unknown }).toMatchObject({
      status: 200,
      body: { Error: 'the device state is not complete yet', NodeNames: null },
    });
    expect((await request(app).get('/readyz')).status).toBe(503);
  });
});

describe('annotations that cannot be read', () => {
  it.each([
    { name: 'a null among the cards', value: '[null]' },
    {
      name: 'a null behind a good card',
      value: registerValue([makeDevice({ memoryMiB: 999_999 })]).replace(/\]$/, ',null]'),
    },
  ])('Q26: $name is refused, and the last good cards stay', ({ value }) => {
    const state = makeState({ nodes: [{ devices: [{}] }] });
    const before = state.view('n1')?.devices;
    // The reference dereferences the null and ends.
    const problems = state.applyNode(nodeObject({ devices: [{}], annotations: { [register]: value } }));
    expect(problems).toMatchObject([{ vendor: 'NVIDIA' }]);
    expect(state.view('n1')?.devices).toEqual(before);
  });

  it('Q26: of scores do not discard the cards', () => {
    const state = makeState();
    const annotations = { 'hami.io/node-nvidia-score': '[{"uuid":"gpu-0","score":"high"}]' };
    const problems = state.applyNode(nodeObject({ devices: [{}, {}], annotations }));
    expect(problems).toMatchObject([{ vendor: 'NVIDIA' }]);
    // The reference fails the whole node and registers none of its cards.
    expect(state.view('n1')?.devices).toHaveLength(2);
  });
});

describe('a register in another order', () => {
  it('Q32: changes nothing', () => {
    const cards = [makeDevice({ index: 0 }), makeDevice({ index: 1 }), makeDevice({ index: 2 })];
    const nodeOf = (value: string) => {
      const node = parseNode(
        makeNodeObject({ annotations: { [register]: value }, allocatable: { 'nvidia.com/gpu': '30' } }),
      );
      if (!node.ok) throw new Error(node.problem);
      return node.value;
    };
    const state = makeState();
    state.applyNode(nodeOf(registerValue(cards)));
    const before = state.view('n1');
    state.applyNode(nodeOf(registerValue([...cards].reverse())));
    // The reference compares the text and replaces the node's cards, every 30 seconds.
    expect(state.view('n1')).toBe(before);
  });
});
