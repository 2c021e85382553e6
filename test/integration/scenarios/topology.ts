/** Cards that talk to each other: a topology-aware pod gets those that are best linked. */
import { expect } from '@jest/globals';
import { partsOf, podManifest } from './pods.ts';
import type { Scenario } from './scenario.ts';

const idOf = (index: number) => `GPU-linked-${index}`;

export const linkedCards: Scenario = {
  name: 'a topology-aware pod gets the pair of cards that is linked best, the next pod the next best',
  nodes: [
    {
      name: 'linked',
      cpu: '64',
      memory: '512Gi',
      gpus: [0, 1, 2, 3].map((index) => ({
        type: 'NVIDIA A100-SXM4-80GB',
        memoryMiB: 81_920,
        id: idOf(index),
      })),
      links: [
        { cards: [1, 3], nvlinks: 4 },
        { cards: [0, 2], nvlinks: 2 },
        { cards: [0, 1], path: 'PIX' },
      ],
      plugin: { publishesLinkScores: true },
    },
  ],
  play: async ({ cluster }) => {
    const pairs = [];
    for (const name of ['first', 'second']) {
      await cluster.create(
        podManifest(name, {
          containers: [{ count: 2 }],
          annotations: { 'hami.io/gpu-scheduler-policy': 'topology-aware' },
        }),
      );
      const [cards = []] = partsOf(await cluster.running(name));
      pairs.push(cards.map(({ device }) => device).sort());
    }
    expect(pairs).toEqual([
      [idOf(1), idOf(3)],
      [idOf(0), idOf(2)],
    ]);
  },
};
