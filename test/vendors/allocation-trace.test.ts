/**
 * The life of an allocation annotation, end to end (spec Appendix C): what admission completes, what bind writes, what
 * the device plugin leaves behind after each Allocate. The golden files pin every byte of it.
 */
import { describe, expect, it } from '@jest/globals';
import type { Allocation, Share } from '../../src/model/allocation.ts';
import type { Device } from '../../src/model/device.ts';
import { memoryNeedMiB } from '../../src/model/request.ts';
import { alignEntries, decodeEntries, encodeAllocation } from '../../src/vendors/allocation-codec.ts';
import { readPodRequest } from '../../src/vendors/pod-request.ts';
import { parseRegister } from '../../src/vendors/register.ts';
import { podFrom } from '../../src/wire/kubernetes.ts';
import { expectGolden } from '../support/golden.ts';
import { type ContainerObjectFields, gpuLimits, makePod } from '../support/kubernetes-objects.ts';
import { nvidia } from './nvidia-config.ts';
import { twoV100s } from './register-examples.ts';

const vendor = nvidia();

/** The plugin's way (spec §1.9): the first entry that is not empty goes, and the value grows by one separator. */
function eraseFirst(value: string): string {
  const entries = value.split(';');
  entries[entries.findIndex((entry) => entry !== '')] = '';
  return `${entries.join(';')};`;
}

/** Every container gets the first cards of the node; which ones is the planner's business, not the wire's. */
function firstCards(devices: readonly Device[], containers: readonly ContainerObjectFields[]) {
  const { request } = readPodRequest(podFrom(makePod({ containers })), [vendor]);
  return request.containers.map((container) =>
    container.devices.flatMap(({ count, memory, corePercent }) =>
      devices.slice(0, count).map((device): Share => {
        return {
          vendor: 'NVIDIA',
          deviceId: device.id,
          memoryMiB: memoryNeedMiB(memory, device),
          corePercent,
        };
      }),
    ),
  );
}

describe('the annotation of an allocation, from admission to the last Allocate', () => {
  const cases: { golden: string; written: readonly ContainerObjectFields[] }[] = [
    {
      golden: 'allocation-one-container',
      written: [{ limits: gpuLimits({ count: 1, memoryMiB: 3000, corePercent: 30 }) }],
    },
    {
      golden: 'allocation-many-containers',
      written: [
        { role: 'init' },
        { role: 'init', limits: gpuLimits({ memoryMiB: '8k' }) },
        { role: 'sidecar', limits: gpuLimits({ count: 1, memoryPercent: 33 }) },
        { role: 'app' },
        { role: 'app', limits: gpuLimits({ count: 2, memoryMiB: 10000, corePercent: 20 }) },
      ],
    },
  ];
  it.each(cases)('$golden', ({ golden, written }) => {
    const devices = parseRegister(twoV100s, 'NVIDIA');
    const admitted = written.map((container) => {
      const limits = container.limits ?? {};
      const { limits: added } = vendor.mutate({ name: '', role: 'app', limits, requests: {} }, {});
      return { ...container, limits: { ...limits, ...added } };
    });
    const allocation: Allocation = firstCards(devices.ok ? devices.value : [], admitted);
    const bound = encodeAllocation(allocation, 'NVIDIA') ?? '';

    const erased = [bound];
    while (erased.at(-1)?.includes('NVIDIA')) erased.push(eraseFirst(erased.at(-1) ?? ''));

    expectGolden(golden, {
      limitsWritten: written.map(({ limits }) => limits ?? {}),
      limitsAdmitted: admitted.map(({ limits }) => limits),
      [vendor.annotations.allocated]: bound,
      [vendor.annotations.toAllocate]: erased,
    });

    const { containers } = podFrom(makePod({ containers: admitted }));
    const entries = decodeEntries(bound, 'NVIDIA');
    expect(entries.ok && alignEntries(entries.value, containers, vendor.resources.count)).toEqual({
      ok: true,
      value: allocation,
    });
    for (const [step, value] of erased.entries()) {
      const left = decodeEntries(value, 'NVIDIA');
      const filled = (lists: Allocation) => lists.filter((shares) => shares.length > 0);
      expect(left.ok && filled(left.value)).toEqual(filled(allocation).slice(step));
    }
  });
});
