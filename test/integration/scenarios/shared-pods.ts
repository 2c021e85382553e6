/** The main job: pods of several sizes share cards, each gets what it asked for, and the device plugin hands it out. */
import { expect } from '@jest/globals';
import { partsOf, podManifest, toAllocateAnnotation } from './pods.ts';
import { machine, type Scenario } from './scenario.ts';

const sizes = [
  { name: 'by-memory', asks: { memoryMiB: 3000 }, want: { memoryMiB: 3000, corePercent: 0 } },
  {
    name: 'by-both',
    asks: { count: 1, memoryMiB: 8192, corePercent: 30 },
    want: { memoryMiB: 8192, corePercent: 30 },
  },
  { name: 'by-percent', asks: { count: 1, memoryPercent: 25 }, want: { memoryMiB: 4000, corePercent: 0 } },
  {
    name: 'by-cores',
    asks: { count: 1, memoryPercent: 10, corePercent: 50 },
    want: { memoryMiB: 1600, corePercent: 50 },
  },
];

export const sharedPods: Scenario = {
  name: 'pods of several sizes share cards, each with what it asked for',
  nodes: [machine('small', 2, { memoryMiB: 16_000 })],
  play: async ({ cluster }) => {
    await cluster.create(...sizes.map(({ name, asks }) => podManifest(name, { containers: [asks] })));
    const cards = new Set<string>();
    for (const { name, want } of sizes) {
      const pod = await cluster.running(name);
      const [[part] = []] = partsOf(pod);
      expect({ name, part }).toMatchObject({ name, part: want });
      expect(part?.device).toMatch(/^GPU-/);
      cards.add(part?.device ?? '');
      expect(pod.metadata.labels).toMatchObject({ 'hami.io/vgpu-node': 'small' });
      expect(pod.metadata.annotations).toMatchObject({
        'hami.io/vgpu-node': 'small',
        'hami.io/bind-phase': 'success',
        [toAllocateAnnotation]: ';;',
      });
    }
    expect(cards.size).toBeLessThan(sizes.length);
    // The API server rewrites 3000 as 3k; the pod got its 3000 MiB all the same.
    const { spec } = await cluster.running('by-memory');
    expect(spec.containers[0]?.resources?.limits).toMatchObject({
      'nvidia.com/gpumem': '3k',
      'nvidia.com/gpu': '1',
    });
  },
};
