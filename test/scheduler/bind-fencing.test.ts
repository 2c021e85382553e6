/** Who may commit, and what happens to a plan when others have come to the node while its bind waited for it. */
import { describe, expect, it } from '@jest/globals';
import { sharedNodeLock } from '../../src/vendors/node-lock.ts';
import { cardsOf, ledgerOf } from '../state/support/device-states.ts';
import { answerWrite, charged, gpu, idle, oneCard, shareOf } from './support/bind-cases.ts';
import {
  bindingArgs,
  flush,
  makeWorld,
  schedulerOver,
  stateOf,
  type World,
} from './support/scheduler-world.ts';

/** A bind of pod-1 that waits for its node. */
async function waiting(world: World) {
  world.writer.keepsWaiting = true;
  const answer = world.bind(world.pod({ gpu }));
  await flush();
  const [begin] = world.writer.waiting;
  if (begin === undefined) throw new Error('the bind does not wait');
  return { answer, begin };
}

describe('a bind whose node is had', () => {
  it('keeps the plan with which it came', async () => {
    const world = oneCard();
    const { answer, begin } = await waiting(world);
    begin();
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({ ok: true, allocation: [[shareOf('gpu-0')]] });
  });

  it('plans anew when others may have come, beside what they hold', async () => {
    const world = makeWorld({ nodes: [{ devices: [{}, {}] }] });
    const { answer, begin } = await waiting(world);
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '0/0/0', 'gpu-1': '1/3000/30' });
    world.pod({ name: 'theirs', gpu, nodeName: 'n1', allocated: 'gpu-1,NVIDIA,8000,0:;' });
    begin(true);
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({ ok: true, allocation: [[shareOf('gpu-0')]] });
    expect(cardsOf(world.state)).toEqual({ 'gpu-0': '1/3000/30', 'gpu-1': '1/8000/0' });
  });

  it('is refused and gives everything back when they have left no room', async () => {
    const world = oneCard();
    const { answer, begin } = await waiting(world);
    world.pod({ name: 'theirs', gpu, nodeName: 'n1', allocated: 'gpu-0,NVIDIA,8000,0:;' });
    begin(true);
    expect(await stateOf(answer)).toMatchObject({ ok: false, code: 'NoFit' });
    expect(world.writer.begun).toEqual([]);
    expect(ledgerOf(world.state)).toEqual({ 'uid-theirs': 'n1 bound' });
    expect(world.state.pending('uid-pod-1')).toBeDefined();
  });

  it('plans anew when the cards changed while it waited', async () => {
    const world = makeWorld({ nodes: [{ devices: [{}, {}] }] });
    const { answer, begin } = await waiting(world);
    world.node({ devices: [{}, { healthy: false }] });
    begin();
    await answerWrite(world);
    expect(await stateOf(answer)).toMatchObject({ ok: true, allocation: [[shareOf('gpu-0')]] });
  });

  it('ends when the pod went away while it waited', async () => {
    const world = oneCard();
    const { answer, begin } = await waiting(world);
    world.state.removePod('uid-pod-1', world.clock.nowMs());
    begin();
    expect(await stateOf(answer)).toMatchObject({ ok: false });
    expect(world.writer.begun).toEqual([]);
    expect(cardsOf(world.state)).toEqual(idle);
  });
});

describe('a server that does not lead', () => {
  /** A world whose leadership the test gives and takes. */
  function electedWorld() {
    const world = oneCard();
    const elected: { term: string | undefined } = { term: 'server-0/1/a' };
    const { state, clock, writer } = world;
    const scheduler = schedulerOver({ state, clock, writer, term: () => elected.term });
    const own = world.pod({ gpu });
    const bind = (pod = own) => scheduler.bind(bindingArgs(pod, 'n1'), new AbortController().signal);
    return { ...world, elected, bind };
  }

  it('binds nothing, and says so', async () => {
    const world = electedWorld();
    world.elected.term = undefined;
    expect(await stateOf(world.bind())).toMatchObject({ ok: false, code: 'NotLeader' });
    expect(cardsOf(world.state)).toEqual(idle);
  });

  it('writes its term with a bind', async () => {
    const world = electedWorld();
    void world.bind();
    await flush();
    expect(world.writer.write().command.devices).toMatchObject({
      term: 'server-0/1/a',
      locks: [sharedNodeLock],
    });
  });

  it.each([
    { name: 'that it lost', term: undefined },
    { name: 'that it won anew: somebody else may have led between', term: 'server-0/3/b' },
  ])('gives up binds that waited through a leadership $name', async ({ term }) => {
    const world = electedWorld();
    world.writer.keepsWaiting = true;
    const answer = world.bind();
    await flush();
    expect(cardsOf(world.state)).toEqual(charged);
    world.elected.term = term;
    world.writer.waiting[0]?.();
    expect(await stateOf(answer)).toMatchObject({ ok: false, code: 'NotLeader' });
    expect(world.writer.begun).toEqual([]);
    expect(cardsOf(world.state)).toEqual(idle);
  });

  it('gives up binds that waited for their turn', async () => {
    const world = electedWorld();
    const first = world.bind();
    const second = world.bind(world.pod({ name: 'second', gpu }));
    await flush();
    world.elected.term = undefined;
    await answerWrite(world);
    // What was written already is bound, whoever leads.
    expect(await stateOf(first)).toMatchObject({ ok: true });
    expect(await stateOf(second)).toMatchObject({ ok: false, code: 'NotLeader' });
    expect(cardsOf(world.state)).toEqual(charged);
  });
});
