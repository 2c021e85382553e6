/** A namespace with a quota of card memory: a pod beyond it is denied with numbers, or waits if only its card tells. */
import { expect } from '@jest/globals';
import { podManifest, refusalOf } from './pods.ts';
import { machine, type Scenario } from './scenario.ts';

const soonMs = 5000;
const memoryKey = 'limits.nvidia.com/gpumem';

export const quotaLimits: Scenario = {
  name: 'a pod beyond its quota is denied with numbers or waits, until there is room',
  nodes: [machine('n1', 2, { memoryMiB: 16_000 })],
  play: async ({ cluster, explain }) => {
    // The smaller of two limits counts.
    await cluster.createQuota('wide', { [memoryKey]: '12000' });
    await cluster.createQuota('narrow', { [memoryKey]: '6000' });
    await cluster.create(podManifest('within', { containers: [{ count: 1, memoryMiB: 4000 }] }));
    await cluster.running('within');
    const tooLarge = podManifest('too-large', { containers: [{ count: 1, memoryMiB: 2001 }] });
    await expect(cluster.create(tooLarge)).rejects.toThrow(
      /exceeding resource quota.*gpumem 2001.*used 4000 of 6000.*narrow/,
    );

    // A percentage is known in MiB only where a card is chosen.
    await cluster.create(podManifest('by-percent', { containers: [{ count: 1, memoryPercent: 25 }] }));
    const waiting = await cluster.waitForPod(
      'by-percent',
      'is refused',
      (pod) => refusalOf(pod) !== undefined,
    );
    expect(refusalOf(waiting)?.message).toContain('ResourceQuotaNotFit');
    expect(await explain('by-percent')).toMatchObject({
      nodes: [{ sentence: expect.stringMatching(/narrow.*6000.*4000/) }],
    });
    await cluster.delete('within');
    await cluster.running('by-percent', soonMs);
    await cluster.deleteQuota('narrow');
    await cluster.deleteQuota('wide');
  },
};
