import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadWorkload, WorkloadKeeper } from '../../src/kubernetes/workload-keeper.ts';
import { makeRecordingLog } from '../http/served-app.ts';
import { EmbeddedApi } from './support/embedded-api.ts';

const namespace = 'tessera-system';
const collection = `/api/v1/namespaces/${namespace}/configmaps`;
const path = `${collection}/tessera-workload`;
const keepMs = 180_000;

let api: EmbeddedApi;
beforeEach(async () => {
  api = await EmbeddedApi.start();
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
});
afterEach(() => api.close());

function setUp({ leads = true, kept }: { readonly leads?: boolean; readonly kept?: string } = {}) {
  const { log, lines } = makeRecordingLog();
  const world = { leads, text: 'learnt' };
  const keeper = new WorkloadKeeper(
    {
      client: api.client,
      namespace,
      clock: api.clock,
      isLeader: () => world.leads,
      workload: () => world.text,
      log,
    },
    kept,
  );
  return { keeper, world, lines };
}

async function storedText(): Promise<unknown> {
  const { data } = (await api.read(path)) as { readonly data: Readonly<Record<string, unknown>> };
  return data['mix.json'];
}

function store(data: object): Promise<unknown> {
  return api.send('POST', collection, { metadata: { name: 'tessera-workload' }, data });
}

/** Lets time pass, and what that sets off reach its end after so many requests. */
async function passTime(requests: number): Promise<void> {
  const before = api.requests.entries.length;
  api.time.advance(keepMs);
  await api.requests.atLeast(before + requests);
  await setImmediate();
}

describe('what was kept', () => {
  it.each([
    { name: 'nothing', data: undefined, want: { kind: 'missing' } },
    { name: 'a ConfigMap without the field', data: { other: 'x' }, want: { kind: 'missing' } },
    { name: 'a text', data: { 'mix.json': '{}' }, want: { kind: 'found', text: '{}' } },
  ])('is read: $name', async ({ data, want }) => {
    if (data !== undefined) await store(data);
    expect(await loadWorkload({ client: api.client, namespace })).toEqual(want);
  });

  it('is told to be out of reach when nobody answers', async () => {
    const client = {
      request: () => Promise.resolve({ kind: 'timeout', message: 'no answer', ambiguous: false } as const),
    };
    expect(await loadWorkload({ client, namespace })).toEqual({ kind: 'failed', message: 'no answer' });
  });
});

describe('the leader', () => {
  it('makes the ConfigMap after a while, and changes it when there is something new', async () => {
    const { keeper, world } = setUp();
    keeper.start();
    expect(api.requests.entries).toEqual([]);
    await passTime(2);
    expect(await storedText()).toBe('learnt');
    world.text = 'learnt more';
    await passTime(2);
    expect(await storedText()).toBe('learnt more');
    expect(api.requests.entries).toEqual([`GET ${path}`, `POST ${collection}`, `GET ${path}`, `PUT ${path}`]);
    await keeper.stop();
  });

  it('asks nobody while nothing is new', async () => {
    const { keeper } = setUp({ kept: 'learnt' });
    keeper.start();
    api.time.advance(10 * keepMs);
    await keeper.stop();
    expect(api.requests.entries).toEqual([]);
  });

  it('writes once more when it stops, though it leads no longer while it does', async () => {
    const { keeper, world } = setUp();
    const stopped = keeper.stop();
    world.leads = false;
    await stopped;
    expect(await storedText()).toBe('learnt');
    api.time.advance(keepMs);
    expect(api.time.pending).toBe(0);
  });

  it('leaves what others wrote beside it', async () => {
    await store({ 'mix.json': 'old', note: 'keep me' });
    const { keeper } = setUp();
    await keeper.stop();
    expect(await api.read(path)).toMatchObject({ data: { 'mix.json': 'learnt', note: 'keep me' } });
  });

  it('gives way to somebody who writes at the same moment, and writes next time', async () => {
    await store({ 'mix.json': 'old' });
    const { log, lines } = makeRecordingLog();
    let meddles = true;
    const keeper = new WorkloadKeeper({
      client: {
        request: async (request) => {
          if (request.method === 'PUT' && meddles) {
            meddles = false;
            await api.send('PATCH', path, { data: { 'mix.json': 'theirs' } });
          }
          return api.client.request(request);
        },
      },
      namespace,
      clock: api.clock,
      isLeader: () => true,
      workload: () => 'learnt',
      log,
    });
    keeper.start();
    await passTime(2);
    expect(await storedText()).toBe('theirs');
    expect(lines).toMatchObject([{ level: 'warn', fields: { reason: expect.stringContaining('Conflict') } }]);
    await passTime(2);
    expect(await storedText()).toBe('learnt');
    await keeper.stop();
  });
});

describe('a server that does not lead', () => {
  it('writes nothing, until it leads', async () => {
    const { keeper, world } = setUp({ leads: false });
    keeper.start();
    api.time.advance(3 * keepMs);
    await setImmediate();
    expect(api.requests.entries).toEqual([]);
    world.leads = true;
    await passTime(2);
    expect(await storedText()).toBe('learnt');
    world.leads = false;
    world.text = 'learnt more';
    await keeper.stop();
    expect(await storedText()).toBe('learnt');
  });
});

describe('what cannot be written', () => {
  it('is told once, and tried again', async () => {
    const { log, lines } = makeRecordingLog();
    let asked = 0;
    const keeper = new WorkloadKeeper({
      client: {
        request: () => {
          asked += 1;
          return Promise.resolve({
            kind: 'status',
            status: 403,
            reason: 'Forbidden',
            message: 'no',
          } as const);
        },
      },
      namespace,
      clock: api.clock,
      isLeader: () => true,
      workload: () => 'learnt',
      log,
    });
    keeper.start();
    for (let times = 0; times < 3; times += 1) {
      api.time.advance(keepMs);
      await setImmediate();
    }
    await keeper.stop();
    expect(asked).toBe(4);
    expect(lines).toEqual([
      { level: 'warn', message: 'learnt workload not kept', fields: { reason: 'HTTP 403 Forbidden: no' } },
    ]);
  });
});
