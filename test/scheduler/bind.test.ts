import { describe, expect, it } from '@jest/globals';
import { MemoryWriter } from '../../src/scheduler/memory-writer.ts';
import { DeviceState } from '../../src/state/device-state.ts';
import { gpuLimits } from '../support/kubernetes-objects.ts';
import { ManualClock } from '../support/manual-clock.ts';
import {
  cardsOf,
  gpuPod,
  ledgerOf,
  makeState,
  nodeObject,
  nvidiaVendors,
  podObject,
} from '../state/support/device-states.ts';
import { answerWrite, busyWorld, charged, gpu, idle, oneCard, shareOf } from './support/bind-cases.ts';
import {
  bindBudgetMs,
  bindingArgs,
  byName,
  flush,
  makeWorld,
  schedulerOver,
  stateOf,
  type World,
} from './support/scheduler-world.ts';
import { rejectedOutcome } from './support/scripted-writer.ts';

describe('a bind', () => {
  it('commits before it waits for anything', () => {
    const world = oneCard();
    void world.bind(world.pod({ gpu }));
    expect(cardsOf(world.state)).toEqual(charged);
    expect(ledgerOf(world.state)).toEqual({ 'uid-pod-1': 'n1 assumed' });
    expect(world.writer.begun).toEqual([]);
  });

  it('writes node, allocation and labels with the pod as it is known, and is then bound', async () => {
    const world = oneCard();
    const pod = world.pod({ gpu, resourceVersion: '7' });
    const answer = world.bind(pod);
    await flush();
    const { command } = world.writer.write();
    expect(command).toMatchObject({ node: 'n1', deadlineMs: world.clock.nowMs() + bindBudgetMs });
    expect(command.pod).toBe(pod);
    expect(world.writer.write().metadata).toEqual({
      annotations: {
        'hami.io/vgpu-node': 'n1',
        'hami.io/vgpu-time': '1767225600',
        'hami.io/bind-phase': 'allocating',
        'hami.io/bind-time': '1767225600',
        'hami.io/vgpu-devices-allocated': 'gpu-0,NVIDIA,3000,30:;',
        'hami.io/vgpu-devices-to-allocate': 'gpu-0,NVIDIA,3000,30:;',
      },
      labels: { 'hami.io/vgpu-node': 'n1' },
    });
    await answerWrite(world);
    expect(await stateOf(answer)).toEqual({ ok: true, allocation: [[shareOf('gpu-0')]], waitedMs: 0 });
    expect(ledgerOf(world.state)).toEqual({ 'uid-pod-1': 'n1 bound' });
  });

  it('leaves pod and node to the watch: its later event changes nothing', async () => {
    const world = oneCard();
    void world.bind(world.pod({ gpu }));
    await flush();
    await answerWrite(world);
    world.pod({ gpu, nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,30:;' });
    expect(cardsOf(world.state)).toEqual(charged);
    expect(ledgerOf(world.state)).toEqual({ 'uid-pod-1': 'n1 bound' });
  });

  it('whose watch event comes before its answer is bound as well', async () => {
    const world = oneCard();
    const answer = world.bind(world.pod({ gpu }));
    await flush();
    world.pod({ gpu, nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,30:;' });
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({ ok: true });
    expect(cardsOf(world.state)).toEqual(charged);
  });

  it('takes the pod from a filter when the watch has not brought it yet', async () => {
    const world = oneCard();
    const pod = gpuPod({ gpu });
    world.scheduler.filter(byName(pod, 'n1'));
    void world.bind(pod);
    await flush();
    expect(world.writer.begun).toEqual(['pod-1 → n1']);
  });

  it('leaves room for a pod that is expected on the node, where it can', async () => {
    const world = makeWorld({ nodes: [{ devices: [{}, {}] }] });
    const whole = gpuPod({ name: 'whole', gpu: { count: 1, memoryMiB: 8192 } });
    world.scheduler.filter(byName(whole, 'n1'));
    // Binpack takes the highest of equal cards: the expected pod counts there already.
    void world.bind(world.pod({ gpu }));
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '1/3000/30', 'gpu-1': '0/0/0' });
    void world.bind(world.pod({ name: 'b', gpu: { count: 2, memoryMiB: 1 } }));
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '2/3001/30', 'gpu-1': '1/1/0' });
    await flush();
  });
});

describe('a bind is refused without a trace', () => {
  const cases: {
    name: string;
    act: (world: World) => ReturnType<World['bind']>;
    wantCode: string;
    wantMessage: RegExp;
  }[] = [
    {
      name: 'when the pod does not fit any longer',
      act: (world) => world.bind(world.pod({ gpu: { count: 1, memoryMiB: 9000 } })),
      wantCode: 'NoFit',
      wantMessage: /^CardInsufficientMemory: container "c0" needs 1 of 1 NVIDIA cards, 0 would do/,
    },
    {
      name: 'when the node is not known',
      act: (world) => world.bind(world.pod({ gpu }), 'n9'),
      wantCode: 'NoFit',
      wantMessage: /n9/,
    },
    {
      name: 'when nobody has heard of the pod',
      act: (world) => world.bind(gpuPod({ gpu })),
      wantCode: 'PodUnknown',
      wantMessage: /default\/pod-1.*uid-pod-1/,
    },
    {
      name: 'when the UID is that of a former pod of the name',
      act: (world) => {
        const former = world.pod({ gpu });
        world.pod({ gpu, uid: 'second' });
        return world.bind(former);
      },
      wantCode: 'PodUnknown',
      wantMessage: /uid-pod-1/,
    },
    {
      name: 'when the UID belongs to a pod of another name',
      act: (world) => world.bind({ ...world.pod({ gpu }), name: 'other' }),
      wantCode: 'PodUnknown',
      wantMessage: /default\/other/,
    },
    {
      name: 'when the UID belongs to a pod of another namespace',
      act: (world) => world.bind({ ...world.pod({ gpu }), namespace: 'other' }),
      wantCode: 'PodUnknown',
      wantMessage: /other\/pod-1/,
    },
    {
      name: 'when the request cannot be read',
      act: (world) => world.bind(world.pod({ gpu: { count: 1, memoryMiB: '16Gi' } })),
      wantCode: 'RequestInvalid',
      wantMessage: /write 16384/,
    },
    {
      name: 'when the caller has hung up already',
      act: (world) => world.bind(world.pod({ gpu }), 'n1', AbortSignal.abort()),
      wantCode: 'CallerGone',
      wantMessage: /closed/,
    },
  ];
  it.each(cases)('$name', async ({ act, wantCode, wantMessage }) => {
    const world = oneCard();
    const answer = await stateOf(act(world));
    expect(answer).toMatchObject({ ok: false, code: wantCode });
    expect(answer).toHaveProperty('message', expect.stringMatching(wantMessage));
    expect(cardsOf(world.state)).toEqual(idle);
    expect(ledgerOf(world.state)).toEqual({});
    expect(world.writer.begun).toEqual([]);
  });

  it('while the state is not complete', async () => {
    const state = new DeviceState({ vendors: nvidiaVendors, trustOf: () => 'as-written' });
    state.applyNode(nodeObject({ devices: [{}] }));
    const world = makeWorld({ state });
    expect(await world.bind(world.pod({ gpu }))).toMatchObject({ ok: false, code: 'NotSynced' });
    expect(cardsOf(state)).toEqual(idle);
  });
});

describe('binds to one node', () => {
  it('at once never take more than the card has, and the rest is refused at once', async () => {
    const world = makeWorld({ nodes: [{ devices: [{ slots: 3 }] }] });
    const answers = Array.from({ length: 5 }, (_, index) =>
      world.bind(world.pod({ name: `p${index}`, gpu })),
    );
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '2/6000/60' });
    const codes = await Promise.all(answers.map(stateOf));
    expect(
      codes.filter((answer) => answer !== 'pending' && !answer.ok && answer.code === 'NoFit'),
    ).toHaveLength(3);
    expect(codes.filter((answer) => answer === 'pending')).toHaveLength(2);
  });

  it('write one after the other, in the order they came', async () => {
    const world = await busyWorld();
    const second = world.bind(world.pod({ name: 'second', gpu }));
    void world.bind(world.pod({ name: 'third', gpu }));
    await flush();
    expect(world.writer.begun).toEqual(['first → n1']);
    world.clock.advance(400);
    await answerWrite(world);
    expect(world.writer.begun).toEqual(['first → n1', 'second → n1']);
    await answerWrite(world);
    expect(await stateOf(second)).toMatchObject({ ok: true, waitedMs: 400 });
    expect(world.writer.begun).toHaveLength(3);
  });

  it('do not hold up those to another', async () => {
    const world = await busyWorld({ nodes: [{ devices: [{}] }, { name: 'n2', devices: [{}] }] });
    void world.bind(world.pod({ name: 'second', gpu }), 'n2');
    await flush();
    expect(world.writer.begun).toEqual(['first → n1', 'second → n2']);
  });
});

describe('a pod without devices', () => {
  it('is bound without lock, turn or annotations', async () => {
    const world = await busyWorld();
    const pod = podObject({ name: 'plain' });
    world.scheduler.filter(byName(pod, 'n1'));
    const answer = world.bind(pod);
    await flush();
    expect(world.writer.begun).toEqual(['first → n1', 'plain → n1']);
    expect(world.writer.write().metadata).toBeUndefined();
    await answerWrite(world);
    expect(await stateOf(answer)).toEqual({ ok: true, allocation: [], waitedMs: 0 });
    expect(ledgerOf(world.state)).toEqual({ 'uid-first': 'n1 assumed' });
  });

  it('hears of a write that fails', async () => {
    const world = oneCard();
    const pod = podObject();
    world.scheduler.filter(byName(pod, 'n1'));
    const answer = world.bind(pod);
    await flush();
    await answerWrite(world, rejectedOutcome);
    expect(await stateOf(answer)).toMatchObject({ ok: false, code: 'WriteFailed' });
  });
});

describe('a bind committed to memory', () => {
  it('ends like one that a watch has shown, with several containers and roles', async () => {
    const clock = new ManualClock();
    const state = makeState({ nodes: [{ devices: [{}] }] });
    const writer = new MemoryWriter((bound) => state.applyPod(bound, clock.nowMs()));
    const scheduler = schedulerOver({ state, clock, writer });
    const pod = podObject({
      containers: [
        { role: 'init', limits: gpuLimits({ count: 1, memoryMiB: 6000 }) },
        { limits: gpuLimits({ count: 1, memoryMiB: 1000 }) },
        {},
      ],
    });
    state.applyPod(pod, 0);
    const answer = await scheduler.bind(bindingArgs(pod, 'n1'), new AbortController().signal);
    expect(answer).toMatchObject({ ok: true });
    expect(ledgerOf(state)).toEqual({ 'uid-pod-1': 'n1 bound' });
    expect(cardsOf(state)).toEqual({ 'gpu-0': '1/6000/0' });
    expect([...state.pendingPods()]).toEqual([]);
  });
});
