/** What tests of binds start from: a pod that asks for a share of a card, one node with one card, and a busy node. */
import type { BindOutcome } from '../../../src/scheduler/cluster-writer.ts';
import { flush, makeWorld, type World, type WorldFields } from './scheduler-world.ts';
import { boundOutcome } from './scripted-writer.ts';

export const gpu = { count: 1, memoryMiB: 3000, corePercent: 30 };
/** The usage of the card of `oneCard` without and with a pod that asks for `gpu`. */
export const idle = { 'gpu-0': '0/0/0' };
export const charged = { 'gpu-0': '1/3000/30' };

/** The share that a pod which asks for `gpu` gets. */
export const shareOf = (deviceId: string) => ({
  vendor: 'NVIDIA',
  deviceId,
  memoryMiB: 3000,
  corePercent: 30,
});

export const oneCard = (): World => makeWorld({ nodes: [{ devices: [{}] }] });

/** A world in which pod `first` has the turn of n1, and its write is not answered. */
export async function busyWorld(fields: WorldFields = { nodes: [{ devices: [{}] }] }): Promise<World> {
  const world = makeWorld(fields);
  // Its owner waits in vain; the test answers the write when it wants to.
  void world.bind(world.pod({ name: 'first', gpu: { count: 1, memoryMiB: 10 } }));
  await flush();
  return world;
}

/** Answers the newest write, and lets follow what follows. */
export async function answerWrite(world: World, outcome: BindOutcome = boundOutcome): Promise<void> {
  world.writer.write().answer(outcome);
  await flush();
}
