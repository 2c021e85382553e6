import { describe, expect, it } from '@jest/globals';
import { mirrorFragmentation } from '../../src/commands/fragmentation-metrics.ts';
import type { WeightedClass } from '../../src/placement/fragmentation/request-class.ts';
import { makeMetrics } from '../../src/telemetry/metrics.ts';
import { gpuPod, makeState } from '../state/support/device-states.ts';
import { parsePage } from '../telemetry/exposition-page.ts';

const whole: WeightedClass = {
  vendor: 'NVIDIA',
  count: 1,
  memory: { kind: 'percent', percent: 100 },
  corePercent: 0,
  cpuMilli: 0,
  memoryMiB: 0,
  weight: 1,
};

/** A node for each number: how many MiB of its one card are in use. */
function setUp(memoryMiB: readonly number[], classes: readonly WeightedClass[] = [whole]) {
  const nodes = memoryMiB.map((_, index) => ({ name: `n${index}`, devices: [{}] }));
  const state = makeState({ nodes });
  const metrics = makeMetrics({ processMetrics: false });
  const views = () => [...state.nodeNames()].flatMap((name) => state.view(name) ?? []);
  mirrorFragmentation({ views, classes: () => classes }, metrics);
  const use = (node: number, used: number) => {
    const nodeName = `n${node}`;
    state.applyPod(gpuPod({ name: `on-${nodeName}`, nodeName, allocated: `gpu-0,NVIDIA,${used},0:;` }), 0);
  };
  for (const [node, used] of memoryMiB.entries()) if (used > 0) use(node, used);
  return { state, use, page: () => seriesOf(metrics) };
}

/** The series about fragmentation, by name with labels. */
async function seriesOf(metrics: ReturnType<typeof makeMetrics>): Promise<Record<string, number>> {
  const families = parsePage(await metrics.render());
  const samples = families
    .flatMap((family) => family.samples)
    .filter(({ name }) => /fragment|useless/.test(name));
  return Object.fromEntries(
    samples.map(({ name, labels, value }) => [`${name} ${Object.values(labels).join(' ')}`, value]),
  );
}

describe('the gauges of fragmentation', () => {
  it('follow the cluster from page to page', async () => {
    const { state, use, page } = setUp([4096, 0, 0]);
    const first = await page();
    const useless = first['tessera_useless_cards NVIDIA 1x100%'] ?? 0;
    expect(useless).toBeGreaterThan(0.4);
    expect(useless).toBeLessThan(1);
    expect(first).toEqual({
      'tessera_fragmentation_ratio NVIDIA': useless / (useless + 2),
      'tessera_fragmented_cards NVIDIA': useless,
      'tessera_useless_cards NVIDIA 1x100%': useless,
    });
    use(1, 4096);
    expect((await page())['tessera_fragmented_cards NVIDIA']).toBeCloseTo(2 * useless, 9);
    state.removeNode('n2');
    expect((await page())['tessera_fragmentation_ratio NVIDIA']).toBe(1);
  });

  it('say 0 where nothing is idle, and nothing where nobody asks for the cards', async () => {
    const full = setUp([8192], [{ ...whole, memory: { kind: 'mib', memoryMiB: 1 } }]);
    expect((await full.page())['tessera_fragmented_cards NVIDIA']).toBeLessThan(1);
    expect(await setUp([0], []).page()).toEqual({});
  });

  it('are the same on pages that are asked for at once, with more nodes than one turn takes', async () => {
    const { page } = setUp(Array.from({ length: 120 }, (_, index) => (index % 2 === 0 ? 4096 : 0)));
    const [one, other] = await Promise.all([page(), page()]);
    expect(one).toEqual(other);
    const half = await setUp([4096]).page();
    expect(one['tessera_fragmented_cards NVIDIA']).toBeCloseTo(
      60 * (half['tessera_fragmented_cards NVIDIA'] ?? 0),
      6,
    );
  });
});
