/** A pod that fits nowhere waits, and says why in the places where people look. */
import { expect } from '@jest/globals';
import { partsOf, podManifest, refusalOf } from './pods.ts';
import { machine, type Scenario } from './scenario.ts';

export const fitsNowhere: Scenario = {
  name: 'a pod that fits nowhere has its reasons in its condition and its events',
  nodes: [machine('n1', 2), machine('n2', 1), machine('t1', 1, { memoryMiB: 16_000 })],
  play: async ({ cluster }) => {
    await cluster.create(
      podManifest('too-many', { containers: [{ count: 3, memoryMiB: 100 }] }),
      podManifest('too-large', { containers: [{ count: 1, memoryMiB: 100_000 }] }),
      podManifest('wrong-type', {
        containers: [{ count: 1, memoryMiB: 100 }],
        annotations: { 'nvidia.com/use-gputype': 'H100' },
      }),
    );
    for (const [name, want] of [
      ['too-many', '3 NodeInsufficientDevice'],
      ['too-large', '3 CardInsufficientMemory'],
      ['wrong-type', '3 CardTypeMismatch'],
    ] as const) {
      const pod = await cluster.waitForPod(name, 'is refused', (now) => refusalOf(now) !== undefined);
      const refusal = refusalOf(pod);
      expect({ name, reason: refusal?.reason }).toEqual({ name, reason: 'Unschedulable' });
      expect(refusal?.message).toMatch(/^0\/3 nodes are available: /);
      expect(refusal?.message).toContain(want);
      expect(pod.spec.nodeName).toBeUndefined();
      expect(partsOf(pod)).toEqual([]);
      const word = want.slice(2);
      await cluster.untilEvent(name, 'FailedScheduling', word);
      await cluster.untilEvent(name, 'FilteringFailed', word);
    }
  },
};
