/** Pods of several containers and containers of several cards: entries in the order of the containers, cards distinct. */
import { expect } from '@jest/globals';
import { partsOf, podManifest } from './pods.ts';
import { machine, type Scenario } from './scenario.ts';

export const manyContainers: Scenario = {
  name: 'every container gets its own part, and as many distinct cards as it asks for',
  nodes: [machine('big', 8), machine('little', 1)],
  play: async ({ cluster }) => {
    await cluster.create(
      podManifest('several', {
        containers: [
          { count: 1, memoryMiB: 500 },
          {},
          { count: 2, memoryMiB: 1000, corePercent: 20 },
          { count: 1, memoryPercent: 50 },
        ],
      }),
      podManifest('whole', { containers: [{ count: 4 }] }),
    );
    const several = partsOf(await cluster.running('several'));
    expect(
      several.map((parts) => parts.map(({ memoryMiB, corePercent }) => [memoryMiB, corePercent])),
    ).toEqual([
      [[500, 0]],
      [],
      [
        [1000, 20],
        [1000, 20],
      ],
      [[40_960, 0]],
    ]);
    expect(new Set(several[2]?.map(({ device }) => device)).size).toBe(2);

    const whole = await cluster.running('whole');
    expect(whole.spec.nodeName).toBe('big');
    const [cards = []] = partsOf(whole);
    expect(new Set(cards.map(({ device }) => device)).size).toBe(4);
    expect(cards.map(({ memoryMiB, corePercent }) => [memoryMiB, corePercent])).toEqual(
      Array(4).fill([81_920, 100]),
    );
    const shared = new Set(several.flat().map(({ device }) => device));
    expect(cards.filter(({ device }) => shared.has(device))).toEqual([]);
  },
};
