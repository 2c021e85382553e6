/**
 * Histories in which a device plugin could hand out the wrong devices, each as short as it can be: the plugin serves
 * whichever pod the lock names, and who asks may be another. Found by random mixes.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { machine } from '../integration/scenarios/scenario.ts';
import { podManifest } from './pod-mix.ts';
import { faultsOf } from './quiescence.ts';
import { noFaults } from './scenario.ts';
import { World } from './world.ts';

jest.setTimeout(60_000);

const limitMs = 120_000;

async function startWorld(): Promise<World> {
  const world = new World({ seed: 1, nodes: [machine('n1', 2, { memoryMiB: 16_000 })], rates: noFaults });
  await world.start();
  world.agent.setBehaviour('n1', 'hang');
  return world;
}

/** Pods of one card with as many MiB each, bound to the node where that is possible. */
async function create(world: World, name: string, cards: number, memoryMiB: number): Promise<void> {
  const { schedulerName } = world;
  const amounts = [{ count: cards, memoryMiB }];
  await world.await(world.objects.createPod(podManifest(name, { schedulerName, amounts })));
}

function isBound(world: World, name: string): boolean {
  return world.objects.podsOn('n1').some(({ metadata }) => metadata.name === name);
}

describe('the device plugin is slow', () => {
  it('and the node is registered anew without its lock: the pod that waits is not given the devices of the next', async () => {
    const world = await startWorld();
    await create(world, 'first', 1, 1000);
    await world.until('it is bound', () => isBound(world, 'first'), limitMs);
    await world.await(world.objects.forgetLock('n1'));
    await create(world, 'second', 1, 2000);
    await world.time.runFor(60_000);
    world.agent.setBehaviour('n1', 'serve');
    await world.time.runFor(limitMs);
    expect(faultsOf(world)).toEqual([]);
  });

  it('and a pod is deleted by force while the plugin works for it: those after it are not served one for another', async () => {
    const world = await startWorld();
    await create(world, 'deleted', 2, 1000);
    await world.until('it is bound', () => isBound(world, 'deleted'), limitMs);
    await create(world, 'second', 1, 2000);
    await create(world, 'third', 1, 3000);
    await create(world, 'fourth', 1, 4000);
    await world.await(world.objects.deletePod('deleted', true));
    await world.until('the second is bound', () => isBound(world, 'second'), limitMs);
    world.agent.setBehaviour('n1', 'serve');
    await world.time.runFor(limitMs);
    expect(faultsOf(world)).toEqual([]);
  });
});
