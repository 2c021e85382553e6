/** What a pod held is there for the next one as soon as its containers have ended, and who waits for it is told. */
import { expect } from '@jest/globals';
import { runSecondsAnnotation } from '../../../src/emulator/node-agent/pod-status.ts';
import { partsOf, podManifest, refusalOf } from './pods.ts';
import { machine, type Scenario } from './scenario.ts';

const soonMs = 5000;

export const release: Scenario = {
  name: 'a card that is freed goes to the pod that waits for it within 5 s',
  nodes: [machine('only', 1)],
  play: async ({ cluster }) => {
    const whole = { containers: [{ count: 1 }] };
    await cluster.create(podManifest('first', whole));
    const first = await cluster.running('first');
    await cluster.create(podManifest('second', whole));
    await cluster.waitForPod('second', 'is refused', (pod) => refusalOf(pod) !== undefined);

    await cluster.delete('first');
    const second = await cluster.running('second', soonMs);
    expect(partsOf(second)).toEqual(partsOf(first));

    // The end of a pod's work frees its card as well as its deletion.
    await cluster.clear();
    await cluster.create(podManifest('short', { ...whole, annotations: { [runSecondsAnnotation]: '0.2' } }));
    await cluster.waitForPod('short', 'has ended', ({ status }) => status?.phase === 'Succeeded');
    await cluster.create(podManifest('third', whole));
    await cluster.running('third', soonMs);
  },
};
