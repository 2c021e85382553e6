/** An administrator takes a card out of service: it gets nothing new at once, and who runs on it is left alone. */
import { expect } from '@jest/globals';
import { isRunning, partsOf, podManifest, refusalOf } from './pods.ts';
import type { Scenario } from './scenario.ts';

const soonMs = 5000;
const cordonAnnotation = 'hami.io/device-cordon';
const idOf = (index: number) => `GPU-cordon-${index}`;

export const cordonedCard: Scenario = {
  name: 'a cordoned card gets no new pod until it is released, and keeps those that it has',
  nodes: [
    {
      name: 'pair',
      cpu: '64',
      memory: '512Gi',
      gpus: [0, 1].map((index) => ({ type: 'Tesla T4', memoryMiB: 16_000, id: idOf(index) })),
    },
  ],
  play: async ({ cluster }) => {
    const small = { containers: [{ count: 1, memoryMiB: 1000 }] };
    const onFirst = { ...small, annotations: { 'nvidia.com/use-gpuuuid': idOf(0) } };
    await cluster.create(podManifest('before', onFirst));
    await cluster.running('before');

    await cluster.annotateNode('pair', { [cordonAnnotation]: `${idOf(0)}, ` });
    await cluster.create(podManifest('needs-it', onFirst), podManifest('any-card', small));
    // Packing would have preferred the card that is in use.
    const [[part] = []] = partsOf(await cluster.running('any-card'));
    expect(part?.device).toBe(idOf(1));
    const waiting = await cluster.waitForPod('needs-it', 'is refused', (pod) => refusalOf(pod) !== undefined);
    expect(refusalOf(waiting)?.message).toContain('CardCordoned');
    expect(await cluster.waitForPod('before', 'still runs', isRunning)).toBeDefined();

    await cluster.annotateNode('pair', { [cordonAnnotation]: null });
    await cluster.running('needs-it', soonMs);
  },
};
