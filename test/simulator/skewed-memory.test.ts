/** Memory out of proportion to compute: what is drawn, and what stays as it was written. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PodRequest } from '../../src/model/request.ts';
import { shapeOf } from '../../src/placement/verdicts.ts';
import type { SimulatedPod } from '../../src/simulator/simulated-pod.ts';
import { withSkewedMemory } from '../../src/simulator/skewed-memory.ts';
import { type ContainerFields, makePodRequest } from '../support/requests.ts';
import { makeView } from '../support/views.ts';

const largestMiB = 10_000;
const views = [makeView({ devices: [{ memoryMiB: 4000 }, { memoryMiB: largestMiB }] })];

function podOf(fields: ContainerFields, name = 'p'): SimulatedPod {
  const request = makePodRequest({ name, containers: [fields] });
  return { request, shape: shapeOf(request), problems: [] };
}

const memoryOf = ({ request }: SimulatedPod) => request.containers[0]?.devices[0]?.memory;
const without = (request: PodRequest) => ({
  ...request,
  containers: request.containers.map(({ devices, ...container }) => ({
    ...container,
    devices: devices.map((wanted) => ({ ...wanted, memory: undefined })),
  })),
});

const fields: fc.Arbitrary<ContainerFields> = fc.oneof(
  fc.record({ memoryMiB: fc.integer({ min: 1, max: largestMiB }), corePercent: fc.constantFrom(0, 30, 100) }),
  fc.record({ memoryPercent: fc.integer({ min: 1, max: 100 }), count: fc.integer({ min: 1, max: 8 }) }),
  fc.constant({ devices: [] }),
);

describe('a workload with skewed memory', () => {
  it('asks for half, once or twice the memory, for no more than a card has, and for all else as written', () => {
    fc.assert(
      fc.property(fc.array(fields, { maxLength: 20 }), fc.nat(), (written, seed) => {
        const pods = written.map((one) => podOf(one));
        const skewed = withSkewedMemory(pods, views, seed);
        for (const [index, pod] of skewed.entries()) {
          const before = pods[index]!;
          expect(without(pod.request)).toEqual(without(before.request));
          expect(pod.shape).toBe(shapeOf(pod.request));
          const [memory, asked] = [memoryOf(pod), memoryOf(before)];
          if (memory?.kind === 'mib' && asked?.kind === 'mib') {
            const wants = [0.5, 1, 2].map((factor) =>
              Math.min(largestMiB, Math.ceil(factor * asked.memoryMiB)),
            );
            expect(wants).toContain(memory.memoryMiB);
          } else if (memory?.kind === 'percent' && asked?.kind === 'percent') {
            const wants = [0.5, 1, 2].map((factor) => Math.min(100, Math.ceil(factor * asked.percent)));
            expect(wants).toContain(memory.percent);
          } else expect(memory).toEqual(asked);
        }
      }),
    );
  });

  it('treats pods of one shape alike, and draws again for another seed', () => {
    const pods = Array.from({ length: 60 }, (_, index) =>
      podOf({ memoryMiB: 100 + (index % 30) }, `p${index}`),
    );
    const skewed = withSkewedMemory(pods, views, 42);
    expect(skewed.slice(30).map(memoryOf)).toEqual(skewed.slice(0, 30).map(memoryOf));
    expect(withSkewedMemory(pods, views, 42)).toEqual(skewed);
    expect(withSkewedMemory(pods, views, 43)).not.toEqual(skewed);
    const factors = skewed.map((pod, index) => {
      const [memory, asked] = [memoryOf(pod), memoryOf(pods[index]!)];
      return memory?.kind === 'mib' && asked?.kind === 'mib' ? memory.memoryMiB / asked.memoryMiB : NaN;
    });
    // All three are drawn; half of an odd number is rounded up.
    expect(new Set(factors.map((factor) => Math.round(factor * 10) / 10))).toEqual(new Set([0.5, 1, 2]));
  });

  it('leaves a request that is too large for every card as large', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const [skewed] = withSkewedMemory([podOf({ memoryMiB: 30_000 })], views, seed);
      const memory = memoryOf(skewed!);
      expect(memory?.kind === 'mib' ? [15_000, 30_000] : []).toContain(
        memory?.kind === 'mib' ? memory.memoryMiB : 0,
      );
    }
  });
});
