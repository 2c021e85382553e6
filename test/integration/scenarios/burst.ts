/** Many pods at once: all run, each node hands out its cards one pod at a time, and no card is given twice. */
import { isRunning, podManifest } from './pods.ts';
import { machine, type Scenario } from './scenario.ts';

const podCount = 200;
const nodeCount = 10;
const burstMs = 60_000;
const large = { count: 1, memoryMiB: 16_000, corePercent: 2 };
const busy = { count: 1, memoryMiB: 1000, corePercent: 20 };

export const burst: Scenario = {
  name: '200 pods created at once on 10 nodes all run',
  // Slots, memory and compute would each be enough for more pods than the other two let in.
  nodes: Array.from({ length: nodeCount }, (_, index) => machine(`n${index}`, 3)),
  play: async ({ cluster }) => {
    await cluster.create(
      ...Array.from({ length: podCount }, (_, index) =>
        podManifest(`burst-${index}`, { containers: [index % 2 === 0 ? large : busy] }),
      ),
    );
    await cluster.waitFor(
      'all run',
      (pods) => (pods.length === podCount && pods.every(isRunning) ? true : undefined),
      burstMs,
    );
  },
};
