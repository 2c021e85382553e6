/** The auditor on an API server over real HTTP: what it takes for drift, how it mends it, and what it leaves alone. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditReport } from '../../src/kubernetes/audit-report.ts';
import { LedgerAuditor, type LedgerAuditorOptions } from '../../src/kubernetes/ledger-auditor.ts';
import { Sealer } from '../../src/kubernetes/seal.ts';
import type { PodObject } from '../../src/model/cluster-objects.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { parsePod } from '../../src/wire/kubernetes.ts';
import { makeRecordingLog, type RecordingLog } from '../http/served-app.ts';
import { allocationAnnotations, cardsOf, nodeObject, nvidiaVendors } from '../state/support/device-states.ts';
import { ImpatientClock } from '../support/impatient-clock.ts';
import { gpuLimits, makeNodeObject } from '../support/kubernetes-objects.ts';
import { EmbeddedApi } from './support/embedded-api.ts';

const pods = '/api/v1/namespaces/default/pods';
const seal = 'tessera.io/seal';
const allocatedKey = 'hami.io/vgpu-devices-allocated';
const gone = { gracePeriodSeconds: 0 };
const node = { name: 'n1', devices: [{}, { index: 1 }] };
const sealer = new Sealer(Buffer.alloc(32, 7), nvidiaVendors);

let api: EmbeddedApi;
let state: DeviceState;
let log: RecordingLog;
const auditors: LedgerAuditor[] = [];

beforeEach(async () => {
  api = await EmbeddedApi.start();
  await api.send('POST', '/api/v1/nodes', makeNodeObject({ ...node, resourceVersion: '' }));
  log = makeRecordingLog();
  state = new DeviceState({
    vendors: nvidiaVendors,
    trustOf: (pod) => (sealer.isSealed(pod) ? 'as-written' : 'at-least-request'),
  });
  state.applyNode(nodeObject(node));
  state.markSynced();
});

afterEach(async () => {
  for (const auditor of auditors.splice(0)) await auditor.stop();
  await api.close();
});

/** One that waits for nothing. */
function auditorOf(options: Partial<LedgerAuditorOptions> = {}): LedgerAuditor {
  const auditor = new LedgerAuditor({
    client: api.client,
    state,
    sealer,
    isLeader: () => true,
    everyMs: 300_000,
    nodeLabelSelector: '',
    clock: new ImpatientClock(api.time),
    random: () => 0.5,
    log: log.log,
    ...options,
  });
  auditors.push(auditor);
  return auditor;
}

async function podOf(name: string): Promise<PodObject> {
  const pod = parsePod(await api.read(`${pods}/${name}`));
  if (!pod.ok) throw new Error(pod.problem);
  return pod.value;
}

/** Lets the state take a pod as it is now, as the watch does. */
async function hear(name: string): Promise<PodObject> {
  const pod = await podOf(name);
  state.applyPod(pod, 0);
  return pod;
}

async function create(name: string): Promise<PodObject> {
  const limits = gpuLimits({ count: 1, memoryMiB: 3000 });
  const containers = [{ name: 'c0', image: 'i', resources: { limits } }];
  await api.send('POST', pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { schedulerName: 'tessera-scheduler', containers },
  });
  return hear(name);
}

/** Binds a pod with a sealed allocation on the first card; nothing of it is heard. */
async function bind(name: string): Promise<PodObject> {
  const pod = await podOf(name);
  const allocation = {
    ...allocationAnnotations('n1', 'gpu-0,NVIDIA,3000,0:;'),
    'hami.io/bind-phase': 'success',
  };
  await api.send('POST', `${pods}/${name}/binding`, {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: {
      name,
      uid: pod.uid,
      annotations: { ...allocation, [seal]: sealer.seal(pod.uid, 'n1', allocation) },
    },
    target: { kind: 'Node', name: 'n1' },
  });
  return podOf(name);
}

async function bound(name: string): Promise<PodObject> {
  await create(name);
  await bind(name);
  return hear(name);
}

const annotate = (name: string, annotations: Readonly<Record<string, string | null>>) =>
  api.send('PATCH', `${pods}/${name}`, { metadata: { annotations } });

const kindsOf = (report: AuditReport) =>
  report.kind === 'skipped' ? [] : report.drift.map(({ kind, object, left }) => [kind, object, left]);

const driftLines = () => log.lines.filter(({ message }) => message.startsWith('ledger drift'));

describe('the auditor of the ledger', () => {
  it('finds nothing where nothing is wrong, and reads no single pod', async () => {
    await bound('a');
    await create('b');
    const report = await auditorOf().audit();
    expect(report).toMatchObject({ kind: 'complete', drift: [], notLookedInto: 0 });
    expect(api.requests.entries).toEqual(['GET /api/v1/nodes', 'GET /api/v1/pods']);
    expect(driftLines()).toEqual([]);
  });

  interface Case {
    readonly name: string;
    readonly given: () => Promise<void>;
    readonly want: string;
    readonly wantCards: string;
  }

  it.each<Case>([
    {
      name: 'a deletion that was never heard of',
      given: async () => {
        await bound('a');
        await api.send('DELETE', `${pods}/a`, gone);
      },
      want: 'leaked',
      wantCards: '0/0/0',
    },
    {
      name: 'an end that was never heard of',
      given: async () => {
        await bound('a');
        await api.send('PATCH', `${pods}/a/status`, { status: { phase: 'Succeeded' } });
      },
      want: 'leaked',
      wantCards: '0/0/0',
    },
    {
      name: 'a bound pod that was never heard of',
      given: async () => {
        await create('a');
        await bind('a');
      },
      want: 'missing',
      wantCards: '1/3000/0',
    },
    {
      name: 'a pod that memory has on another node',
      given: async () => {
        const pod = await bound('a');
        state.discharge(pod.uid);
        state.applyPod({ ...pod, nodeName: 'n2' }, 0);
      },
      want: 'misplaced',
      wantCards: '1/3000/0',
    },
    {
      name: 'an allocation in memory that is not the sealed one',
      given: async () => {
        const pod = await bound('a');
        const other = allocationAnnotations('n1', 'gpu-1,NVIDIA,3000,0:;');
        const annotations = { ...pod.annotations, ...other, [seal]: sealer.seal(pod.uid, 'n1', other) };
        state.discharge(pod.uid);
        state.applyPod({ ...pod, annotations }, 0);
      },
      want: 'altered',
      wantCards: '1/3000/0',
    },
  ])('mends $name: $want', async ({ given, want, wantCards }) => {
    await given();
    const auditor = auditorOf();
    expect(kindsOf(await auditor.audit())).toEqual([[want, 'default/a', undefined]]);
    expect(cardsOf(state)['gpu-0']).toBe(wantCards);
    expect(driftLines()).toMatchObject([
      { level: 'error', message: 'ledger drift, mended', fields: { kind: want, pod: 'default/a' } },
    ]);
    expect(await auditor.audit()).toMatchObject({ kind: 'complete', drift: [] });
  });

  it('mends sums, and tells both sides', async () => {
    const pod = await bound('a');
    state.node('n1')?.add(state.entry(pod.uid)!.load);
    expect(kindsOf(await auditorOf().audit())).toEqual([['sums', 'n1', undefined]]);
    expect(cardsOf(state)['gpu-0']).toBe('1/3000/0');
    const { memory, api: counted } = driftLines()[0]?.fields as Readonly<Record<string, string>>;
    expect(memory).toContain('"slots":2');
    expect(counted).toContain('"slots":1');
  });

  it.each([
    { name: 'changed', annotations: { [allocatedKey]: 'gpu-1,NVIDIA,1,0:;' } },
    { name: 'removed', annotations: { [allocatedKey]: null } },
    { name: 'taken for another node’s', annotations: { 'hami.io/vgpu-node': 'n2' } },
    { name: 'robbed of its seal', annotations: { [seal]: null } },
  ])('writes an allocation back that was $name', async ({ annotations }) => {
    const before = await bound('a');
    await annotate('a', { ...annotations, 'example.com/own': 'kept' });
    await hear('a');
    const auditor = auditorOf();
    expect(kindsOf(await auditor.audit())).toEqual([['altered', 'default/a', undefined]]);
    const after = await hear('a');
    expect(after.annotations).toEqual({ ...before.annotations, 'example.com/own': 'kept' });
    expect(sealer.isSealed(after)).toBe(true);
    expect(await auditor.audit()).toMatchObject({ kind: 'complete', drift: [] });
  });

  it.each([
    {
      name: 'by a follower',
      options: { isLeader: () => false },
      annotations: {},
      want: 'only the leader writes to pods',
    },
    {
      name: 'while the device plugin is at work',
      options: {},
      annotations: { 'hami.io/bind-phase': 'allocating' },
      want: 'the device plugin is at work on the pod',
    },
  ])('writes nothing back $name', async ({ options, annotations, want }) => {
    await bound('a');
    await annotate('a', { [seal]: null, ...annotations });
    const { resourceVersion } = await hear('a');
    const report = await auditorOf(options).audit();
    expect(kindsOf(report)).toEqual([['altered', 'default/a', want]]);
    expect((await podOf('a')).resourceVersion).toBe(resourceVersion);
    expect(driftLines()).toMatchObject([{ message: 'ledger drift, not mended', fields: { left: want } }]);
  });

  it('writes nothing back onto a version that it has not looked at', async () => {
    await bound('a');
    await annotate('a', { [seal]: null });
    await hear('a');
    const { client } = api;
    const report = await auditorOf({
      client: {
        request: async (request) => {
          if (request.method === 'PATCH') await annotate('a', { 'example.com/own': 'new' });
          return client.request(request);
        },
      },
    }).audit();
    expect(kindsOf(report)).toEqual([['altered', 'default/a', expect.stringContaining('409')]]);
    expect((await podOf('a')).annotations[seal]).toBeUndefined();
  });

  it.each<Omit<Case, 'wantCards' | 'want'> & { readonly catchUp: () => Promise<unknown> }>([
    {
      name: 'behind: a pod that was bound meanwhile',
      given: async () => {
        await create('a');
        await bind('a');
      },
      catchUp: () => hear('a'),
    },
    {
      name: 'behind: a pod that was deleted meanwhile',
      given: async () => {
        await bound('a');
        await api.send('DELETE', `${pods}/a`, gone);
      },
      catchUp: () => {
        for (const { podUid } of [...state.entries()]) state.removePod(podUid, 0);
        return Promise.resolve();
      },
    },
  ])('waits for a watch that is $name', async ({ given, catchUp }) => {
    await given();
    const auditing = auditorOf({ clock: api.clock }).audit();
    await api.waitsMs.atLeast(1);
    api.time.advance(1000);
    // The second look at the pod, which decides nothing, and the next wait.
    await api.waitsMs.atLeast(2);
    expect(api.requests.entries.at(-1)).toBe(`GET ${pods}/a`);
    await catchUp();
    api.time.advance(4000);
    expect(await auditing).toMatchObject({ kind: 'complete', drift: [] });
  });

  it('takes a difference for certain that the watch does not bring for longer than it ever needs', async () => {
    await create('a');
    await bind('a');
    const clock = new ImpatientClock(api.time);
    expect(kindsOf(await auditorOf({ clock }).audit())).toEqual([['missing', 'default/a', undefined]]);
    expect(clock.skippedMs).toEqual([1000, 4000, 15_000, 60_000, 180_000]);
  });

  it('leaves to the next audit what changes at every look', async () => {
    await create('a');
    await bind('a');
    const { client } = api;
    let changes = 0;
    const report = await auditorOf({
      client: {
        request: async (request) => {
          changes += 1;
          if (request.path.endsWith('/a')) await annotate('a', { 'example.com/own': String(changes) });
          return client.request(request);
        },
      },
    }).audit();
    expect(report).toMatchObject({ kind: 'complete', drift: [] });
  });

  it('leaves a bind under way alone', async () => {
    const pod = await create('a');
    const share = { vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 3000, corePercent: 0 };
    const { request } = state.pending(pod.uid)!.reading;
    state.assume({ pod, request, node: 'n1', allocation: [[share]] });
    expect(await auditorOf().audit()).toMatchObject({ kind: 'complete', drift: [] });
    expect(state.entry(pod.uid)?.state).toBe('assumed');
  });

  it('leaves alone what is known of a pod that cannot be read', async () => {
    const pod = await bound('a');
    const { client } = api;
    const report = await auditorOf({
      client: {
        request: async (request) => {
          const result = await client.request(request);
          if (result.kind !== 'ok' || !request.path.includes('/pods')) return result;
          const text = JSON.stringify(result.body).replaceAll('"phase":"Pending"', '"phase":7');
          return { ...result, body: JSON.parse(text) as unknown };
        },
      },
    }).audit();
    expect(report).toMatchObject({ kind: 'complete', drift: [] });
    expect(state.entry(pod.uid)?.state).toBe('bound');
  });

  it('does nothing before the first sync', async () => {
    const fresh = state.blank();
    expect(await auditorOf({ state: fresh }).audit()).toEqual({ kind: 'skipped' });
    expect(api.requests.entries).toEqual([]);
  });

  it('fails, and changes nothing, when a list breaks off', async () => {
    const pod = await bound('a');
    await api.send('DELETE', `${pods}/a`, gone);
    const { client } = api;
    const reports: AuditReport[] = [];
    const auditor = auditorOf({
      client: {
        request: (request) =>
          request.path === '/api/v1/pods'
            ? Promise.resolve({ kind: 'timeout', message: 'no answer', ambiguous: false })
            : client.request(request),
      },
      onReport: (report) => reports.push(report),
    });
    await auditor.audit();
    expect(reports).toMatchObject([{ kind: 'failed', problem: '/api/v1/pods: no answer', drift: [] }]);
    expect(state.entry(pod.uid)?.state).toBe('bound');
  });

  it('is never at it twice at once', async () => {
    const auditor = auditorOf();
    const [first, second] = [auditor.audit(), auditor.audit()];
    expect(await second).toBe(await first);
    expect(api.requests.entries).toHaveLength(2);
  });

  it('audits on its timer, each time after a pause, until it is stopped', async () => {
    const auditor = auditorOf({ clock: api.clock });
    auditor.start();
    auditor.start();
    expect(api.waitsMs.entries).toEqual([300_000]);
    api.time.advance(300_000);
    await api.waitsMs.atLeast(2);
    api.time.advance(300_000);
    await api.waitsMs.atLeast(3);
    expect(api.requests.entries).toHaveLength(4);
    await auditor.stop();
    expect(api.time.pending).toBe(0);
    expect(await auditor.audit()).toEqual({ kind: 'skipped' });
  });

  it('has no timer where none is wanted', () => {
    auditorOf({ clock: api.clock, everyMs: 0 }).start();
    expect(api.time.pending).toBe(0);
  });

  it('lets others run between a few objects each', async () => {
    for (let index = 0; index < 120; index += 1) await create(`p${index}`);
    let turns = 0;
    let going = true;
    const count = () => {
      turns += 1;
      if (going) setImmediate(count);
    };
    const { client } = api;
    const auditing = auditorOf({
      client: {
        request: async (request) => {
          const result = await client.request(request);
          // From the answer on, nothing but the auditor's own pauses lets others in.
          if (request.path === '/api/v1/pods') setImmediate(count);
          return result;
        },
      },
    }).audit();
    await auditing;
    going = false;
    expect(turns).toBeGreaterThanOrEqual(2);
  });
});
