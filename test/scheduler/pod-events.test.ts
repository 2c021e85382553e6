import { describe, expect, it } from '@jest/globals';
import type { Refusal } from '../../src/model/reason.ts';
import { refusedEvent } from '../../src/scheduler/pod-events.ts';
import { RefusedNodes } from '../../src/scheduler/refused-nodes.ts';
import { podObject } from '../state/support/device-states.ts';
import { byName, flush, makeWorld } from './support/scheduler-world.ts';
import { boundOutcome, rejectedOutcome } from './support/scripted-writer.ts';

const unregistered: Refusal = { code: 'NodeUnregistered' };
const full: Refusal = {
  code: 'AllocatedCardsInsufficientRequest',
  container: 'main',
  vendor: 'NVIDIA',
  wanted: 1,
  accepted: 0,
  cards: 2,
  refused: { CardInsufficientMemory: 1, CardNotHealth: 1 },
};

const pod = { namespace: 'default', name: 'pod-1', uid: 'uid-1' };
const eventOf = (...refused: readonly (readonly [string, Refusal])[]) =>
  refusedEvent(pod, RefusedNodes.of(refused));

describe('the event about refused nodes', () => {
  it('counts nodes and cards of every reason, most nodes first, and names a few', () => {
    expect(eventOf(['c', unregistered], ['b', full], ['a', full])).toEqual({
      pod,
      type: 'Warning',
      reason: 'FilteringFailed',
      message:
        'no available node, 3 nodes do not meet: 2 nodes 2/4 CardInsufficientMemory(a,b), ' +
        '2 nodes 2/4 CardNotHealth(a,b), 1 nodes node unregistered(c)',
      cause: 'CardInsufficientMemory, CardNotHealth, node unregistered',
    });
  });

  it('counts the cards that would do, too', () => {
    const accepted = { ...full, wanted: 2, accepted: 1, refused: { CardCordoned: 1 } };
    expect(eventOf(['a', accepted]).message).toMatch(
      /: 1 nodes 1\/2 AllocatedCardsInsufficientRequest\(a\), 1 nodes 1\/2 CardCordoned\(a\)$/,
    );
  });

  it.each([
    { name: 'other nodes of the sample', next: [['x', full]], wantNews: false },
    {
      name: 'more nodes',
      next: [
        ['a', full],
        ['b', full],
      ],
      wantNews: false,
    },
    { name: 'other counters', next: [['a', { ...full, cards: 8 }]], wantNews: false },
    { name: 'one reason less', next: [['a', { ...full, refused: { CardNotHealth: 2 } }]], wantNews: true },
    {
      name: 'one reason more',
      next: [
        ['a', full],
        ['b', unregistered],
      ],
      wantNews: true,
    },
  ] as const)('is news or not by its reasons alone: $name', ({ next, wantNews }) => {
    const before = eventOf(['a', full]);
    expect(eventOf(...next).cause !== before.cause).toBe(wantNews);
    expect(eventOf(...next).message).not.toBe(before.message);
  });

  it('Q23: is bounded however many nodes and reasons there are', () => {
    const many = Array.from({ length: 900 }, (_, index): [string, Refusal] => [
      `node-${index}`,
      { code: 'RequestInvalid', problems: [`reason ${index % 9}`] },
    ]);
    const { message } = eventOf(...many.reverse());
    expect(message).toContain(
      '900 nodes do not meet: 100 nodes RequestInvalid: reason 0(node-0,node-108,node-117,…)',
    );
    expect(message).toMatch(/, and 5 more reasons$/);
    expect(message.length).toBeLessThan(500);
  });
});

describe('events about a pod', () => {
  const told = (world: ReturnType<typeof makeWorld>) =>
    world.events.map(({ type, reason }) => `${type} ${reason}`);

  it('tell that no node will do, and which pod it is', () => {
    const world = makeWorld({ nodes: [{}] });
    const pod = world.pod();
    world.scheduler.filter(byName(pod, 'n1'));
    expect(told(world)).toEqual(['Warning FilteringFailed']);
    expect(world.events[0]).toMatchObject({ pod: { namespace: 'default', name: 'pod-1', uid: 'uid-pod-1' } });
  });

  it('tell nothing of a filter that leaves a node, is asked about none, or ends in an error', () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }, { name: 'n2' }] });
    world.scheduler.filter(byName(world.pod(), 'n1', 'n2'));
    world.scheduler.filter(byName(world.pod()));
    world.scheduler.filter(byName(podObject({ name: 'plain' }), 'n2'));
    expect(told(world)).toEqual([]);
  });

  it('tell how a bind ended', async () => {
    const world = makeWorld({ nodes: [{ devices: [{}] }] });
    const [good, bad] = [world.pod({ name: 'good' }), world.pod({ name: 'bad' })];
    void world.bind(good);
    await flush();
    world.writer.write().answer(boundOutcome);
    await flush();
    void world.bind(bad);
    await flush();
    world.writer.write().answer(rejectedOutcome);
    await flush();
    expect(world.events.map(({ pod, reason, message }) => [pod.name, reason, message])).toEqual([
      ['good', 'BindingSucceed', 'Successfully binding node [n1] to default/good'],
      ['bad', 'BindingFailed', 'conflict'],
    ]);
  });
});
