import { describe, expect, it } from '@jest/globals';
import type { Refusal } from '../../src/model/reason.ts';
import { refusedMessage } from '../../src/scheduler/pod-events.ts';
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

describe('the message about refused nodes', () => {
  it('counts the nodes of every reason, most first, and names a few', () => {
    const refused = new Map<string, Refusal>([
      ['c', unregistered],
      ['b', full],
      ['a', full],
    ]);
    expect(refusedMessage(refused)).toBe(
      'no available node, 3 nodes do not meet: 2 nodes 1/2 CardInsufficientMemory, 1/2 CardNotHealth(a,b), 1 nodes node unregistered(c)',
    );
  });

  it('is bounded however many nodes and reasons there are (Q23)', () => {
    const many = Array.from({ length: 900 }, (_, index): [string, Refusal] => [
      `node-${index}`,
      { code: 'RequestInvalid', problems: [`reason ${index % 9}`] },
    ]);
    const message = refusedMessage(new Map(many));
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
