import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openAccess } from '../../src/kubernetes/api-access.ts';
import { type Feeds, startFeeds } from '../../src/kubernetes/feeds.ts';
import { RestClient } from '../../src/kubernetes/rest-client.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { makeNvidia } from '../../src/vendors/nvidia/nvidia.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import { parsePod } from '../../src/wire/kubernetes.ts';
import { ApiServer, type WatchStream } from '../support/api-server.ts';
import { ImpatientClock } from '../support/impatient-clock.ts';
import { Journal } from '../support/journal.ts';
import {
  gpuLimits,
  makeNodeObject,
  makePod,
  type NodeFields,
  type PodFields,
} from '../support/kubernetes-objects.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { makeNvidiaConfig } from '../vendors/nvidia-config.ts';

const nodesPath = '/api/v1/nodes';
const podsPath = '/api/v1/pods';
const quotasPath = '/api/v1/resourcequotas';
const registerKey = 'hami.io/node-nvidia-register';

let server: ApiServer;
let client: RestClient;
let clock: ManualClock;
let state: DeviceState;
let feeds: Feeds;
/** What was told through the callbacks, in order; signals apart. */
let told: Journal<string>;
let signals: Journal<string>;
/** The nodes whose offers changed. */
let offers: Journal<string>;

beforeEach(async () => {
  server = await ApiServer.start();
  clock = new ManualClock();
  client = new RestClient({ access: openAccess(server.url), clock, version: '0' });
  state = new DeviceState({ vendors: [makeNvidia(makeNvidiaConfig())], trustOf: () => 'as-written' });
  told = new Journal();
  signals = new Journal();
  offers = new Journal();
  feeds = startFeeds({
    client,
    state,
    clock: new ImpatientClock(clock),
    random: () => 0,
    log: makeLogger({ level: 'silent' }),
    onNode: ({ name, resourceVersion }) => {
      told.add(`node ${name}@${resourceVersion}`);
    },
    onNodeGone: (name) => {
      told.add(`node ${name} gone`);
    },
    onOfferChanged: (name) => {
      offers.add(name);
    },
    onPod: ({ name, resourceVersion }) => {
      told.add(`pod ${name}@${resourceVersion}`);
    },
    onPodGone: (uid) => {
      told.add(`pod ${uid} gone`);
    },
    onRegisterProblem: ({ name }, { vendor }) => {
      told.add(`node ${name}: bad ${vendor} register`);
    },
    onAllocationProblem: ({ name }, { annotation }) => {
      told.add(`pod ${name}: bad ${annotation}`);
    },
    onQuotaProblem: ({ name }, { resource }) => {
      told.add(`quota ${name}: bad ${resource}`);
    },
    onMalformed: (kind, problem, { name }) => {
      told.add(`${kind} ${name}: ${problem}`);
    },
    onSignal: (kind, signal) => {
      signals.add(`${kind} ${signal}`);
    },
  });
});

afterEach(async () => {
  await feeds.stop();
  client.close();
  await server.close();
});

const card = { slots: 10, memoryMiB: 8192 };

function gpuNode(fields: NodeFields = {}) {
  return makeNodeObject({ devices: [card], ...fields });
}

function gpuPod(fields: PodFields = {}) {
  const limits = gpuLimits({ count: 1, memoryMiB: 3000 });
  return makePod({
    containers: [{ limits, ...(fields.nodeName === undefined ? {} : { state: 'running' }) }],
    ...fields,
  });
}

/** A pod that is bound to `n1` and holds 3000 MiB of its card. */
function boundPod(fields: PodFields = {}) {
  return gpuPod({
    nodeName: 'n1',
    phase: 'Running',
    annotations: {
      'hami.io/vgpu-node': 'n1',
      'hami.io/vgpu-devices-allocated': 'gpu-0,NVIDIA,3000,30:;',
    },
    ...fields,
  });
}

interface Streams {
  readonly nodes: WatchStream;
  readonly pods: WatchStream;
  readonly quotas: WatchStream;
}

/** Answers both lists and agrees to both watches. */
async function sync(nodes: readonly object[], pods: readonly object[]): Promise<Streams> {
  (await server.next(nodesPath)).page(nodes, { resourceVersion: '10' });
  const nodeStream = (await server.next(nodesPath)).watch();
  (await server.next(podsPath)).page(pods, { resourceVersion: '10' });
  const podStream = (await server.next(podsPath)).watch();
  (await server.next(quotasPath)).page([], { resourceVersion: '10' });
  const quotaStream = (await server.next(quotasPath)).watch();
  await feeds.synced;
  return { nodes: nodeStream, pods: podStream, quotas: quotaStream };
}

/** Commits a pod and confirms it as a bind does, before the watch has told of it. */
function bindUnseen(name: string): void {
  const pod = parsePod(gpuPod({ name }));
  if (!pod.ok) throw new Error(pod.problem);
  const { request } = readPodRequest(pod.value, state.vendors);
  const share = { vendor: 'NVIDIA', deviceId: 'gpu-0', memoryMiB: 1000, corePercent: 0 };
  state.assume({ pod: pod.value, request, node: 'n1', allocation: [[share]] });
  state.confirm(pod.value.uid);
}

function usedMiB(): number | undefined {
  return state.view('n1')?.devices[0]?.used.memoryMiB;
}

describe('startFeeds', () => {
  it('lists the nodes before it asks for any pod, and calls the state synced after all lists', async () => {
    const nodes = await server.next();
    expect(nodes.path).toBe(nodesPath);
    nodes.page([gpuNode()], { resourceVersion: '10', continueToken: 'more' });
    const rest = await server.next();
    expect(rest.path).toBe(nodesPath);
    rest.page([gpuNode({ name: 'n2' })], { resourceVersion: '10' });

    const pods = await server.next(podsPath);
    expect(state.synced).toBe(false);
    expect(told.entries).toEqual(['node n1@1', 'node n2@1']);
    pods.page([boundPod(), gpuPod({ name: 'waiting' })], { resourceVersion: '10' });
    const quotas = await server.next(quotasPath);
    expect(state.synced).toBe(false);
    quotas.page([], { resourceVersion: '10' });
    expect(await feeds.synced).toBe('synced');

    expect(state.synced).toBe(true);
    expect(usedMiB()).toBe(3000);
    expect(state.pending('uid-waiting')?.pod.name).toBe('waiting');
    expect(told.entries.slice(2)).toEqual(['pod pod-1@1', 'pod waiting@1']);
    expect([...signals.entries].sort()).toEqual(['nodes listed', 'pods listed', 'resourcequotas listed']);
  });

  it('follows only nodes with the labels it is given', async () => {
    // The list of the feeds that are given none.
    await server.next(nodesPath);
    await feeds.stop();
    feeds = startFeeds({
      client,
      state,
      clock: new ImpatientClock(clock),
      random: () => 0,
      log: makeLogger({ level: 'silent' }),
      nodeLabelSelector: 'gpu=on,zone=a',
    });
    const list = await server.next(nodesPath);
    expect(list.query.get('labelSelector')).toBe('gpu=on,zone=a');
    list.page([gpuNode()], { resourceVersion: '10' });
    expect((await server.next(nodesPath)).query.get('labelSelector')).toBe('gpu=on,zone=a');
    expect((await server.next(podsPath)).query.has('labelSelector')).toBe(false);
  });

  it('follows the quotas of all namespaces', async () => {
    const streams = await sync([], []);
    const quota = (version: string, memory: string) => ({
      metadata: { name: 'gpus', namespace: 'team', uid: 'q1', resourceVersion: version },
      spec: { hard: { 'limits.nvidia.com/gpumem': memory } },
    });
    const limits = () => [...state.quotas()].map(({ namespace, hard }) => ({ namespace, ...hard }));
    streams.quotas.send('ADDED', quota('11', '20k'));
    streams.quotas.send('MODIFIED', quota('12', '30k'));
    // What cannot be read is told, in its turn among the events.
    const broken = (name: string) => ({ metadata: { name, resourceVersion: '13', labels: 7 } });
    streams.quotas.send('ADDED', broken('first'));
    await told.atLeast(1);
    expect(limits()).toEqual([{ namespace: 'team', 'limits.nvidia.com/gpumem': '30k' }]);
    streams.quotas.send('DELETED', quota('14', '30k'));
    streams.quotas.send('ADDED', broken('second'));
    await told.atLeast(2);
    expect(limits()).toEqual([]);
  });

  it('tells of a quota whose limit is no amount', async () => {
    const { quotas } = await sync([], []);
    quotas.send('ADDED', {
      metadata: { name: 'gpus', namespace: 'team', uid: 'q1', resourceVersion: '11' },
      spec: { hard: { 'limits.nvidia.com/gpumem': 'many' } },
    });
    await told.atLeast(1);
    expect(told.entries).toEqual(['quota gpus: bad limits.nvidia.com/gpumem']);
  });

  it('follows a pod from its binding to its end', async () => {
    const { pods } = await sync([gpuNode()], [gpuPod()]);
    pods.send('MODIFIED', boundPod({ resourceVersion: '11' }));
    await told.atLeast(3);
    expect(usedMiB()).toBe(3000);
    expect(state.pending('uid-pod-1')).toBeUndefined();

    const exited = [{ limits: gpuLimits({ count: 1, memoryMiB: 3000 }), state: { exitCode: 0 } }];
    pods.send('MODIFIED', boundPod({ resourceVersion: '12', phase: 'Succeeded', containers: exited }));
    pods.send('DELETED', boundPod({ resourceVersion: '13', phase: 'Succeeded', containers: exited }));
    expect(await told.atLeast(5)).toEqual([
      'node n1@1',
      'pod pod-1@1',
      'pod pod-1@11',
      'pod pod-1@12',
      'pod uid-pod-1 gone',
    ]);
    expect(usedMiB()).toBe(0);
  });

  it('keeps charging a pod that vanished while its containers ran, as of the time it was missed', async () => {
    const { pods } = await sync([gpuNode()], [boundPod(), boundPod({ name: 'stays' })]);
    clock.advance(20_000);
    pods.error(410);
    (await server.next(podsPath)).page([boundPod({ name: 'stays' })], { resourceVersion: '20' });
    expect((await told.atLeast(4)).at(-1)).toBe('pod uid-pod-1 gone');
    expect(usedMiB()).toBe(6000);
    expect(state.entry('uid-pod-1')).toMatchObject({
      state: 'draining',
      drainUntilMs: clock.nowMs() + 45_000,
    });
    expect(state.entry('uid-stays')).toMatchObject({ state: 'bound' });
    expect(signals.entries).toContain('pods expired');
  });

  it('drains a pod that came and went while the watch was dead, and no other that it has not seen', async () => {
    const { pods } = await sync([gpuNode()], []);
    bindUnseen('short-lived');
    bindUnseen('still-there');
    pods.error(410);
    const list = await server.next(podsPath);
    // Bound after the list was asked for, so that its absence says nothing.
    bindUnseen('too-late');
    list.page([boundPod({ name: 'still-there' })], { resourceVersion: '20' });
    await server.next(podsPath);

    const entries = [...state.entries()].map((entry) => `${entry.name} ${entry.state}`);
    expect(entries.sort()).toEqual(['short-lived draining', 'still-there bound', 'too-late bound']);
    expect(told.entries).toContain('pod uid-short-lived gone');
  });

  it('forgets a node that is gone and knows it again when it is back', async () => {
    const { nodes } = await sync([gpuNode()], [boundPod()]);
    nodes.send('DELETED', gpuNode({ resourceVersion: '11' }));
    expect((await told.atLeast(3)).at(-1)).toBe('node n1 gone');
    expect(state.view('n1')).toBeUndefined();
    nodes.send('ADDED', gpuNode({ resourceVersion: '12' }));
    await told.atLeast(4);
    expect(usedMiB()).toBe(3000);
  });

  it('tells when what a node offers has changed, and not of any other change', async () => {
    const { nodes } = await sync([gpuNode()], []);
    const cordoned = { 'hami.io/device-cordon': 'gpu-0' };
    const changes: readonly NodeFields[] = [
      { annotations: { 'example.com/note': 'x' } },
      { annotations: cordoned },
      { annotations: { ...cordoned, 'example.com/note': 'y' } },
      {},
    ];
    for (const [index, fields] of changes.entries()) {
      nodes.send('MODIFIED', gpuNode({ ...fields, resourceVersion: String(11 + index) }));
    }
    nodes.send('ADDED', gpuNode({ name: 'n2', resourceVersion: '15' }));
    // As first listed, the cordon and its end, and the new node.
    await told.atLeast(6);
    expect(offers.entries).toEqual(['n1', 'n1', 'n1', 'n2']);
  });

  it('reports a register annotation that cannot be read and keeps the last good one', async () => {
    const { nodes } = await sync([gpuNode()], []);
    const annotations = { [registerKey]: '[{"id":' };
    nodes.send('MODIFIED', gpuNode({ resourceVersion: '11', annotations }));
    nodes.send('MODIFIED', gpuNode({ resourceVersion: '12', annotations }));
    expect(await told.atLeast(4)).toEqual([
      'node n1@1',
      'node n1: bad NVIDIA register',
      'node n1@11',
      'node n1@12',
    ]);
    expect(state.view('n1')?.devices).toHaveLength(1);
  });

  it('reports an allocation that cannot be read', async () => {
    const { pods } = await sync([gpuNode()], []);
    const annotations = { 'hami.io/vgpu-node': 'n1', 'hami.io/vgpu-devices-allocated': 'gpu-0,NVIDIA:;' };
    pods.send('ADDED', boundPod({ annotations }));
    expect(await told.atLeast(3)).toEqual([
      'node n1@1',
      'pod pod-1: bad hami.io/vgpu-devices-allocated',
      'pod pod-1@1',
    ]);
  });

  it('reports objects that cannot be read and keeps what it knew of them', async () => {
    const { nodes, pods } = await sync([gpuNode()], [boundPod()]);
    nodes.send('MODIFIED', { metadata: { name: 'n1', resourceVersion: '11', annotations: { a: 1 } } });
    expect((await told.atLeast(3)).at(-1)).toBe('nodes n1: metadata.annotations.a: must be string');
    pods.send('ADDED', gpuPod({ name: 'anonymous', uid: '' }));
    expect((await told.atLeast(4)).at(-1)).toBe('pods anonymous: a pod without a uid');
    expect(usedMiB()).toBe(3000);
  });

  it.each([
    { name: 'stops while the nodes are listed', listNodes: false },
    { name: 'stops while the pods are listed', listNodes: true },
  ])('$name, and never calls the state synced', async ({ listNodes }) => {
    const nodes = await server.next(nodesPath);
    if (listNodes) {
      nodes.page([gpuNode()], { resourceVersion: '10' });
      await server.next(podsPath);
    }
    await feeds.stop();
    expect(await feeds.synced).toBe('stopped');
    expect(state.synced).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('stops both watches, and may be told twice', async () => {
    const streams = await sync([], []);
    await Promise.all([feeds.stop(), feeds.stop()]);
    await Promise.all([streams.nodes.closed, streams.pods.closed]);
    expect(clock.pending).toBe(0);
  });
});
