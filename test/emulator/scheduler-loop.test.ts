/** The scheduler loop seen from outside: what it asks of an extender and in which order, and what it tells the API. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { latch, LoopWorld } from './scheduler-loop-world.ts';

let world: LoopWorld;
beforeEach(async () => {
  world = await LoopWorld.make();
});
afterEach(async () => {
  await world.close();
});

/** Binds for real, as an extender must. */
function bindForReal(): void {
  world.extender.answer('bind', async ({ PodName, Node }) => {
    await world.bind(String(PodName), String(Node));
    return { Error: '' };
  });
}

describe('what the extender is asked', () => {
  it('filters by names, with the pod as the server has it and keys as Go writes them', async () => {
    await world.addNode('n1');
    await world.addNode('n2');
    await world.addPod('p');
    await world.loop.start();
    await world.extender.called('bind');
    const [filter, prioritize, bind] = world.extender.calls;
    expect(filter).toMatchObject({
      verb: 'filter',
      method: 'POST',
      contentType: 'application/json',
      body: { Nodes: null, NodeNames: ['n1', 'n2'] },
    });
    const pod = filter?.body['Pod'] as Record<string, unknown>;
    expect(Object.keys(pod).sort()).toEqual(['metadata', 'spec', 'status']);
    expect(pod).toMatchObject({
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ resources: { requests: { 'nvidia.com/gpumem': '1k' } } }] },
    });
    expect(prioritize).toMatchObject({ verb: 'prioritize', body: filter?.body ?? {} });
    expect(bind?.body).toEqual({
      PodName: 'p',
      PodNamespace: 'default',
      PodUID: (pod['metadata'] as { uid: string }).uid,
      Node: 'n1',
    });
  });

  it('keeps its connection between calls', async () => {
    await world.addNode('n1');
    await world.addPod('p');
    await world.loop.start();
    await world.extender.called('bind');
    expect(new Set(world.extender.calls.map(({ port }) => port)).size).toBe(1);
  });

  it('asks for no ranking when one node is left', async () => {
    await world.addNode('n1');
    await world.addNode('n2');
    world.extender.answer('filter', () => ({ NodeNames: ['n2'], FailedNodes: { n1: 'no' }, Error: '' }));
    await world.addPod('p');
    await world.loop.start();
    await world.extender.called('bind');
    expect(world.extender.calls.map(({ verb, body }) => [verb, body['Node']])).toEqual([
      ['filter', undefined],
      ['bind', 'n2'],
    ]);
  });

  it('is not asked about nodes that the in-tree filters refuse', async () => {
    await world.addNode('cordoned', { unschedulable: true });
    await world.addNode('free');
    await world.addPod('p');
    await world.loop.start();
    await world.extender.called('filter');
    expect(world.extender.calls[0]?.body['NodeNames']).toEqual(['free']);
  });

  it('takes the node with most points, and goes on without an extender that does not rank', async () => {
    await world.addNode('n1');
    await world.addNode('n2');
    world.extender.answer('prioritize', () => [
      { Host: 'n1', Score: 9 },
      { Host: 'n2', Score: 10 },
    ]);
    await world.addPod('p');
    await world.loop.start();
    await world.extender.called('bind');
    world.extender.answer('prioritize', () => 500);
    world.chance = 0.99;
    await world.addPod('q');
    await world.extender.called('bind', 2);
    world.chance = 0;
    await world.addPod('r');
    await world.extender.called('bind', 3);
    expect(world.extender.callsOf('bind').map(({ body }) => [body['PodName'], body['Node']])).toEqual([
      ['p', 'n2'],
      ['q', 'n2'],
      ['r', 'n1'],
    ]);
  });

  it('leaves alone the pods of others, and binds pods without managed resources itself', async () => {
    await world.addNode('n1');
    await world.addPod('theirs', { schedulerName: 'default-scheduler' });
    await world.addPod('plain', { requests: { cpu: '1' } });
    await world.loop.start();
    await world.scheduled('plain');
    expect(world.extender.calls).toEqual([]);
  });
});

describe('one pod at a time', () => {
  it('looks at the next pod while bindings are under way, in the order of priority and age', async () => {
    await world.addNode('n1');
    const held = latch<object>();
    world.extender.answer('bind', () => held.promise);
    await world.addPod('old');
    await world.addPod('young');
    await world.addPod('urgent', { spec: { priority: 100 } });
    await world.loop.start();
    await world.extender.called('bind', 3);
    const names = world.extender
      .callsOf('filter')
      .map(({ body }) => (body['Pod'] as { metadata: { name: string } }).metadata.name);
    expect(names[0]).toBe('urgent');
    expect([...names].sort()).toEqual(['old', 'urgent', 'young']);
    held.open({ Error: '' });
  });

  it('never has two filters under way', async () => {
    await world.addNode('n1');
    let underWay = 0;
    let most = 0;
    world.extender.answer('filter', async ({ NodeNames }) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return { NodeNames, Error: '' };
    });
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => world.addPod(name)));
    await world.loop.start();
    await world.extender.called('bind', 4);
    expect(most).toBe(1);
  });

  it('counts a pod whose binding is under way', async () => {
    await world.addNode('n1');
    const held = latch<object>();
    world.extender.answer('bind', () => held.promise);
    await world.loop.start();
    await world.addPod('first', { requests: { 'nvidia.com/gpu': '1', cpu: '3' } });
    await world.extender.called('bind');
    await world.addPod('second', { requests: { 'nvidia.com/gpu': '1', cpu: '3' } });
    expect(await world.refusal('second')).toEqual({
      reason: 'Unschedulable',
      message: '0/1 nodes are available: 1 Insufficient cpu.',
    });
    held.open({ Error: '' });
  });
});

describe('a pod that fits nowhere', () => {
  it('has its reasons, counted by their exact text, in its condition and in one event', async () => {
    for (const name of ['n1', 'n2', 'n3']) await world.addNode(name);
    await world.addNode('full', { allocatable: { 'nvidia.com/gpu': '0' } });
    await world.addNode('tainted', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] });
    world.extender.answer('filter', () => ({
      NodeNames: null,
      FailedNodes: { n1: 'ignored: also below' },
      FailedAndUnresolvableNodes: {
        n1: 'CardInsufficientMemory',
        n2: 'CardInsufficientMemory',
        n3: 'CardTypeMismatch',
      },
      Error: '',
    }));
    await world.addPod('p');
    await world.loop.start();
    const message =
      '0/5 nodes are available: 1 CardTypeMismatch, 1 Insufficient nvidia.com/gpu, ' +
      '1 node(s) had untolerated taint(s), 2 CardInsufficientMemory.';
    expect(await world.refusal('p')).toEqual({ reason: 'Unschedulable', message });
    await world.loop.stop();
    expect(world.eventsOf('p')).toEqual([`FailedScheduling: ${message}`]);
  });

  /** Resolves when the loop has seen everything that was written before; wakes nobody. */
  async function settled(): Promise<void> {
    await world.addPod('witness', { requests: { cpu: '5' } });
    await world.refusal('witness');
  }

  /** Until it is told otherwise, the extender refuses. */
  function makeReluctant(): { fits: boolean } {
    const mood = { fits: false };
    world.extender.answer('filter', ({ NodeNames }) =>
      mood.fits ? { NodeNames, Error: '' } : { NodeNames: null, FailedNodes: { n1: 'no' }, Error: '' },
    );
    return mood;
  }

  it('is left alone by a heartbeat, and looked at again after a change of a node', async () => {
    await world.addNode('n1');
    const mood = makeReluctant();
    await world.addPod('p');
    await world.loop.start();
    await world.refusal('p');
    mood.fits = true;
    const heartbeat = { type: 'Ready', lastHeartbeatTime: '2027-01-01T00:00:00Z' };
    await world.patchNode('n1', { status: { conditions: [heartbeat] } }, '/status');
    await settled();
    world.clock.advance(60_000);
    expect(world.extender.callsOf('filter')).toHaveLength(1);
    await world.patchNode('n1', { metadata: { annotations: { nudge: '1' } } });
    await world.extender.called('bind');
  });

  it('is not looked at again before its back-off is over', async () => {
    await world.addNode('n1');
    const mood = makeReluctant();
    await world.addPod('p');
    await world.loop.start();
    await world.refusal('p');
    mood.fits = true;
    await world.patchNode('n1', { metadata: { annotations: { nudge: '1' } } });
    await settled();
    world.clock.advance(999);
    expect(world.extender.callsOf('filter')).toHaveLength(1);
    world.clock.advance(1);
    await world.extender.called('bind');
  });

  it('is looked at again when a pod is over', async () => {
    await world.addNode('n1', { allocatable: { pods: '1' } });
    bindForReal();
    await world.addPod('first');
    await world.loop.start();
    await world.scheduled('first');
    await world.addPod('second');
    expect(await world.refusal('second')).toMatchObject({
      message: '0/1 nodes are available: 1 Too many pods.',
    });
    await world.endPod('first');
    await settled();
    world.clock.advance(1000);
    await world.scheduled('second');
  });
});

describe('when something breaks', () => {
  it('says so, and tries again after its back-off, which doubles', async () => {
    await world.addNode('n1');
    world.extender.answer('filter', () => ({ NodeNames: null, Error: 'not complete yet' }));
    await world.addPod('p');
    await world.loop.start();
    expect(await world.refusal('p')).toEqual({ reason: 'SchedulerError', message: 'not complete yet' });
    world.extender.answer('filter', () => 500);
    world.clock.advance(1000);
    const url = `${world.extender.url}/filter`;
    expect(await world.refusal('p', (message) => message.includes('code'))).toEqual({
      reason: 'SchedulerError',
      message: `failed filter with extender at URL ${url}, code 500`,
    });
    world.clock.advance(1999);
    expect(world.extender.callsOf('filter')).toHaveLength(2);
    world.extender.answer('filter', () => ({ NodeNames: ['n1', 'stranger'], Error: '' }));
    world.clock.advance(1);
    expect(await world.refusal('p', (message) => message.includes('stranger'))).toMatchObject({
      message: `extender "${world.extender.url}" claims a filtered node "stranger" which is not found in the input node list`,
    });
  });

  it('gives back what a failed binding had taken, and binds the pod at its next turn', async () => {
    await world.addNode('n1', { allocatable: { pods: '1' } });
    world.extender.answer('bind', () => ({ Error: 'the node is locked' }));
    await world.addPod('p');
    await world.loop.start();
    expect(await world.refusal('p')).toEqual({ reason: 'SchedulerError', message: 'the node is locked' });
    bindForReal();
    world.clock.advance(1000);
    await world.scheduled('p');
    expect(world.eventsOf('p')).toEqual([
      'FailedScheduling: the node is locked',
      'Scheduled: Successfully assigned default/p to n1',
    ]);
  });

  it('goes on with others when a pod is deleted while it is being looked at', async () => {
    await world.addNode('n1');
    const held = latch<object>();
    world.extender.answer('filter', () => held.promise);
    await world.addPod('p');
    await world.loop.start();
    await world.extender.called('filter');
    await world.deletePod('p');
    await world.addPod('witness');
    held.open({ NodeNames: ['n1'], Error: '' });
    await world.extender.called('bind');
    expect(world.extender.callsOf('bind').map(({ body }) => body['PodName'])).toEqual(['witness']);
  });

  it('stops while an extender does not answer', async () => {
    await world.addNode('n1');
    world.extender.answer('filter', () => new Promise(() => undefined));
    await world.addPod('p');
    await world.loop.start();
    await world.extender.called('filter');
    await world.loop.stop();
    expect(world.extender.calls).toHaveLength(1);
  });
});
