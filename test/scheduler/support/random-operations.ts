/** What can happen in a random cluster, as often as it is written here, and the pods it happens to. */
import { type ContainerObjectFields, gpuLimits } from '../../support/kubernetes-objects.ts';

export const operations = [
  'create',
  'create',
  'filter',
  'prioritize',
  'bind',
  'bind',
  'bind',
  'bindAgain',
  'burst',
  'burst',
  'hangUp',
  'succeed',
  'succeed',
  'succeed',
  'fail',
  'doubt',
  'settle',
  'watch',
  'watch',
  'run',
  'run',
  'finishInit',
  'end',
  'die',
  'delete',
  'reshape',
  'wait',
] as const;
export type Operation = (typeof operations)[number];

const ask = gpuLimits;
export const shapes: readonly (readonly ContainerObjectFields[])[] = [
  [{ limits: ask({ count: 1, memoryMiB: 2000, corePercent: 30 }) }],
  [{ limits: ask({ count: 1, memoryMiB: 4096 }) }],
  [{ limits: ask({ count: 2, memoryPercent: 50, corePercent: 50 }) }],
  [{ limits: ask({ count: 1, memoryPercent: 100, corePercent: 100 }) }],
  [
    { limits: ask({ count: 1, memoryMiB: 1000 }) },
    { limits: ask({ count: 1, memoryMiB: 3000, corePercent: 20 }) },
  ],
  [
    { role: 'init', limits: ask({ count: 1, memoryMiB: 6000 }) },
    { limits: ask({ count: 1, memoryMiB: 1000 }) },
  ],
];
export const podNames = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
