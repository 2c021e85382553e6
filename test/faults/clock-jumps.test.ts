/**
 * Somebody sets the machine's clock while the containers of a deleted pod are still stopping: what they hold is charged
 * for as long as they may run, not for as long as a clock says that can be set.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { stopSecondsAnnotation } from '../../src/emulator/node-agent/pod-status.ts';
import { machine } from '../integration/scenarios/scenario.ts';
import { podManifest } from './pod-mix.ts';
import { faultsOf } from './quiescence.ts';
import { noFaults } from './scenario.ts';
import { World } from './world.ts';

jest.setTimeout(60_000);

const hourMs = 3_600_000;
const wholeCard = [{ count: 1, memoryPercent: 100 }];
const cases = [
  { name: 'an hour ahead', byMs: hourMs },
  { name: 'an hour back', byMs: -hourMs },
];

describe('a clock that is set', () => {
  it.each(cases)('$name neither shortens nor lengthens what a deleted pod holds', async ({ byMs }) => {
    const nodes = [machine('n1', 1, { memoryMiB: 16_000 })];
    const world = new World({ seed: 1, nodes, rates: noFaults });
    await world.start();
    const { schedulerName } = world;
    const create = async (name: string, annotations = {}) => {
      await world.await(
        world.objects.createPod(podManifest(name, { schedulerName, amounts: wholeCard, annotations })),
      );
    };
    await create('stops-slowly', { [stopSecondsAnnotation]: '3' });
    await world.until('it runs', () => world.objects.phaseOf('stops-slowly') === 'Running', 10_000);
    await world.time.runFor(1000);
    await world.await(world.objects.deletePod('stops-slowly', true));
    await world.time.runFor(100);
    for (const { process } of world.servers) process.jumpClock(byMs);
    await create('next');
    await world.until('the next one runs', () => world.objects.phaseOf('next') === 'Running', 120_000);
    expect(faultsOf(world)).toEqual([]);
  });
});
