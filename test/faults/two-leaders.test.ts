/**
 * Two servers that both believe to lead, for as long as it takes: the former one has binds in its queue from before
 * another took over, and must not carry them out beside what the other has bound meanwhile.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { machine } from '../integration/scenarios/scenario.ts';
import { podManifest } from './pod-mix.ts';
import { faultsOf } from './quiescence.ts';
import { everyCardIsFree, noFaults, rest } from './scenario.ts';
import { type Server, World } from './world.ts';

jest.setTimeout(60_000);

const limitMs = 20_000;

const nodes = [machine('n1', 1, { memoryMiB: 16_000 })];

async function create(world: World, name: string, memoryMiB: number): Promise<void> {
  const { schedulerName } = world;
  const amounts = [{ count: 1, memoryMiB }];
  await world.await(world.objects.createPod(podManifest(name, { schedulerName, amounts })));
}

function isBound(world: World, name: string): boolean {
  return world.objects.podsOn('n1').some(({ metadata }) => metadata.name === name);
}

function twoServers(world: World): readonly [Server, Server] {
  const [first, second] = world.servers;
  if (first === undefined || second === undefined) throw new Error('there are two servers');
  return [first, second];
}

describe('a new leader', () => {
  it('binds nothing beside a pod that its watch has not shown yet', async () => {
    const world = new World({ seed: 1, nodes, rates: noFaults, replicas: 2 });
    await world.start();
    const [former, next] = twoServers(world);
    world.watchLagMs = (path) => (path.endsWith('/pods') ? 8000 : 0);
    await create(world, 'of-the-former', 9000);
    await world.until('it is bound', () => isBound(world, 'of-the-former'), limitMs);
    await world.time.runFor(100);
    world.kill(former);
    next.election.lead();
    await create(world, 'of-the-next', 9000);
    await world.time.runFor(20_000);

    expect(faultsOf(world)).toEqual([]);
    expect(isBound(world, 'of-the-next')).toBe(false);
  });
});

describe('a leader that leads again', () => {
  it('binds nothing beside a pod that was bound while it did not lead', async () => {
    const world = new World({ seed: 1, nodes, rates: noFaults, replicas: 2 });
    await world.start();
    const [first, second] = twoServers(world);
    await create(world, 'small', 1000);
    await world.until('it runs', () => world.objects.phaseOf('small') === 'Running', limitMs);
    first.election.lose();
    second.election.lead();
    world.watchLagMs = (path) => (path.endsWith('/pods') ? 8000 : 0);
    await create(world, 'of-the-second', 9000);
    await world.until('it runs', () => world.objects.phaseOf('of-the-second') === 'Running', limitMs);
    // It has not noticed that it did not lead, so that its term is still the same.
    second.election.follow();
    first.election.isLabelled = true;
    await create(world, 'of-the-first', 9000);
    await world.time.runFor(20_000);

    expect(faultsOf(world)).toEqual([]);
    expect(isBound(world, 'of-the-first')).toBe(false);
  });
});

describe('a former leader that does not know yet', () => {
  it('does not bind what was planned before the other one bound a pod, not even the last of its queue', async () => {
    const world = new World({ seed: 1, nodes, rates: noFaults, replicas: 2 });
    await world.start();
    const [former, next] = twoServers(world);
    const assumed = () => [...former.replica.state.entries()].filter(({ state }) => state === 'assumed');

    world.agent.setBehaviour('n1', 'hang');
    await create(world, 'holds-the-lock', 1000);
    await world.until('the lock is held', () => isBound(world, 'holds-the-lock'), limitMs);
    await create(world, 'queued-1', 7000);
    await create(world, 'queued-2', 7000);
    await world.until('two binds are queued', () => assumed().length === 2, limitMs);
    former.process.stop();
    former.election.lose();
    next.election.lead();
    await create(world, 'of-the-other', 9000);
    await world.time.runFor(1000);
    world.agent.setBehaviour('n1', 'serve');
    await world.until('the other one has bound its pod', () => isBound(world, 'of-the-other'), limitMs);
    former.process.resume();
    await world.time.runFor(5000);
    former.election.follow();

    expect(faultsOf(world)).toEqual([]);
    await rest(world);
    await everyCardIsFree(world);
  });
});
