/** `POST /simulate` over real HTTP: what it answers, what it refuses, and that nothing is changed by it. */
import { describe, expect, it } from '@jest/globals';
import type { Express } from 'express';
import { createApp } from '../../src/http/app.ts';
import { simulateRoute } from '../../src/http/simulate-route.ts';
import type { SimulateAnswer } from '../../src/http/simulate-answer.ts';
import type { Clock } from '../../src/model/clock.ts';
import type { Scoring } from '../../src/placement/scoring.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { makeMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { makeNvidia } from '../../src/vendors/nvidia/nvidia.ts';
import { parseDevicePolicy } from '../../src/vendors/policy-annotations.ts';
import { nodeFrom, parseQuota, podFrom } from '../../src/wire/kubernetes.ts';
import { gpuLimits, makeNodeObject, makePod, type PodJson } from '../support/kubernetes-objects.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { makeNvidiaConfig } from '../vendors/nvidia-config.ts';
import { post } from './exchange.ts';
import { brokenPod, largePod, sampleNodes, smallPod } from './sample-cluster.ts';
import { makeRecordingLog, metricValue, type RecordingLog } from './served-app.ts';

interface Fields {
  readonly synced?: boolean;
  readonly bodyLimitMiB?: number;
  readonly clock?: Pick<Clock, 'nowMs'>;
  readonly letOthersRun?: () => Promise<void>;
  readonly scoring?: () => Scoring;
}

interface Served extends RecordingLog {
  readonly app: Express;
  readonly state: DeviceState;
  readonly metrics: Metrics;
}

function serve({ synced = true, bodyLimitMiB = 1, ...fields }: Fields = {}): Served {
  const state = new DeviceState({ vendors: [makeNvidia(makeNvidiaConfig())], trustOf: () => 'as-written' });
  for (const node of sampleNodes) state.applyNode(nodeFrom(node));
  const quota = parseQuota({
    metadata: { namespace: 'team', name: 'q' },
    spec: { hard: { 'limits.nvidia.com/gpumem': '20000' } },
  });
  if (!quota.ok) throw new Error(quota.problem);
  state.applyQuota(quota.value);
  state.applyPod(podFrom(runningPod), 0);
  if (synced) state.markSynced();
  const recording = makeRecordingLog();
  const metrics = makeMetrics({ processMetrics: false });
  const deps = {
    state,
    policies: { nodePolicy: 'binpack', devicePolicy: parseDevicePolicy('spread') } as const,
    clock: fields.clock ?? new ManualClock(),
    letOthersRun: fields.letOthersRun ?? (() => Promise.resolve()),
    ...(fields.scoring === undefined ? {} : { scoring: fields.scoring }),
    metrics,
    log: recording.log,
    bodyLimitMiB,
  };
  return { app: createApp([simulateRoute(deps)], recording.log), state, metrics, ...recording };
}

const runningPod = makePod({
  name: 'running',
  nodeName: 'a100',
  phase: 'Running',
  annotations: { 'hami.io/vgpu-node': 'a100', 'hami.io/vgpu-devices-allocated': 'GPU-a0,NVIDIA,10960,30:;' },
  containers: [{ name: 'main', limits: gpuLimits({ count: 1, memoryMiB: 10_960, corePercent: 30 }) }],
});

async function ask(body: unknown, served = serve()): Promise<SimulateAnswer> {
  const response = await post(served.app, '/simulate', body);
  if (response.status !== 200) throw new Error(`${response.status}: ${response.text}`);
  return response.body as SimulateAnswer;
}

/** Everything that the state tells of itself. */
function pictureOf(state: DeviceState) {
  const names = [...state.nodeNames()];
  return {
    nodes: names.map((name) => ({ view: state.view(name), held: state.node(name)?.held })),
    entries: [...state.entries()].map(({ podUid, node, state: word, allocation }) => ({
      podUid,
      node,
      word,
      allocation,
    })),
    pending: [...state.pendingPods()],
    usages: [...state.quotaUsages()].map(({ namespace, used }) => ({ namespace, used })),
    quota: state.quotaOf('team'),
    changes: state.changePosition,
  };
}

async function askRaw({ app }: Served, body: unknown): Promise<{ status: number; body: unknown }> {
  const response = await post(app, '/simulate', body);
  return { status: response.status, body: response.body as unknown };
}

const wholeCard = makePod({
  name: 'whole',
  containers: [{ name: 'main', limits: gpuLimits({ count: 1, memoryPercent: 100, corePercent: 100 }) }],
});
const inNamespace = (pod: PodJson, namespace: string): PodJson => ({
  ...pod,
  metadata: { ...pod.metadata, namespace },
});

describe('a list of pods', () => {
  it('is placed one after the other, with the cards, and the rest is told with its reasons', async () => {
    const answer = await ask({ pods: [largePod, largePod, largePod, brokenPod] });
    expect(answer).toEqual({
      policy: 'binpack',
      counts: { asked: 4, placed: 2, unplaced: 2, untried: 0 },
      truncated: false,
      placed: [
        {
          index: 0,
          pod: 'default/large',
          node: 'a100',
          isNewNode: false,
          containers: [
            {
              name: 'main',
              shares: [{ vendor: 'NVIDIA', deviceId: 'GPU-a1', memoryMiB: 30_000, corePercent: 30 }],
            },
          ],
        },
        expect.objectContaining({
          index: 1,
          containers: [
            {
              name: 'main',
              shares: [{ vendor: 'NVIDIA', deviceId: 'GPU-a0', memoryMiB: 30_000, corePercent: 30 }],
            },
          ],
        }),
      ],
      unplaced: [
        {
          index: 2,
          pod: 'default/large',
          reason: 'CardInsufficientMemory',
          sentence:
            'container "main" needs 1 of 2 NVIDIA cards, 0 would do; refused: 2 CardInsufficientMemory',
          nodes: [
            { reason: 'CardInsufficientMemory', nodes: 1 },
            { reason: 'CardInsufficientMemory, CardNotHealth', nodes: 1 },
            { reason: 'node unregistered', nodes: 1 },
          ],
        },
        {
          index: 3,
          pod: 'default/broken',
          reason: expect.stringMatching(/^RequestInvalid: container "main": /) as unknown,
          sentence: expect.stringMatching(/16Gi/) as unknown,
          nodes: [],
        },
      ],
      reasons: [
        { reason: 'CardInsufficientMemory', pods: 1 },
        { reason: expect.stringMatching(/^RequestInvalid/) as unknown, pods: 1 },
      ],
    });
  });

  it('goes by the policy that is named, but for pods that name their own', async () => {
    const named = (nodePolicy: string) => ({
      ...smallPod,
      metadata: { ...smallPod.metadata, annotations: { 'hami.io/node-scheduler-policy': nodePolicy } },
    });
    const nodesOf = async (body: object) => (await ask(body)).placed.map(({ node }) => node);
    // With the pod on it, a100 is fuller: (2/20 + 60/200 + 18960/81920)/3 against (1/20 + 30/200 + 8000/30720)/3.
    expect(await nodesOf({ pods: [smallPod] })).toEqual(['a100']);
    expect(await nodesOf({ pods: [smallPod], policy: 'spread' })).toEqual(['t4']);
    expect(await nodesOf({ pods: [named('binpack'), named('spread')], policy: 'spread' })).toEqual([
      'a100',
      't4',
    ]);
  });

  it('is judged by fragmentation where that is asked for, and only then is anything made for it', async () => {
    let made = 0;
    const scoring = (): Scoring => {
      made += 1;
      return { rateShare: () => 0, rateNode: ({ view }) => (view.name === 't4' ? 60 : 40) };
    };
    const nodeOf = async (body: object) =>
      (await ask({ pods: [smallPod], ...body }, serve({ scoring }))).placed[0]?.node;
    expect(await nodeOf({})).toBe('a100');
    expect(made).toBe(0);
    expect(await nodeOf({ policy: 'fragmentation' })).toBe('t4');
    expect(made).toBe(1);
    const annotations = { 'hami.io/node-scheduler-policy': 'fragmentation' };
    expect(await nodeOf({ pods: [{ ...smallPod, metadata: { ...smallPod.metadata, annotations } }] })).toBe(
      't4',
    );
    expect(made).toBe(2);
  });

  it('counts against the quotas of its namespace, one pod after the other', async () => {
    const pods = Array.from({ length: 4 }, () => inNamespace(smallPod, 'team'));
    const { placed, unplaced } = await ask({ pods: [...pods, smallPod] });
    expect(placed.map(({ index }) => index)).toEqual([0, 1, 4]);
    expect(unplaced.map(({ reason, sentence }) => ({ reason, sentence }))[0]).toEqual({
      reason: 'ResourceQuotaNotFit',
      sentence: expect.stringContaining(
        'ResourceQuota "q" allows 20000 of limits.nvidia.com/gpumem and 16000 are in use',
      ) as unknown,
    });
  });

  it('may be without names', async () => {
    const { spec } = smallPod;
    const { placed } = await ask({ pods: [{ spec }, { spec }] });
    expect(placed.map(({ pod }) => pod)).toEqual(['default/pod-1', 'default/pod-2']);
  });
});

describe('copies of one pod', () => {
  it('are placed until none fits', async () => {
    const { metadata, spec } = largePod;
    const { counts, truncated } = await ask({ podTemplate: { metadata, spec } });
    expect(counts).toEqual({ asked: 1000, placed: 2, unplaced: 1, untried: 997 });
    expect(truncated).toBe(false);
  });

  it('are tried so many times, if a number is given', async () => {
    const { counts } = await ask({ podTemplate: largePod, copies: 5 });
    expect(counts).toEqual({ asked: 5, placed: 2, unplaced: 3, untried: 0 });
  });
});

describe('new nodes', () => {
  const described = { cards: 4, type: 'NVIDIA H100', memoryMiB: 81_920, cpu: '64', memory: '512Gi' };
  const shapes = [
    { name: 'as another node', nodeShape: { like: 'a100' }, want: 3 },
    { name: 'described in short', nodeShape: described, want: 2 },
    {
      name: 'as a node object',
      nodeShape: makeNodeObject({ name: '', devices: [{ memoryMiB: 40_960 }] }),
      want: 6,
    },
  ];
  it.each(shapes)('are added as they are needed: $name', async ({ nodeShape, want }) => {
    const body = { podTemplate: wholeCard, copies: 6, nodeShape, onlyNewNodes: true };
    const { counts, placed } = await ask(body);
    expect(counts).toEqual({ asked: 6, placed: 6, unplaced: 0, untried: 0, newNodes: want });
    expect(placed.every(({ isNewNode }) => isNewNode)).toBe(true);
    expect(new Set(placed.map(({ node }) => node)).size).toBe(want);
  });

  it('come after those that there are', async () => {
    const { counts, placed } = await ask({ podTemplate: wholeCard, copies: 3, nodeShape: { like: 'a100' } });
    // One card of a100 and one of t4 are idle and in health.
    expect(counts.newNodes).toBe(1);
    expect(placed.map(({ node }) => node).sort()).toEqual(['a100', 'new-1', 't4']);
  });

  it('do not help every pod, and it says why', async () => {
    const { unplaced } = await ask({ pods: [largePod], nodeShape: { like: 't4' }, onlyNewNodes: true });
    expect(unplaced[0]).toMatchObject({
      reason: 'CardInsufficientMemory',
      nodes: [],
      newNode: { reason: 'CardInsufficientMemory', sentence: expect.stringContaining('of 2') as unknown },
    });
  });
});

describe('questions that cannot be answered', () => {
  const pods = [smallPod];
  it.each([
    { name: 'no body', body: '', want: 'Please send a request body' },
    { name: 'broken JSON', body: '{', want: /^the request body cannot be read: / },
    { name: 'a list', body: [], want: /^document: must be object/ },
    { name: 'neither pods nor template', body: {}, want: 'document: give either pods or a podTemplate' },
    { name: 'both', body: { pods, podTemplate: smallPod }, want: /either pods or a podTemplate/ },
    { name: 'no pods in the list', body: { pods: [] }, want: /^pods: must NOT have fewer than 1 items/ },
    {
      name: 'too many pods',
      body: { pods: Array.from({ length: 1001 }, () => ({})) },
      want: /^pods: must NOT have more than 1000 items/,
    },
    {
      name: 'a pod with a field of a wrong type',
      body: { pods: [smallPod, { spec: { containers: 'main' } }] },
      want: 'pods.1.spec.containers: must be array',
    },
    {
      name: 'too many copies',
      body: { podTemplate: smallPod, copies: 1001 },
      want: /^copies: must be <= 1000/,
    },
    { name: 'copies of a list', body: { pods, copies: 2 }, want: 'copies: belongs to a podTemplate' },
    { name: 'an unknown key', body: { pods, nodes: [] }, want: 'document: unknown key "nodes"' },
    { name: 'an unknown policy', body: { pods, policy: 'best' }, want: /^policy: must be one of binpack, / },
    {
      name: 'a policy that the server has not',
      body: { pods, policy: 'fragmentation' },
      want: 'policy: this server does not judge by fragmentation',
    },
    {
      name: 'only new nodes of no shape',
      body: { pods, onlyNewNodes: true },
      want: 'onlyNewNodes: there are no new nodes without a nodeShape',
    },
    {
      name: 'a shape like no node',
      body: { pods, nodeShape: { like: 'none' } },
      want: 'nodeShape: like: there is no node none',
    },
    { name: 'an empty shape', body: { pods, nodeShape: {} }, want: /^nodeShape: is none of / },
    {
      name: 'a description that lacks memory',
      body: { pods, nodeShape: { cards: 1 } },
      want: /^nodeShape: document: must have required property 'memoryMiB'/,
    },
    {
      name: 'a description with an amount that is none',
      body: { pods, nodeShape: { cards: 1, memoryMiB: 1, cpu: 'many' } },
      want: 'nodeShape: cpu: "many" is no amount',
    },
    {
      name: 'a description with a negative amount',
      body: { pods, nodeShape: { cards: 1, memoryMiB: 1, memory: '-1Gi' } },
      want: 'nodeShape: memory: "-1Gi" is no amount',
    },
    {
      name: 'a description of another vendor',
      body: { pods, nodeShape: { cards: 1, memoryMiB: 1, vendor: 'DCU' } },
      want: 'nodeShape: vendor DCU is not configured; those that are: NVIDIA',
    },
    {
      name: 'a node with a register that cannot be read',
      body: {
        pods,
        nodeShape: {
          metadata: { annotations: { 'hami.io/node-nvidia-register': 'x' } },
          status: {},
        },
      },
      want: /^nodeShape: NVIDIA: /,
    },
  ])('are told with their place: $name', async ({ body, want }) => {
    expect(await askRaw(serve(), body)).toEqual({
      status: 400,
      body: { error: typeof want === 'string' ? want : (expect.stringMatching(want) as unknown) },
    });
  });

  it('are counted, and bodies beyond the limit are 413', async () => {
    const served = serve({ bodyLimitMiB: 1 });
    await post(served.app, '/simulate', {});
    expect(await askRaw(served, `"${'x'.repeat(1024 ** 2)}"`)).toEqual({
      status: 413,
      body: { error: 'the request body is larger than 1 MiB (configuration key bodyLimitMiB)' },
    });
    expect(await metricValue(served.metrics, 'tessera_malformed_total{kind="body"}')).toBe(2);
    expect(await metricValue(served.metrics, 'tessera_http_oversized_total')).toBe(1);
  });

  it('are 503 before the cluster is known', async () => {
    expect(await askRaw(serve({ synced: false }), { pods })).toEqual({
      status: 503,
      body: { error: 'the device state is not complete yet' },
    });
  });
});

describe('the running server', () => {
  it('is as it was before', async () => {
    const served = serve();
    const before = structuredClone(pictureOf(served.state));
    await ask({ pods: [largePod, inNamespace(smallPod, 'team'), brokenPod] }, served);
    await ask({ podTemplate: smallPod, nodeShape: { like: 't4' } }, served);
    expect(pictureOf(served.state)).toEqual(before);
  });

  it('answers others between two turns, and what happens meanwhile changes no answer', async () => {
    // Time passes with every look at the clock, so that every step is a turn.
    let nowMs = 0;
    let turns = 0;
    const served = serve({
      clock: { nowMs: () => (nowMs += 6) },
      letOthersRun: () => {
        turns += 1;
        served.state.removeNode('a100');
        return Promise.resolve();
      },
    });
    const { placed } = await ask({ pods: [largePod, largePod] }, served);
    expect(placed.map(({ node }) => node)).toEqual(['a100', 'a100']);
    expect(turns).toBeGreaterThan(0);
  });

  it('answers what it has when the time is over', async () => {
    let nowMs = 0;
    const served = serve({ clock: { nowMs: () => (nowMs += 400) } });
    const { counts, truncated } = await ask(
      { podTemplate: makePod({ name: 'plain' }), copies: 1000 },
      served,
    );
    expect(truncated).toBe(true);
    expect(counts.untried).toBeGreaterThan(0);
    expect(counts.placed + counts.unplaced + counts.untried).toBe(1000);
  });

  it('answers few at a time', async () => {
    let letThemEnd = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      letThemEnd = resolve;
    });
    let nowMs = 0;
    let waiting = 0;
    let letUsAsk = (): void => undefined;
    const twoWait = new Promise<void>((resolve) => {
      letUsAsk = resolve;
    });
    const served = serve({
      clock: { nowMs: () => (nowMs += 6) },
      letOthersRun: () => {
        waiting += 1;
        if (waiting === 2) letUsAsk();
        return ended;
      },
    });
    const both = [ask({ pods: [smallPod] }, served), ask({ pods: [smallPod] }, served)];
    await twoWait;
    expect(await askRaw(served, { pods: [smallPod] })).toEqual({
      status: 429,
      body: { error: '2 simulations are running; ask again when one is done' },
    });
    letThemEnd();
    expect((await Promise.all(both)).map(({ counts }) => counts.placed)).toEqual([1, 1]);
    expect((await ask({ pods: [smallPod] }, served)).counts.placed).toBe(1);
  });
});
