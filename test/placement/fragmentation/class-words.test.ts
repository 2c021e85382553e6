import { describe, expect, it } from '@jest/globals';
import { classWords } from '../../../src/placement/fragmentation/class-words.ts';
import type { RequestClass } from '../../../src/placement/fragmentation/request-class.ts';
import { makeSelector } from '../../support/requests.ts';
import { makeDevice } from '../../support/views.ts';

const kinds = ['A10', 'A100', 'T4', 'V100', 'H100'].map((type) => makeDevice({ type: `NVIDIA ${type}` }));

function makeClass(fields: Partial<RequestClass> = {}): RequestClass {
  return {
    vendor: 'NVIDIA',
    count: 1,
    memory: { kind: 'mib', memoryMiB: 8192 },
    corePercent: 30,
    cpuMilli: 4000,
    memoryMiB: 0,
    ...fields,
  };
}

describe('a class in words', () => {
  it.each([
    { name: 'memory in MiB and compute', entry: makeClass(), want: '1x8192MiB/30%' },
    { name: 'no compute', entry: makeClass({ corePercent: 0 }), want: '1x8192MiB' },
    {
      name: 'whole cards',
      entry: makeClass({ count: 2, memory: { kind: 'percent', percent: 100 }, corePercent: 100 }),
      want: '2x100%/100%',
    },
    {
      name: 'types that the cluster has, not the fragment somebody wrote',
      entry: makeClass({ selector: makeSelector({ useTypes: ['a10'] }) }),
      want: '1x8192MiB/30% of NVIDIA A10 or NVIDIA A100',
    },
    {
      name: 'many types, the rest as a number',
      entry: makeClass({ selector: makeSelector({ avoidTypes: ['t4'] }) }),
      want: '1x8192MiB/30% of NVIDIA A10 or NVIDIA A100 or NVIDIA H100 or 1 more',
    },
    {
      name: 'types that nobody has',
      entry: makeClass({ selector: makeSelector({ useTypes: ['tenant-secret'] }) }),
      want: '1x8192MiB/30% of no type here',
    },
  ])('tells $name', ({ entry, want }) => {
    expect(classWords(entry, kinds)).toBe(want);
  });

  it('tells that no card is asked for', () => {
    const memory = { kind: 'mib', memoryMiB: 0 } as const;
    expect(classWords({ count: 0, memory, corePercent: 0, cpuMilli: 1000, memoryMiB: 0 }, kinds)).toBe(
      'no card',
    );
  });
});
