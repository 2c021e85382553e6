/**
 * What happens to a pod while the watch of pods is dead is not seen, and a list shows only what is left. A pod that is
 * gone by then may have run, and may still be stopping.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { stopSecondsAnnotation } from '../../src/emulator/node-agent/pod-status.ts';
import { machine } from '../integration/scenarios/scenario.ts';
import { podManifest } from './pod-mix.ts';
import { faultsOf } from './quiescence.ts';
import { everyCardIsFree, noFaults, rest } from './scenario.ts';
import { World } from './world.ts';

jest.setTimeout(60_000);

const wholeCard = [{ count: 1, memoryPercent: 100 }];
const cases = [
  { name: 'was last seen waiting for its devices', isSeen: true },
  { name: 'was never seen', isSeen: false },
];

describe('a pod that is gone when the watch is back', () => {
  it.each(cases)('and $name keeps its card for as long as it may still be stopping', async ({ isSeen }) => {
    const nodes = [machine('n1', 1, { memoryMiB: 16_000 })];
    const world = new World({ seed: 1, nodes, rates: noFaults });
    await world.start();
    const { schedulerName } = world;
    const create = async (name: string, annotations = {}) => {
      const manifest = podManifest(name, { schedulerName, amounts: wholeCard, annotations });
      await world.await(world.objects.createPod(manifest));
    };
    const silence = () => {
      for (const { replica } of world.servers) replica.link.silenceWatches();
    };

    if (!isSeen) silence();
    else world.agent.setBehaviour('n1', 'hang');
    await create('stops-slowly', { [stopSecondsAnnotation]: '3' });
    if (isSeen) {
      const isBound = () => world.objects.podsOn('n1').length > 0;
      await world.until('it is bound', isBound, 10_000);
      await world.time.runFor(1000);
      silence();
      world.agent.setBehaviour('n1', 'serve');
    }
    await world.until('it runs', () => world.objects.phaseOf('stops-slowly') === 'Running', 10_000);
    await world.await(world.objects.deletePod('stops-slowly', true));
    world.api.store.forgetHistory();
    for (const { replica } of world.servers) replica.link.dropWatches();
    await create('next');
    await world.time.runFor(10_000);

    expect(faultsOf(world)).toEqual([]);
    await rest(world);
    await everyCardIsFree(world);
  });
});
