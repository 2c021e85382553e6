/** What may happen to a bind between its commitment and its turn. */
import { describe, expect, it } from '@jest/globals';
import { cardsOf, ledgerOf } from '../state/support/device-states.ts';
import { answerWrite, busyWorld, gpu, shareOf } from './support/bind-cases.ts';
import { bindBudgetMs, flush, stateOf } from './support/scheduler-world.ts';

describe('while a bind waits for its turn', () => {
  it('a deleted pod is let go and never written', async () => {
    const world = await busyWorld();
    const pod = world.pod({ name: 'second', gpu });
    const answer = world.bind(pod);
    world.state.removePod(pod.uid, world.clock.nowMs());
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '1/10/0' });
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({ ok: false, code: 'PodUnknown' });
    expect(world.writer.begun).toEqual(['first → n1']);
  });

  it('a card that goes away is replaced by another one', async () => {
    const world = await busyWorld({ nodes: [{ devices: [{}, {}] }] });
    const answer = world.bind(world.pod({ name: 'second', gpu }));
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '0/0/0', 'gpu-1': '2/3010/30' });
    world.node({ devices: [{}, { healthy: false }] });
    await answerWrite(world);
    expect(world.writer.write().metadata?.annotations['hami.io/vgpu-devices-allocated']).toBe(
      'gpu-0,NVIDIA,3000,30:;',
    );
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({ ok: true, allocation: [[shareOf('gpu-0')]] });
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '1/3000/30', 'gpu-1': '1/10/0' });
  });

  it('a card that goes away without another one ends the bind, and everything is given back', async () => {
    const world = await busyWorld();
    const answer = world.bind(world.pod({ name: 'second', gpu }));
    world.node({ devices: [{ healthy: false }] });
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({ ok: false, code: 'NoFit' });
    expect(ledgerOf(world.state)).toEqual({ 'uid-first': 'n1 bound' });
    expect(world.writer.begun).toEqual(['first → n1']);
  });

  it('a pod that is bound past us to the node ends the bind, for it could be given the devices', async () => {
    const world = await busyWorld({ nodes: [{ devices: [{}, {}] }] });
    const answer = world.bind(world.pod({ name: 'second', gpu }));
    world.pod({ name: 'stray', nodeName: 'n1', gpu });
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({
      ok: false,
      code: 'NoFit',
      message: expect.stringContaining('NodeClosed: pod default/stray'),
    });
    expect(ledgerOf(world.state)).toEqual({ 'uid-first': 'n1 bound', 'uid-stray': 'n1 bound' });
    expect(world.writer.begun).toEqual(['first → n1']);
  });

  it('a node that goes away ends the bind', async () => {
    const world = await busyWorld();
    const answer = world.bind(world.pod({ name: 'second', gpu }));
    world.state.removeNode('n1');
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({ ok: false, code: 'NoFit' });
    expect(ledgerOf(world.state)).toEqual({ 'uid-first': 'n1 bound' });
  });

  it('news of the node that change no device leave the plan alone', async () => {
    const world = await busyWorld({ nodes: [{ devices: [{}, {}] }] });
    void world.bind(world.pod({ name: 'second', gpu }));
    world.node({ devices: [{}, {}], resourceVersion: '99', allocatable: { cpu: '1' } });
    await answerWrite(world);
    expect(world.writer.write().metadata?.annotations['hami.io/vgpu-devices-allocated']).toBe(
      'gpu-1,NVIDIA,3000,30:;',
    );
  });

  it('the deadline ends it and gives everything back', async () => {
    const world = await busyWorld();
    const answer = world.bind(world.pod({ name: 'second', gpu }));
    world.clock.advance(bindBudgetMs - 1);
    expect(await stateOf(answer)).toBe('pending');
    world.clock.advance(1);
    expect(await stateOf(answer)).toMatchObject({ ok: false, code: 'GateBusy' });
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '1/10/0' });
    await answerWrite(world);
    expect(world.writer.begun).toEqual(['first → n1']);
  });

  it('the caller may hang up, which gives everything back', async () => {
    const world = await busyWorld();
    const caller = new AbortController();
    const answer = world.bind(world.pod({ name: 'second', gpu }), 'n1', caller.signal);
    caller.abort();
    expect(await stateOf(answer)).toMatchObject({ ok: false, code: 'CallerGone' });
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '1/10/0' });
    await answerWrite(world);
    expect(world.writer.begun).toEqual(['first → n1']);
  });

  it('a queue that is too long refuses more at once', async () => {
    const world = await busyWorld();
    world.clock.advance(0.3 * bindBudgetMs);
    await answerWrite(world);
    // A turn takes 7.5 s: four of them are more than the 25 s of a fifth.
    for (const name of ['a', 'b', 'c', 'd'])
      void world.bind(world.pod({ name, gpu: { count: 1, memoryMiB: 1 } }));
    await flush();
    const late = await stateOf(world.bind(world.pod({ name: 'late', gpu })));
    expect(late).toEqual({
      ok: false,
      code: 'GateBusy',
      message: 'node n1 has binds waiting for about 30 s',
    });
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '5/14/0' });
  });

  it('somebody else may bind the pod to the same node, and the inventory change: it never rejects', async () => {
    const world = await busyWorld({ nodes: [{ devices: [{}, {}] }] });
    const answer = world.bind(world.pod({ name: 'second', gpu })).catch((error: unknown) => String(error));
    world.pod({ name: 'second', gpu, nodeName: 'n1', allocated: 'gpu-1,NVIDIA,3000,30:;' });
    world.node({ devices: [{}, {}, {}] });
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({ ok: true, allocation: [[shareOf('gpu-1')]] });
    expect(world.writer.begun).toEqual(['first → n1']);
  });

  it('somebody else may bind the pod to another node: it is told so and writes nothing', async () => {
    const world = await busyWorld({ nodes: [{ devices: [{}] }, { name: 'n2', devices: [{}] }] });
    const answer = world.bind(world.pod({ name: 'second', gpu }));
    world.pod({ name: 'second', gpu, nodeName: 'n2', allocated: 'gpu-0,NVIDIA,3000,30:;' });
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({ ok: false, code: 'PodBound' });
    expect(world.writer.begun).toEqual(['first → n1']);
    expect(ledgerOf(world.state)['uid-second']).toBe('n2 bound');
  });
});
