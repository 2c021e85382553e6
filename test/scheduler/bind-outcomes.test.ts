/** What becomes of a commitment when the write fails, stays in doubt, or is asked for again. */
import { describe, expect, it } from '@jest/globals';
import { cardsOf, gpuPod, ledgerOf } from '../state/support/device-states.ts';
import { answerWrite, busyWorld, charged, gpu, idle, oneCard, shareOf } from './support/bind-cases.ts';
import { byName, flush, makeWorld, stateOf } from './support/scheduler-world.ts';
import { rejectedOutcome, unknownOutcome } from './support/scripted-writer.ts';

describe('a write that fails', () => {
  it('gives everything back, and the pod can be bound again', async () => {
    const world = oneCard();
    const pod = world.pod({ gpu });
    const answer = world.bind(pod);
    await flush();
    await answerWrite(world, rejectedOutcome);
    expect(await stateOf(answer)).toEqual({ ok: false, code: 'WriteFailed', message: 'conflict' });
    expect(cardsOf(world.state)).toEqual(idle);
    expect(world.state.pending(pod.uid)).toBeDefined();
    const again = world.bind(pod);
    await flush();
    await answerWrite(world);
    expect(await stateOf(again)).toMatchObject({ ok: true });
  });

  it('lets the next bind of the node go on', async () => {
    const world = await busyWorld();
    void world.bind(world.pod({ name: 'second', gpu }));
    await answerWrite(world, rejectedOutcome);
    expect(world.writer.begun).toEqual(['first → n1', 'second → n1']);
  });

  it('takes nothing back that the watch has shown to be bound', async () => {
    const world = oneCard();
    void world.bind(world.pod({ gpu }));
    await flush();
    world.pod({ gpu, nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,30:;' });
    await answerWrite(world, rejectedOutcome);
    expect(ledgerOf(world.state)).toEqual({ 'uid-pod-1': 'n1 bound' });
  });
});

describe('a write whose outcome nobody knows', () => {
  async function unknown() {
    const world = oneCard();
    const pod = world.pod({ gpu });
    const answer = world.bind(pod);
    await flush();
    const { outcome, settle } = unknownOutcome();
    await answerWrite(world, outcome);
    return { world, pod, answer, settle };
  }

  it('is answered as an error and stays charged, however long it takes', async () => {
    const { world, answer } = await unknown();
    expect(await stateOf(answer)).toEqual({ ok: false, code: 'OutcomeUnknown', message: 'timed out' });
    world.clock.advance(3_600_000);
    world.scheduler.filter(byName(gpuPod({ name: 'other' }), 'n1'));
    expect(ledgerOf(world.state)).toEqual({ 'uid-pod-1': 'n1 assumed' });
    expect(cardsOf(world.state)).toEqual(charged);
  });

  it('is bound when it turns out so', async () => {
    const { world, settle } = await unknown();
    settle('bound');
    await flush();
    expect(ledgerOf(world.state)).toEqual({ 'uid-pod-1': 'n1 bound' });
  });

  it('is taken back when it turns out so', async () => {
    const { world, settle } = await unknown();
    settle('rejected');
    await flush();
    expect(ledgerOf(world.state)).toEqual({});
    expect(cardsOf(world.state)).toEqual(idle);
  });

  it('stays bound when the watch said so before it was read as not', async () => {
    const { world, settle } = await unknown();
    world.pod({ gpu, nodeName: 'n1', allocated: 'gpu-0,NVIDIA,3000,30:;' });
    settle('rejected');
    await flush();
    expect(ledgerOf(world.state)).toEqual({ 'uid-pod-1': 'n1 bound' });
  });

  it('stays released when the pod was deleted before it was read', async () => {
    const { world, pod, settle } = await unknown();
    world.state.removePod(pod.uid, 0);
    settle('bound');
    await flush();
    expect(ledgerOf(world.state)).toEqual({});
  });

  it('does not hold up the node, but another bind of the pod', async () => {
    const { world, pod } = await unknown();
    void world.bind(world.pod({ name: 'second', gpu }));
    await flush();
    expect(world.writer.begun).toEqual(['pod-1 → n1', 'second → n1']);
    expect(await stateOf(world.bind(pod))).toMatchObject({ ok: false, code: 'PodBound' });
  });
});

describe('a bind that is called again', () => {
  it('joins the first while that is under way: one write, one answer', async () => {
    const world = oneCard();
    const pod = world.pod({ gpu });
    const answers = [world.bind(pod), world.bind(pod)];
    await flush();
    answers.push(world.bind(pod));
    await answerWrite(world);
    expect(world.writer.begun).toEqual(['pod-1 → n1']);
    const [first, ...others] = await Promise.all(answers);
    expect(first).toMatchObject({ ok: true });
    expect(others).toEqual([first, first]);
    expect(cardsOf(world.state)).toEqual(charged);
  });

  it('to another node is refused while the first is under way', async () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }, { name: 'n2', devices: [{}] }] });
    const pod = world.pod({ gpu });
    void world.bind(pod, 'n1');
    expect(await stateOf(world.bind(pod, 'n2'))).toMatchObject({ ok: false, code: 'PodBound' });
    expect(cardsOf(world.state, 'n2')).toEqual(idle);
  });

  it('after it was bound is told so, without a write', async () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }, { name: 'n2', devices: [{}] }] });
    const pod = world.pod({ gpu });
    void world.bind(pod);
    await flush();
    await answerWrite(world);
    expect(await stateOf(world.bind(pod))).toEqual({
      ok: true,
      allocation: [[shareOf('gpu-0')]],
      waitedMs: 0,
    });
    expect(await stateOf(world.bind(pod, 'n2'))).toMatchObject({ ok: false, code: 'PodBound' });
    expect(world.writer.begun).toHaveLength(1);
  });

  it('is not answered for the hanging up of the first caller', async () => {
    const world = await busyWorld();
    const pod = world.pod({ name: 'second', gpu });
    const caller = new AbortController();
    void world.bind(pod, 'n1', caller.signal);
    const again = world.bind(pod);
    await flush();
    caller.abort();
    expect(await stateOf(again)).toBe('pending');
    await answerWrite(world);
    expect(world.writer.begun).toEqual(['first → n1', 'second → n1']);
  });

  it('ends when the last of its callers has hung up', async () => {
    const world = await busyWorld();
    const pod = world.pod({ name: 'second', gpu });
    const callers = [new AbortController(), new AbortController()];
    const answers = callers.map(({ signal }) => world.bind(pod, 'n1', signal));
    for (const caller of callers) caller.abort();
    for (const answer of answers)
      expect(await stateOf(answer)).toMatchObject({ ok: false, code: 'CallerGone' });
    expect(ledgerOf(world.state)).toEqual({ 'uid-first': 'n1 assumed' });
  });
});
