/** What a pod asks beside what its namespace may have, and the sentence that denies it (spec §8.4). */
import { describe, expect, it } from '@jest/globals';
import { quotaDenial } from '../../src/admission/quota-check.ts';
import type { QuotaLimit } from '../../src/model/quota.ts';
import { type ContainerFields, makePodRequest } from '../support/requests.ts';
import { nvidia } from '../vendors/nvidia-config.ts';

const mem = 'limits.nvidia.com/gpumem';
const cores = 'limits.nvidia.com/gpucores';

interface CheckCase {
  readonly name: string;
  readonly containers: readonly ContainerFields[];
  /** `used` and `limit`; memory 1000 of 2000 MiB and compute 200 of 400 percent where neither is given. */
  readonly memory?: readonly [used: number, limit: number];
  readonly cores?: readonly [used: number, limit: number];
  readonly memoryFactor?: number;
  /** The sentence from the asked resource on; undefined: admitted. */
  readonly want?: string;
}

const conformance: readonly CheckCase[] = [
  { name: '1×100 fits', containers: [{ count: 1, memoryMiB: 100 }] },
  {
    name: '1×1024 is denied',
    containers: [{ count: 1, memoryMiB: 1024 }],
    want: `${mem} 1024, namespace team-a has used 1000 of 2000`,
  },
  {
    name: '2×1024 is denied',
    containers: [{ count: 2, memoryMiB: 1024 }],
    want: `${mem} 2048, namespace team-a has used 1000 of 2000`,
  },
  { name: '2×400 fits', containers: [{ count: 2, memoryMiB: 400 }] },
  {
    name: 'init 800 and 800 with app 500 fits',
    containers: [
      { role: 'init', memoryMiB: 800 },
      { role: 'init', memoryMiB: 800 },
      { role: 'app', memoryMiB: 500 },
    ],
  },
  {
    name: 'init 1500 with app 100 is denied',
    containers: [
      { role: 'init', memoryMiB: 1500 },
      { role: 'app', memoryMiB: 100 },
    ],
    want: `${mem} 1500, namespace team-a has used 1000 of 2000`,
  },
];

const further: readonly CheckCase[] = [
  { name: 'what just fits is admitted', containers: [{ memoryMiB: 1000, corePercent: 100, count: 1 }] },
  {
    name: 'app containers add up',
    containers: [{ memoryMiB: 600 }, { memoryMiB: 600 }],
    want: `${mem} 1200, namespace team-a has used 1000 of 2000`,
  },
  {
    name: 'a sidecar counts beside the apps',
    containers: [{ role: 'sidecar', memoryMiB: 600 }, { memoryMiB: 600 }],
    want: `${mem} 1200, namespace team-a has used 1000 of 2000`,
  },
  {
    name: 'compute counts per card',
    containers: [{ memoryMiB: 10, count: 3, corePercent: 100 }],
    want: `${cores} 300, namespace team-a has used 200 of 400`,
  },
  {
    name: 'memory is named first where both are short',
    containers: [{ memoryMiB: 1001, count: 1, corePercent: 100 }, { corePercent: 101 }],
    want: `${mem} 1001, namespace team-a has used 1000 of 2000`,
  },
  {
    name: 'memory in percent counts nothing before there is a card',
    containers: [{ memoryPercent: 100 }],
    memory: [0, 0],
  },
  {
    name: 'a container without devices counts nothing',
    containers: [{ devices: [] }],
    memory: [0, 0],
    cores: [0, 0],
  },
  {
    name: 'a pod without devices is admitted to a namespace beyond its limits',
    containers: [{ devices: [] }],
    memory: [9, 5],
  },
  {
    name: 'an explicit 0 denies',
    containers: [{ memoryMiB: 1 }],
    memory: [0, 0],
    want: `${mem} 1, namespace team-a has used 0 of 0`,
  },
  {
    name: 'a namespace beyond a limit gets no further cards',
    containers: [{ memoryMiB: 1 }],
    cores: [300, 200],
    want: `${cores} 0, namespace team-a has used 300 of 200`,
  },
  {
    name: 'the numbers are in the units of the quota, parts counted as whole ones',
    containers: [{ memoryMiB: 2048 }],
    memory: [1025, 3072],
    memoryFactor: 1024,
    want: `${mem} 2, namespace team-a has used 2 of 3`,
  },
];

describe.each([
  { group: 'the conformance numbers of spec §8.4', cases: conformance },
  { group: 'the quota check', cases: further },
])('$group', ({ cases }) => {
  it.each(cases)('$name', ({ containers, want, memoryFactor = 1, ...given }) => {
    const isDefault = given.memory === undefined && given.cores === undefined;
    const memory = limitOf(mem, given.memory ?? (isDefault ? [1000, 2000] : undefined));
    const compute = limitOf(cores, given.cores ?? (isDefault ? [200, 400] : undefined));
    const limits = { ...(memory && { memory }), ...(compute && { cores: compute }) };
    const quota = new Map([['NVIDIA', limits]]);
    const request = makePodRequest({ namespace: 'team-a', containers });
    expect(quotaDenial(request, quota, [nvidia({ memoryFactor })])).toBe(
      want && `exceeding resource quota: pod asks for ${want} (ResourceQuota "gpu")`,
    );
  });

  it('asks nothing of a vendor that nobody limits', () => {
    const request = makePodRequest({ containers: [{ memoryMiB: 1e9 }] });
    expect(quotaDenial(request, new Map([['DCU', {}]]), [nvidia()])).toBeUndefined();
  });
});

function limitOf(resource: string, numbers: readonly [number, number] | undefined): QuotaLimit | undefined {
  return numbers && { resource, quota: 'gpu', used: numbers[0], limit: numbers[1] };
}
